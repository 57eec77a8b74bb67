import json

import pytest

from channel_sync.api.tax_view import tax_view


def test_an_amount_is_exact_text_beside_its_currency():
    kept = b'{"vat":{"amount":20.10,"currency_code":"GBP"},"paid":[{"amount":5,"currency_code":"JPY"}]}'
    assert tax_view(kept) == {
        "vat": {"amount": "20.10", "currency": "GBP"},
        "paid": [{"amount": "5", "currency": "JPY"}],
    }


def test_an_exponent_is_written_out():
    assert tax_view(b'{"vat":{"amount":1e2,"currency_code":"EUR"}}')["vat"]["amount"] == "100"


def test_other_members_stay_as_the_marketplace_wrote_them():
    kept = b'{"weight":{"unit":"KG","value":0.35},"number":"12","none":null,"amount":3}'
    assert tax_view(kept) == {
        "weight": {"unit": "KG", "value": 0.35},
        "number": "12",
        "none": None,
        "amount": 3,
    }


@pytest.mark.parametrize("depth", [39, 600, 950, 5000])
def test_what_is_nested_without_end_is_shown_as_far_as_it_can_be_read(depth: int):
    view = tax_view(b'{"a":' + b"[" * depth + b"1" + b"]" * depth + b"}")
    assert len(json.dumps(view)) < 200


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (b"1e100000000", "1E+100000000"),
        (b"-1e-100000000", "-1E-100000000"),
        (b"1e400", "1E+400"),
        (b"9" * 5000, "9" * 5000),
        (b"1" * 5000 + b".5", "1" * 5000 + ".5"),
    ],
)
def test_a_number_beyond_all_numbers_is_text_and_not_written_out(number: bytes, shown: str):
    view = tax_view(b'{"rate":%b,"vat":{"amount":%b,"currency_code":"EUR"}}' % (number, number))
    assert view["rate"] == shown
    assert len(json.dumps(view)) < 2 * len(number) + 200
    assert json.loads(json.dumps(view, allow_nan=False)) == view


@pytest.mark.parametrize("kept", [b"", b"{", b"\xff", b'{"a":"' + b"x" * 1_000_000 + b'"}'])
def test_what_cannot_be_read_is_nothing(kept: bytes):
    assert tax_view(kept) == {"value": None}
