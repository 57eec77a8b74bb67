"""A reply taken apart without being understood, so that one bad row takes no other along.

The decoder reads a reply in one go, but stops at the first thing it does not take: nesting beyond its depth, half
of a surrogate pair. What it stops at is found by brackets, commas and quotes alone, however deep.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TypeVar

import msgspec

from channel_sync.channels.wish.caps import MOST_REPLY_BYTES, MOST_ROWS
from channel_sync.domain.errors import ReplyNotUnderstood

# Each element the decoder makes takes some 60 bytes. Ten thousand orders have fewer members than this.
_MOST_COMMAS_AT_ONCE = 500_000
# A string, a container without others in it, brackets, a comma, and what lies between: a number may have a million
# digits, and there may be as much white space. The interpreter stands still while one of them is passed over, so
# none is longer than some milliseconds' work.
_TOKEN = re.compile(
    rb'"[^"]*+"'
    rb'|[\[{](?:[^\[\]{}"]{1,1000}+|"[^"]*+"){0,1000}+[\]}]'
    rb'|[\[{]+|[\]}]+|,|[^\[\]{}",]{2,500000}+'
)
# A second's work. What is made of more is made to be work.
_MOST_TOKENS = 2_000_000
# Some thirty milliseconds' work. An order has a few hundred, a product with 400 variations some twenty thousand.
_MOST_TOKENS_OF_A_ROW = 50_000
_MOST_MEMBERS = 1000
_COMMA = ord(",")
_OPENING, _CLOSING = b"[{", b"]}"
_WHITE = b" \t\r\n"
_PADDING = re.compile(rb"[ \t\r\n]{0,100000}+")
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_NAME = re.compile(rb'\s{0,1000}+("(?:[^"\\]|\\.){0,100}")\s{0,1000}+:\s{0,1000}+')

Text = bytes | bytearray | memoryview | msgspec.Raw
T = TypeVar("T")


class Malformed(ValueError):
    """The brackets or quotes do not match, so nobody knows where a part ends."""


def rows_of(array: Text, request_id: str | None = None) -> list[bytes]:
    """The elements of a JSON array, each as it stands there; ReplyNotUnderstood when it is none.

    An element may be anything, even what no decoder takes. Large ones that are made to be work take a second: not
    to be done on the event loop.
    """
    try:
        rows = _decoded(array)
        if len(rows) <= MOST_ROWS:
            return rows
    except msgspec.ValidationError:
        raise ReplyNotUnderstood("unexpected_shape", "The reply is no list.", request_id) from None
    except Malformed:
        raise ReplyNotUnderstood("not_json", "The reply is not JSON.", request_id) from None
    raise ReplyNotUnderstood("too_many_rows", f"The reply has more than {MOST_ROWS} rows.", request_id)


def is_usual(page: Text) -> bool:
    """Whether the page has no more members than a decoder is to make values of at once."""
    return bytes(page).count(b",") <= _MOST_COMMAS_AT_ONCE


def loose_members(row: bytes) -> dict[str, bytes]:
    """The members of an object that no decoder may take as a whole; none of one that is made to be work."""
    try:
        return members_of(row, _MOST_TOKENS_OF_A_ROW)
    except ValueError:
        return {}


def loose_value(members: Mapping[str, bytes], name: str, decoder: msgspec.json.Decoder[T]) -> T | None:
    """What one of them says; None where there is none of that kind."""
    try:
        return decoder.decode(members[name])
    except (KeyError, ValueError, RecursionError):
        return None


def is_whole(text: bytes) -> bool:
    """Whether the text is one object whose brackets and quotes match."""
    try:
        for _ in _parts(text):
            pass
    except Malformed:
        return False
    return text.startswith(b"{", _beginning(text))


def _decoded(array: Text) -> list[bytes]:
    # A bytearray would be copied by every step that leaves bytes as they are.
    text = bytes(array)
    if is_usual(text):
        try:
            # A row larger than any may be is cut there, for its reader to refuse.
            return [bytes(memoryview(row)[: MOST_REPLY_BYTES + 1]) for row in _ROWS.decode(text)]
        except msgspec.ValidationError:
            raise
        except (ValueError, RecursionError):
            pass
    if not text.startswith(b"[", _beginning(text)):
        raise msgspec.ValidationError
    view = memoryview(text)
    parts = islice(_parts(text), MOST_ROWS + 1)
    return [bytes(view[start : min(end, start + MOST_REPLY_BYTES + 1)]).strip(_WHITE) for start, end in parts]


def members_of(text: bytes | bytearray, most_tokens: int = _MOST_TOKENS) -> dict[str, bytes]:
    """The members of a JSON object: a thousand, with names of a hundred characters; `Malformed` if it is none."""
    text = bytes(text)
    if not text.startswith(b"{", _beginning(text)):
        raise Malformed
    members, view = {}, memoryview(text)
    for count, (start, end) in enumerate(_parts(text, most_tokens)):
        name = _NAME.match(text, start, end)
        if name is None or count == _MOST_MEMBERS:
            raise Malformed
        members[msgspec.json.decode(name[1], type=str)] = bytes(view[name.end() : end]).rstrip(_WHITE)
    return members


def _parts(text: bytes, most_tokens: int = _MOST_TOKENS) -> Iterator[tuple[int, int]]:
    """Where what stands between the commas of the array or object that the text is begins and ends."""
    # As long as the text, so that places are the same, and every quote left begins or ends a string.
    plain = text.replace(rb"\\", b"__").replace(rb"\"", b"__")
    if plain.count(b'"') % 2:
        raise Malformed
    start = _beginning(plain) + 1
    depth = 1
    for count, token in enumerate(_TOKEN.finditer(plain, start)):
        first, last = plain[token.start()], plain[token.end() - 1]
        if count > most_tokens:
            raise Malformed
        if first == _COMMA:
            if depth == 1:
                yield start, token.start()
                start = token.end()
        elif first in _OPENING and last in _OPENING:
            depth += len(token[0])
        elif first in _CLOSING:
            depth -= len(token[0])
            if depth <= 0:
                break
    if depth != 0 or not _is_blank(plain[token.end() :]):
        raise Malformed
    if not _is_blank(plain[start : token.end() - 1]):
        yield start, token.end() - 1


def _is_blank(text: bytes) -> bool:
    return not text or text.isspace()


def _beginning(text: bytes) -> int:
    """Where the text begins after white space, of which there is little in what anybody means."""
    padding = _PADDING.match(text)
    return padding.end() if padding else 0
