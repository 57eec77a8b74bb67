import json
from decimal import Decimal

import pytest
from tests.channels.factories import an_order, money

from channel_sync.channels.wish.orders import read_order
from channel_sync.domain.money import NO_CURRENCY, Money
from channel_sync.domain.orders import ChannelOrder, Flaw, Note

TOTAL = "/order_payment/general_payment_details/payment_total"


def priced(amount_text: str):
    """An order whose total is exactly this piece of JSON."""
    text = json.dumps(an_order()).replace(
        '"payment_total": {"amount": 20.25', f'"payment_total": {{"amount": {amount_text}'
    )
    return read_order(text.encode(), None)


def detailed(**details):
    """An order with these payment details."""
    document = an_order(order_payment={"general_payment_details": {"product_quantity": 1} | details})
    return read_order(json.dumps(document).encode(), None)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0.30000000000000004", "0.30000000000000004"),
        ("0.10", "0.10"),
        ("-0.01", "-0.01"),
        ("1e2", "100"),
        ("1234", "1234"),
        ("1.2345", "1.2345"),
        ("9007199254740993", "9007199254740993"),
        ("12345678901234567890.12", "12345678901234567890.12"),
        ('"3.50"', "3.50"),
    ],
)
def test_amounts_are_exactly_what_is_written(text, amount):
    order = priced(text)
    assert isinstance(order, ChannelOrder)
    assert order.merchant_revenue is not None
    assert str(order.merchant_revenue.amount) == amount


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *[(text, "bad_amount") for text in ('"NaN"', '"Infinity"', '"abc"', '""', "1e999", "1e-999")],
        *[("1" * digits, "bad_amount") for digits in (40, 5000)],
        *[(text, "wrong_type") for text in ("null", "[]", "true", '{"a":1}')],
    ],
)
def test_what_is_no_amount_is_left_out_and_noted(text, code):
    order = priced(text)
    assert isinstance(order, ChannelOrder)
    assert order.merchant_revenue is None
    assert order.currency == "USD"
    assert order.content.notes == (Note(Flaw(code), f"{TOTAL}/amount"),)


@pytest.mark.parametrize(
    ("currency", "code"),
    [*[(text, "bad_currency") for text in ("DOLLAR", "U$D", "ÄÖÜ", 5)], ([5], "wrong_type")],
)
def test_an_amount_in_no_currency_is_left_out_and_noted(currency, code):
    order = detailed(payment_total=money(1, currency))
    assert isinstance(order, ChannelOrder)
    assert order.merchant_revenue is None
    assert order.content.notes == (Note(Flaw(code), f"{TOTAL}/currency_code"),)


@pytest.mark.parametrize("total", [{"amount": 1.5}, {"amount": 1.5, "currency_code": None}, money(1.5, "")])
def test_an_amount_that_names_no_currency_is_kept_and_noted(total):
    order = detailed(payment_total=total)
    assert isinstance(order, ChannelOrder)
    assert order.merchant_revenue == Money(Decimal("1.5"), NO_CURRENCY)
    assert order.currency is None
    assert order.content.notes == (Note(Flaw.CURRENCY_MISSING, f"{TOTAL}/currency_code"),)


def test_a_currency_in_small_letters_is_one():
    order = detailed(payment_total=money(1, "usd"))
    assert isinstance(order, ChannelOrder)
    assert order.merchant_revenue == Money(Decimal(1), "USD")
    assert order.content.notes == ()


def test_without_a_total_the_currency_is_that_of_the_price():
    order = detailed(product_price=money(1, "EUR"), payment_total=None)
    assert isinstance(order, ChannelOrder)
    assert (order.currency, order.merchant_revenue) == ("EUR", None)


def test_what_the_customer_paid_is_kept_where_wish_says_it():
    order = detailed(customer_paid_prices_detail={"total": money(9, "BRL")})
    assert isinstance(order, ChannelOrder)
    assert order.content.customer_paid == Money(Decimal(9), "BRL")
