import json

import pytest

from channel_sync.channels.wish.plain_text import clean, is_sanitised, without_lone_surrogates


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


def test_a_whole_reply_only_loses_what_no_reader_takes():
    assert without_lone_surrogates(rb'["\u0000", "\ud800"]') == rb'["\u0000", "\ufffd"]'
