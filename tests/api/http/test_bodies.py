import asyncio
from typing import Any

import pytest

from channel_sync.api.http import strict_json
from channel_sync.api.http.json_pieces import parse_in_pieces
from channel_sync.api.http.problems import HttpProblem
from channel_sync.api.http.strict_json import MAX_DEPTH

MANY = 8192


def refusal(body: bytes) -> tuple[int, str]:
    """The same whether it is read at once or in pieces."""
    with pytest.raises(HttpProblem) as refused:
        strict_json.parse(body, MANY)
    with pytest.raises(HttpProblem) as refused_in_pieces:
        asyncio.run(parse_in_pieces(body, MANY))
    assert refused.value.code == refused_in_pieces.value.code
    return refused.value.status_code, refused.value.code


def parse(body: bytes) -> Any:
    """The same whether it is read at once or in pieces."""
    at_once = strict_json.parse(body, MANY)
    assert asyncio.run(parse_in_pieces(body, MANY)) == at_once
    return at_once


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_plain_json_is_read():
    assert parse('{"a": [1, 2.5, "ä", null, true]}'.encode()) == {"a": [1, 2.5, "ä", None, True]}


@pytest.mark.parametrize("body", [b"{", b"", b"\x00", b'{"a": "\x01"}', b"{'a': 1}", b'{"a": 1}x'])
def test_broken_json_is_400(body):
    assert refusal(body) == (400, "malformed_json")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_not_json_are_400(text):
    assert refusal(f'{{"a": {text}}}'.encode()) == (400, "malformed_json")


def test_a_float_beyond_all_floats_is_400():
    assert refusal(b'{"a": 1e999}') == (400, "number_out_of_range")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5.0", 5),
        ("5.000000", 5),
        ("5e0", 5),
        ("50e-1", 5),
        ("-0.0", 0),
        ("9007199254740993.0", 2**53 + 1),
        ("9223372036854775807.0", 2**63 - 1),
    ],
)
def test_a_whole_number_is_an_integer_however_it_is_written(text, number):
    (found,) = parse(f"[{text}]".encode())
    assert (found, type(found)) == (number, int)


@pytest.mark.parametrize("text", ["5.5", "4.999999999999999999", "1e300", "5." + "0" * 100_000])
def test_any_other_number_stays_a_float(text):
    (found,) = parse(f"[{text}]".encode())
    assert type(found) is float


@pytest.mark.parametrize("digits", [21, 5000])
def test_an_integer_with_too_many_digits_is_422(digits):
    assert refusal(b"[" + b"9" * digits + b"]") == (422, "number_out_of_range")


def test_a_member_that_stands_twice_is_400():
    assert refusal(b'{"a": 1, "b": {"c": 1, "c": 1}}') == (400, "duplicate_member")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_another_encoding_is_400(encoding):
    assert refusal('{"a": "ä"}'.encode(encoding))[0] == 400


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\uDFFF", "a\\uD83Db"])
def test_nul_and_half_surrogates_are_422(escape):
    assert refusal(f'[{{"a": ["{escape}"]}}]'.encode()) == (422, "invalid_character")
    assert refusal(f'{{"{escape}": 1}}'.encode()) == (422, "invalid_character")


def test_a_whole_surrogate_pair_and_an_escaped_backslash_are_fine():
    assert parse(b'["\\ud83d\\ude00", "\\\\u0000"]') == ["😀", "\\u0000"]


def test_the_deepest_allowed_body_is_read():
    assert parse(nested(MAX_DEPTH)) is not None


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 100_000])
def test_deeper_bodies_are_400(depth):
    assert refusal(nested(depth)) == (400, "too_deep")


def test_many_siblings_are_not_deep():
    assert len(parse(b"[" + b",".join([b"[]"] * 1000) + b"]")) == 1000


@pytest.mark.parametrize("name", [" " + "n" * 200, "n" * 200 + "\t", " " * 201])
async def test_a_text_is_no_longer_than_the_contract_says_with_the_blanks_around_it(admin, name):
    answer = await admin.post("/integrations", json={"channel": "wish", "name": name})

    assert answer.status_code == 422
    assert ("/name", "string_too_long") in [(one["pointer"], one["code"]) for one in answer.json()["errors"]]
