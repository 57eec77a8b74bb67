"""Bytes that arrive in pieces, cut into JSON values: those of a file of lines, or the elements of one array."""

import re
from collections.abc import Iterator

from channel_sync.channels.wish.caps import MOST_REPLY_BYTES
from channel_sync.channels.wish.replies import not_understood

# What ends or nests an element: a string, whole or as far as it goes but for half of an escape, brackets, a comma.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|[\[{]++|[\]}]++|,', re.DOTALL)
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)
_QUOTE, _COMMA, _OPENING = ord('"'), ord(","), b"[{"


class LineSplitter:
    """Cuts chunks into lines, or into the elements of the array that a file is which starts with a bracket.

    A value longer than any may be is cut there, for its reader to refuse; those after it are as they were.
    """

    def __init__(self) -> None:
        self._kept = bytearray()
        self._array: _ArraySplitter | None = None
        self._has_begun = self._is_json = False

    def lines(self, chunk: bytes) -> Iterator[bytes]:
        """The values that are complete with this chunk, which is best a small one."""
        if not self._has_begun:
            chunk = self._look_at_the_start(chunk)
        if self._array is not None:
            yield from self._array.elements(chunk)
            return
        self._kept += chunk
        # Only a chunk with a line's end is worth a look: long lines would be searched again and again.
        if b"\n" in chunk:
            *complete, self._kept = self._kept.split(b"\n")
            # A blank line may be in the middle of a value, but of no JSON.
            lines = [line for line in complete if line.strip() or not self._is_json]
            yield from (bytes(line[: MOST_REPLY_BYTES + 1]) for line in lines)
        del self._kept[MOST_REPLY_BYTES + 1 :]

    def rest(self) -> Iterator[bytes]:
        """At the end of a file of lines: the last one, if nothing ended it. An array has to have ended."""
        if self._array is not None:
            self._array.end()
        elif self._kept.strip():
            yield bytes(self._kept)

    def _look_at_the_start(self, chunk: bytes) -> bytes:
        # White space is dropped at once: kept, it would be looked through again with every chunk.
        chunk = chunk.lstrip(b" \t\r\n")
        if chunk:
            self._has_begun, self._is_json = True, chunk[:1] in (b"[", b"{")
            if chunk.startswith(b"["):
                self._array, chunk = _ArraySplitter(), chunk[1:]
        return chunk


class _ArraySplitter:
    """The elements of an array one by one, however long it is: brackets are counted and strings passed over.

    The first bracket is not given to it.
    """

    def __init__(self) -> None:
        self._kept = bytearray()
        self._left_over = b""
        self._depth = 1
        self._in_string = False

    def elements(self, chunk: bytes) -> Iterator[bytes]:
        """The elements that are complete with this chunk."""
        chunk = self._left_over + chunk
        start = end = 0
        if self._in_string:
            end = self._pass_over(_REST_OF_STRING.match(chunk))
        for token in () if self._in_string else _TOKEN.finditer(chunk, end):
            if not self._depth:
                break
            end, ends_at = token.end(), self._take(token)
            if ends_at is not None:
                self._keep(chunk[start:ends_at])
                start = ends_at + 1
                if self._depth or self._kept.strip():
                    yield bytes(self._kept).strip()
                self._kept.clear()
        # Behind a string that goes on there is nothing but the first half of an escape.
        self._left_over = chunk[end:] if self._in_string else b""
        self._keep(chunk[start : end if self._in_string else None])

    def _take(self, token: re.Match[bytes]) -> int | None:
        """Where the element ends that ends with the token."""
        first, length = token[0][0], token.end() - token.start()
        if first == _QUOTE:
            self._pass_over(token)
        elif first == _COMMA:
            return token.start() if self._depth == 1 else None
        elif first in _OPENING:
            self._depth += length
        elif length < self._depth:
            self._depth -= length
        else:
            last, self._depth = token.start() + self._depth - 1, 0
            return last
        return None

    def _pass_over(self, string: re.Match[bytes] | None) -> int:
        self._in_string = string is not None and not string[1]
        return 0 if string is None else string.end()

    def _keep(self, part: bytes) -> None:
        self._kept += part[: MOST_REPLY_BYTES + 1 - len(self._kept)]

    def end(self) -> None:
        """Refuse an array that breaks off, or that something stands behind."""
        if self._depth or self._kept.strip():
            raise not_understood("not_json", "The file is not JSON.")
