"""A reply taken apart without being understood, so that one bad row takes no other along.

The decoder reads a reply in one go, but stops at the first thing it does not take: nesting beyond its depth, half
of a surrogate pair. What it stops at is found by brackets, commas and quotes alone, however deep.
"""

import re
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from channel_sync.channels.wish.caps import MOST_ROWS
from channel_sync.domain.errors import ReplyNotUnderstood

# Each element the decoder makes takes some 60 bytes. Ten thousand orders have fewer members than this.
_MOST_COMMAS_AT_ONCE = 500_000
# A string, a container without others in it, brackets, a comma.
_TOKEN = re.compile(rb'"[^"]*+"|[\[{](?:[^\[\]{}"]++|"[^"]*+")*+[\]}]|[\[{]+|[\]}]+|,')
# A second's work. What is made of more is made to be work.
_MOST_TOKENS = 2_000_000
_COMMA = ord(",")
_OPENING, _CLOSING = b"[{", b"]}"
_WHITE = b" \t\r\n"
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_NAME = re.compile(rb'\s*("(?:[^"\\]|\\.){0,100}")\s*:')

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


def loose_member(row: bytes, name: str, decoder: msgspec.json.Decoder[T]) -> T | None:
    """A member of an object that no decoder may take as a whole; None where there is none of that kind."""
    try:
        return decoder.decode(members_of(row)[name])
    except (KeyError, ValueError, RecursionError):
        return None


def is_whole(text: bytes) -> bool:
    """Whether the text is one object whose brackets and quotes match."""
    try:
        members_of(text)
    except ValueError:
        return False
    return True


def _decoded(array: Text) -> list[bytes]:
    text = bytes(array)
    if is_usual(text):
        try:
            return [bytes(row) for row in _ROWS.decode(text)]
        except msgspec.ValidationError:
            raise
        except (ValueError, RecursionError):
            pass
    if not text.lstrip(_WHITE).startswith(b"["):
        raise msgspec.ValidationError
    rows = []
    for row in _parts(text):
        rows.append(row)
        if len(rows) > MOST_ROWS:
            break
    return rows


def members_of(text: bytes) -> dict[str, bytes]:
    """The members of a JSON object whose names have up to a hundred characters; `Malformed` if it is none."""
    if not text.lstrip(_WHITE).startswith(b"{"):
        raise Malformed
    members = {}
    for part in _parts(text):
        name = _NAME.match(part)
        if name is None:
            raise Malformed
        members[msgspec.json.decode(name[1], type=str)] = part[name.end() :].strip(_WHITE)
    return members


def _parts(text: bytes) -> Iterator[bytes]:
    """What stands between the commas of the array or object that the text is."""
    # As long as the text, so that places are the same, and every quote left begins or ends a string.
    plain = text.replace(rb"\\", b"__").replace(rb"\"", b"__")
    start = len(plain) - len(plain.lstrip(_WHITE)) + 1
    depth = 1
    for count, token in enumerate(_TOKEN.finditer(plain, start)):
        first, last = plain[token.start()], plain[token.end() - 1]
        if count > _MOST_TOKENS:
            raise Malformed
        if first == _COMMA:
            if depth == 1:
                yield text[start : token.start()].strip(_WHITE)
                start = token.end()
        elif first in _OPENING and last in _OPENING:
            depth += len(token[0])
        elif first in _CLOSING:
            depth -= len(token[0])
            if depth <= 0:
                break
    if depth != 0 or plain.count(b'"') % 2 or plain[token.end() :].strip(_WHITE):
        raise Malformed
    if end := text[start : token.end() - 1].strip(_WHITE):
        yield end
