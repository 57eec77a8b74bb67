"""A member that does not decide is never in the way of its order: it is left out, and noted where that was."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.channels.factories import an_order

from channel_sync.channels.wish.orders import read_order
from channel_sync.domain.orders import ChannelOrder, Flaw, Note, UnreadableOrder


def read(document: Any) -> ChannelOrder:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    order = read_order(text, "r-1")
    assert isinstance(order, ChannelOrder), order
    return order


def notes(order: ChannelOrder) -> list[tuple[str, str]]:
    return [(note.code.value, note.pointer) for note in order.content.notes]


@pytest.mark.parametrize(
    ("changes", "noted"),
    [
        ({"full_address": []}, ("wrong_type", "/full_address")),
        ({"full_address": "1 Road"}, ("wrong_type", "/full_address")),
        ({"full_address": {"shipping_detail": 5}}, ("wrong_type", "/full_address/shipping_detail")),
        ({"tracking_information": {}}, ("wrong_type", "/tracking_information")),
        ({"fulfillment_order_types": ""}, ("wrong_type", "/fulfillment_order_types")),
        ({"fulfillment_requirements": []}, ("wrong_type", "/fulfillment_requirements")),
        ({"released_at": ""}, ("bad_time", "/released_at")),
        ({"released_at": "0001-01-01T00:00:00Z"}, ("bad_time", "/released_at")),
        ({"released_at": 5}, ("wrong_type", "/released_at")),
        ({"transaction_id": "x" * 3000}, ("too_long", "/transaction_id")),
        ({"transaction_id": ["t"]}, ("wrong_type", "/transaction_id")),
        ({"refunds": [None, 7]}, ("wrong_type", "/refunds/1")),
        ({"refunds": [{"refund_amount": {"amount": []}}]}, ("wrong_type", "/refunds/0/refund_amount/amount")),
        ({"refunds": [{"refund_time": "1-1-1"}]}, ("bad_time", "/refunds/0/refund_time")),
        ({"tracking_information": [{}] * 60}, ("too_many", "/tracking_information")),
        (
            {"fulfillment_requirements": {"expected_ship_time": "0001-01-01T00:00:00Z"}},
            ("bad_time", "/fulfillment_requirements/expected_ship_time"),
        ),
    ],
)
def test_what_does_not_decide_is_left_out_and_noted(changes, noted):
    order = read(an_order(**changes))
    assert notes(order) == [noted]
    assert order.content.lines == read(an_order()).content.lines


def test_an_order_as_it_should_be_has_no_notes():
    assert notes(read(an_order(unknown={"any": ["thing"]}))) == []


@pytest.mark.parametrize("quantity", ['"2"', "2.0", "2", '"2.0"'])
def test_the_text_of_a_number_is_a_number(quantity: str):
    text = json.dumps(an_order()).replace('"product_quantity": 2', f'"product_quantity": {quantity}')
    order = read(text.encode())
    assert order.content.lines[0].quantity == 2
    assert notes(order) == []


def test_a_number_where_there_should_be_text_is_its_text():
    order = read(an_order(product_information={"sku": 412, "name": 7, "size": 40.5}))
    (line,) = order.content.lines
    assert (line.sku, line.title, line.options) == ("412", "7", {"size": "40.5"})
    assert notes(order) == []


def test_text_for_people_is_cut_where_it_is_too_long_and_an_id_is_not():
    order = read(an_order(product_information={"sku": "s", "name": "é" * 20_000, "color": "x" * 1001}))
    (line,) = order.content.lines
    assert line.title == "é" * 10_000
    assert line.options == {"color": "x" * 1000}
    assert notes(order) == [
        ("too_long", "/product_information/name"),
        ("too_long", "/product_information/color"),
    ]


def test_the_rest_of_an_address_stands_when_a_part_of_it_does_not_fit():
    detail = {"name": "Ada", "city": ["Town"], "zipcode": 412, "phone_number": "555"}
    order = read(an_order(full_address={"shipping_detail": detail}))
    assert order.address is not None
    assert (order.address.name, order.address.city, order.address.postcode) == ("Ada", None, "412")
    assert notes(order) == [
        ("wrong_type", "/full_address/shipping_detail/city"),
        ("wrong_type", "/full_address/shipping_detail/phone_number"),
    ]


def test_of_an_order_that_is_all_wrong_a_few_notes_are_kept():
    order = read(an_order(refunds=[5] * 50, tracking_information=[5] * 50))
    assert len(order.content.notes) == 20
    assert order.content.notes[0] == Note(Flaw.WRONG_TYPE, "/tracking_information/0")


def test_the_last_of_two_members_of_one_name_counts_on_either_way_of_reading():
    once, twice = an_order(), json.dumps(an_order())
    for odd in ("", ', "released_at": ""'):
        order = read((twice[:-1] + ', "state": "SHIPPED"' + odd + "}").encode())
        assert order.state_raw == "SHIPPED"
    assert read(once).state_raw == "APPROVED"


@pytest.mark.parametrize(
    ("tax", "reason"),
    [
        ("[" * 600 + "]" * 600, "too_deep"),
        ('{"a":' * 40 + "1" + "}" * 40, "too_deep"),
        ('{"vat": ' + "9" * 5000 + "}", "out_of_range"),
        ('{"vat": ' + "9" * 40 + "}", "bad_amount"),
        ('{"vat": 1e100000000}', "bad_amount"),
        ('{"vat": -1E-0100}', "bad_amount"),
        ('{"vat": [0.' + "1" * 50 + "]}", "bad_amount"),
    ],
)
def test_tax_information_that_nobody_could_read_again_holds_the_order(tax: str, reason: str):
    text = json.dumps(an_order(tax_information="here")).replace('"here"', tax)
    order = read_order(text.encode(), None)
    assert isinstance(order, UnreadableOrder)
    assert (order.reason, order.pointer) == (reason, "/tax_information")


@pytest.mark.parametrize(
    "tax",
    [
        '{"a":' * 30 + "1" + "}" * 30,
        '{"vat": 1.5e10, "rate": 0.' + "1" * 25 + "}",
        '{"number": "' + "9" * 60 + '", "id": "12e000"}',
        "[" + ",".join(['{"amount":1,"currency_code":"EUR"}'] * 40) + "]",
    ],
)
def test_tax_information_of_a_usual_size_is_kept_letter_by_letter(tax: str):
    text = json.dumps(an_order(tax_information="here")).replace('"here"', tax)
    assert read(text.encode()).tax == tax.encode()


@pytest.mark.parametrize("depth", [1000, 5000, 100_000])
def test_an_order_nested_without_end_is_held_and_says_which_it_is(depth: int):
    text = json.dumps(an_order(7, new="here")).replace('"here"', "[" * depth + "]" * depth)
    order = read_order(text.encode(), None)
    assert isinstance(order, UnreadableOrder)
    assert (order.reason, order.channel_order_id) == ("too_deep", f"{7:024x}")
    assert order.updated_at == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_of_an_order_too_large_to_be_looked_into_the_beginning_is_kept():
    text = json.dumps(an_order(7, note="x" * 5_000_000)).encode()
    order = read_order(text, None)
    assert isinstance(order, UnreadableOrder)
    assert (order.reason, order.channel_order_id) == ("too_large", f"{7:024x}")
    assert text.startswith(order.raw)
    assert len(order.raw) < 300_000
    again = read_order(order.raw, None)
    assert isinstance(again, UnreadableOrder)
    assert again == order


def test_half_of_a_surrogate_pair_is_replaced_on_either_way_of_reading():
    for released_at in (None, ""):
        product = {"sku": "s", "name": "a\ud800b"}
        text = json.dumps(an_order(product_information=product, released_at=released_at))
        order = read(text.encode())
        assert order.content.lines[0].title == "a\ufffdb"
        assert order.sanitised
