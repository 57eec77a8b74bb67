"""Replies taken apart: a row that no decoder takes stands alone."""

from contextlib import suppress
from time import process_time

import pytest

from channel_sync.channels.wish.rows import Malformed, members_of, rows_of
from channel_sync.domain.errors import ReplyNotUnderstood

DEEP = b'{"id":"deep","updated_at":"2026-11-20T10:00:00Z","x":' + b"[" * 5000 + b"]" * 5000 + b"}"
HALF = rb'{"id":"half","name":"\ud800"}'
BROKEN = rb'{"id":"broken","name":"\q"}'
FINE = b'{"id":"fine","text":"a \\"quoted\\" [bracket], and {more\\\\"}'


@pytest.mark.parametrize("odd", [DEEP, HALF, BROKEN, b"[0,[1,[2]]]", b'"a,b"', b"null", b"nonsense"])
def test_every_row_is_as_it_stands_there_whatever_is_beside_it(odd: bytes):
    assert rows_of(b"[" + b" , ".join((FINE, odd, FINE)) + b"]\n") == [FINE, odd, FINE]


@pytest.mark.parametrize("array", [b"[]", b" [ ] "])
def test_an_empty_list_has_no_rows(array: bytes):
    assert rows_of(array) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *[(text, "unexpected_shape") for text in (b"{}", b"null", b"5", b'"x"')],
        *[(text, "not_json") for text in (b"[", b"[1", b"[1]]", b"[1],2", b'["a]', b"[]x", b"[{]", b'[1]"')],
        (b"[" + b"0," * 20_000 + b"0]", "too_many_rows"),
        (b"[" + b"0," * 5_000_000 + b"0]", "too_many_rows"),
    ],
)
def test_what_is_no_list_that_was_asked_for_says_so(text: bytes, code: str):
    with pytest.raises(ReplyNotUnderstood) as raised:
        rows_of(text)
    assert raised.value.code == code


def test_members_are_found_without_being_read():
    text = b'{ "code" : 0,"data":' + DEEP + rb',"message":"\ud800", "a\u0062": [1, 2] }'
    assert members_of(text) == {"code": b"0", "data": DEEP, "message": rb'"\ud800"', "ab": b"[1, 2]"}


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"a"}', b'{"a":1', b'{"a":[}', b"{a:1}", b'{"a":1}}'])
def test_what_is_no_object_is_malformed(text: bytes):
    with pytest.raises(Malformed):
        members_of(text)


def test_an_object_of_more_members_than_any_has_is_malformed():
    with pytest.raises(Malformed):
        members_of(b"{" + b'"a":0,' * 1000 + b'"a":0}')


def test_what_lies_between_brackets_is_passed_over_in_one_go():
    started = process_time()
    with pytest.raises(Malformed):
        members_of(b'{"a":' + b"1" * 15_000_000)
    assert rows_of(b"[" + b"1" * 15_000_000 + b"," + DEEP + b"]")[1] == DEEP
    assert process_time() - started < 1


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" + b"[0," * 4_000_000 + b"0" + b"]" * 4_000_000 + b"]",
        b"[[" + b"0," * 7_000_000 + b"0],1]",
        b"[" + b"[" * 7_000_000 + b"]" * 7_000_000 + b"]",
        b'["' + rb"\ud800" * 2_500_000 + b'"]',
        b"[" + b"[[0]," * 3_000_000 + b"0]",
    ],
    ids=["stairs", "zeros", "brackets", "halves", "unclosed"],
)
def test_what_is_made_to_be_work_is_bounded_work(hostile: bytes):
    started = process_time()
    with suppress(ReplyNotUnderstood):
        assert len(rows_of(hostile)) <= 2
    assert process_time() - started < 8
