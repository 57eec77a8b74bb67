import json
from decimal import Decimal

import pytest
from tests.channels.factories import an_order, money

from channel_sync.channels.wish.orders import read_order
from channel_sync.domain.money import Money
from channel_sync.domain.orders import ChannelOrder, UnreadableOrder


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


@pytest.mark.parametrize("text", ['"NaN"', '"Infinity"', "1e999", "1e-999", "1" * 40, '"abc"'])
def test_what_is_no_amount_holds_the_order(text):
    order = priced(text)
    assert isinstance(order, UnreadableOrder)
    assert order.reason == "bad_amount"
    assert order.pointer == "/order_payment/general_payment_details/payment_total/amount"


@pytest.mark.parametrize("currency", ["", "usd", "DOLLAR", "U$D", "ÄÖÜ"])
def test_what_is_no_currency_holds_the_order(currency):
    order = detailed(payment_total=money(1, currency))
    assert isinstance(order, UnreadableOrder)
    assert order.reason == "bad_currency"


def test_without_a_total_the_currency_is_that_of_the_price():
    order = detailed(product_price=money(1, "EUR"), payment_total=None)
    assert isinstance(order, ChannelOrder)
    assert (order.currency, order.merchant_revenue) == ("EUR", None)


def test_what_the_customer_paid_is_kept_where_wish_says_it():
    order = detailed(customer_paid_prices_detail={"total": money(9, "BRL")})
    assert isinstance(order, ChannelOrder)
    assert order.content.customer_paid == Money(Decimal(9), "BRL")
