import json
from time import process_time

import pytest

from channel_sync.channels.wish.plain_text import clean, is_sanitised


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (rb'"a\u0000b"', "a�b"),
        (rb'"\ud800"', "�"),
        (rb'"\uDC00\ud83d"', "��"),
        (rb'"\ud83d\ud83d\ude00"', "�😀"),
        (b'"\xff"', "�"),
        (rb'"\\\u0000"', "\\�"),
    ],
)
def test_what_cannot_be_stored_becomes_a_replacement_character(text, read):
    cleaned = clean(text)
    assert json.loads(cleaned) == read
    assert is_sanitised(cleaned, text)


@pytest.mark.parametrize(
    "text", [b'"plain"', '"é 😀"'.encode(), rb'"\ud83d\ude00"', rb'"\\u0000"', rb'"\\ud800"', rb'"a\/b\"c"']
)
def test_text_that_can_be_stored_stays_as_it_is(text):
    assert clean(text) == text
    assert not is_sanitised(clean(text), text)


@pytest.mark.parametrize(
    "escape", [rb"\u0000", rb"\ud800", rb"\ud83d\ude00", rb"\u0041", rb"\\\u0000", b"\xff"], ids=repr
)
def test_a_megabyte_of_escapes_takes_no_longer_than_its_length(escape: bytes):
    def seconds(size: int) -> float:
        text = b'"' + escape * (size // len(escape)) + b'"'
        started = process_time()
        clean(text)
        return process_time() - started

    assert min(seconds(1_000_000) for _ in range(3)) < 0.2


def test_more_halves_of_pairs_than_any_text_has_are_left_to_the_decoder():
    text = b'"' + rb"\ud800" * 30_000 + b'"'
    assert clean(text) == text
