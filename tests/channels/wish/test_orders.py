import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.channels.factories import an_order, money

from channel_sync.channels.wish.orders import read_order
from channel_sync.domain.money import Money
from channel_sync.domain.orders import Address, ChannelOrder, OrderState, Refund, Tracking, UnreadableOrder


def read(**changes) -> ChannelOrder:
    order = read_order(json.dumps(an_order(**changes)).encode(), "r-1")
    assert isinstance(order, ChannelOrder), order
    return order


def held(document) -> UnreadableOrder:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    order = read_order(text, "r-1")
    assert isinstance(order, UnreadableOrder), order
    return order


def test_an_order_is_read_as_wish_means_it():
    order = read()
    assert order.channel_order_id == "000000000000000000000001"
    assert order.state is OrderState.APPROVED
    assert order.updated_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert order.ship_by == datetime(2026, 11, 25, tzinfo=UTC)
    assert order.merchant_revenue == Money(Decimal("20.25"), "USD")
    assert order.currency == "USD"
    assert order.tax is None
    assert not order.sanitised


def test_the_line_says_what_was_bought():
    (line,) = read().content.lines
    assert (line.sku, line.channel_listing_id, line.product_id, line.title) == ("MUG", "v1", "p1", "Mug")
    assert (line.quantity, line.options) == (2, {"color": "red"})
    assert line.unit_price == Money(Decimal("12.5"), "USD")
    assert line.shipping_price == Money(Decimal("1"), "USD")


def test_the_address_keeps_leading_zeros_and_joins_the_phone():
    assert read().address == Address(
        name="Ada",
        street_1="1 Road",
        city="Town",
        region="CA",
        postcode="00412",
        country_code="US",
        phone="+1 555",
    )


def test_a_neighborhood_goes_into_the_third_line_and_a_region_stands_in_for_the_state():
    detail = {"street_address3": "Flat 2", "neighborhood": "Centro", "region": "RM", "state": None, "zipcode": 412}
    address = read(full_address={"shipping_detail": detail}).address
    assert address is not None
    assert (address.street_3, address.region, address.postcode) == ("Flat 2, Centro", "RM", "412")


@pytest.mark.parametrize("phone", [None, {}, {"number": None}, {"number": "", "country_code": "1"}])
def test_a_missing_phone_is_none(phone):
    address = read(full_address={"shipping_detail": {"phone_number": phone}}).address
    assert address is not None
    assert address.phone is None


@pytest.mark.parametrize(
    ("phone", "read_as"),
    [
        ({"number": "+44 20", "country_code": "44"}, "+44 20"),
        ({"number": "20", "country_code": "+44"}, "+44 20"),
        ({"number": "20", "country_code": "GB"}, "20"),
        ({"number": 20}, "20"),
    ],
)
def test_a_phone_number_has_one_country_code(phone, read_as):
    address = read(full_address={"shipping_detail": {"phone_number": phone}}).address
    assert address is not None
    assert address.phone == read_as


@pytest.mark.parametrize("full_address", [None, {}, {"shipping_detail": None}])
def test_an_order_may_have_no_address(full_address):
    assert read(full_address=full_address).address is None


def test_tax_is_kept_as_wish_wrote_it():
    text = json.dumps(an_order(tax_information="here")).replace(
        '"here"', '{"amount": -20.10, "currency_code":"EUR"}'
    )
    order = read_order(text.encode(), None)
    assert isinstance(order, ChannelOrder)
    assert order.tax == b'{"amount": -20.10, "currency_code":"EUR"}'


def test_an_order_without_tax_has_none():
    assert read(tax_information=None).tax is None


@pytest.mark.parametrize(
    ("types", "by"),
    [
        (["VAT"], "merchant"),
        (["FULFILLED_BY_WISH"], "wish"),
        (["FULFILLED_BY_STORE", None], "store"),
        (None, "merchant"),
    ],
)
def test_who_ships_comes_from_the_order_types(types, by):
    assert read(fulfillment_order_types=types).content.fulfilled_by == by


def test_parcels_and_refunds_are_read():
    content = read(
        tracking_information=[{"tracking_number": "AB1", "shipping_provider": {"name": "USPS"}}, None],
        refunds=[{"refund_time": "2026-11-21T00:00:00Z", "refund_reason": "Broken", "refund_amount": money(-1)}],
    ).content
    assert content.tracking == (Tracking("USPS", "AB1", None),)
    refund = Refund(datetime(2026, 11, 21, tzinfo=UTC), None, "Broken", Money(Decimal(-1), "USD"))
    assert content.refunds == (refund,)


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        ("SHIPPED", OrderState.SHIPPED),
        ("REFUNDED", OrderState.REFUNDED),
        ("REQUIRE_REVIEW", OrderState.IN_REVIEW),
        ("DECLINED", OrderState.DECLINED),
        ("TELEPORTED", OrderState.UNKNOWN),
    ],
)
def test_a_state_nobody_knows_is_kept_in_its_own_words(raw, state):
    order = read(state=raw)
    assert (order.state, order.state_raw) == (state, raw)


def test_new_fields_and_missing_ones_do_no_harm():
    order = an_order(brand_new={"deep": [1, {"x": None}]}, fulfillment_requirements=None, refunds=None, state=None)
    del order["released_at"], order["transaction_id"], order["fulfillment_order_types"], order["full_address"]
    assert isinstance(read_order(json.dumps(order).encode(), None), ChannelOrder)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00.123+00:00", datetime(2026, 11, 20, 10, 0, 0, 123000, tzinfo=UTC)),
        ("2026-11-20T15:00:00.000+05:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T15:30:00+05:30", datetime(2026, 11, 20, 10, tzinfo=UTC)),
    ],
)
def test_times_are_utc_however_wish_writes_them(text, moment):
    assert read(updated_at=text).updated_at == moment


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-11-20T10:00:60Z", "bad_time"),
        ("0001-01-01T00:00:00+05:00", "bad_time"),
        (None, "wrong_type"),
        (5, "wrong_type"),
    ],
)
def test_a_time_that_is_none_holds_the_order(text, reason):
    assert held(an_order(updated_at=text)).reason == reason


def without(*path):
    order = an_order()
    inner = order
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return order


@pytest.mark.parametrize(
    ("document", "reason", "pointer"),
    [
        (without("id"), "missing_member", "/id"),
        (without("updated_at"), "missing_member", "/updated_at"),
        (without("product_information"), "missing_member", "/product_information"),
        (
            without("order_payment", "general_payment_details", "product_quantity"),
            "missing_member",
            "/order_payment/general_payment_details/product_quantity",
        ),
        (an_order() | {"id": None}, "wrong_type", "/id"),
        (an_order() | {"id": ""}, "bad_id", "/id"),
        (an_order() | {"id": "x" * 101}, "too_long", "/id"),
        (an_order(state=["APPROVED"]), "wrong_type", "/state"),
        (an_order(product_information={"sku": ["CNRY"]}), "wrong_type", "/product_information/sku"),
        (an_order(product_information={"sku": "x" * 256}), "too_long", "/product_information/sku"),
        (
            an_order(product_information={"id": "x" * 101}),
            "too_long",
            "/product_information/id",
        ),
        (an_order(updated_at="0001-01-01T00:00:00Z"), "bad_time", "/updated_at"),
        (an_order(tax_information={"vat": "x" * 70_000}), "too_large", "/tax_information"),
        (an_order(note="x" * 300_000), "too_large", ""),
        ([], "wrong_type", ""),
        (None, "wrong_type", ""),
        (b'{"id": "x", ', "not_json", ""),
    ],
)
def test_an_order_that_cannot_be_used_says_where_and_never_what(document, reason, pointer):
    order = held(document)
    assert order.reason == reason
    assert order.pointer == pointer
    assert order.channel_request_id == "r-1"


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        *[(wrong, "wrong_type") for wrong in (1.5, "two", "", None)],
        *[(far, "bad_quantity") for far in (0, "0", -1, 2**70, 10**6 + 1)],
    ],
)
def test_a_quantity_is_a_whole_number_above_zero(quantity, reason):
    order = held(an_order(order_payment={"general_payment_details": {"product_quantity": quantity}}))
    assert (order.reason, order.pointer) == (reason, "/order_payment/general_payment_details/product_quantity")


def test_a_held_order_still_tells_its_id_and_time_where_they_can_be_read():
    order = held(an_order(7, product_information=[]))
    assert order.channel_order_id == f"{7:024x}"
    assert order.updated_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert json.loads(order.raw)["product_information"] == []


def test_a_name_with_a_nul_is_read_and_marked_and_its_raw_text_kept():
    text = json.dumps(an_order(product_information={"name": "a\0b", "sku": "s"})).encode()
    order = read_order(text, None)
    assert isinstance(order, ChannelOrder)
    assert order.content.lines[0].title == "a�b"
    assert order.sanitised
    assert order.raw == text


@pytest.mark.parametrize("name", ["😀", "שלום", "é", "x" * 10_000, "a\r\nb"])
def test_unusual_names_are_names(name):
    order = read(product_information={"name": name})
    assert order.content.lines[0].title == name
    assert not order.sanitised
