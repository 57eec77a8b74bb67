"""Large JSON read a part at a time, so that others get their turn in between.

An event loop that parses 8 MB in one call stands still for a tenth of a second, in a thread as well: the call does
not let go of the interpreter. So the object and its lists are taken apart here, and parsed at once is a member, or
some items of a list. One that is larger than any of ours is refused.
"""

import asyncio
import codecs
import json
import re
from typing import Any

from channel_sync.api.http.problems import HttpProblem, malformed
from channel_sync.api.http.strict_json import (
    DECODER,
    MAX_DEPTH,
    MAX_MEMBERS,
    broken,
    check,
    duplicate,
    not_utf8,
    too_deep,
    too_many_members,
)

PIECE = 64 * 1024
# Of a member or an item, in characters.
MAX_PART = 64 * 1024
# What is parsed before others get their turn: characters of a list, or members and items one by one.
_A_TURN = 32 * 1024
_PARTS_A_TURN = 500
_NO_SPACE = re.compile(r"[^ \t\n\r]")
_decoder = codecs.getincrementaldecoder("utf-8")


async def parse_in_pieces(body: bytes, max_nodes: int) -> Any:
    """The JSON value of a body, as of `parse`, and the same refusals; and one of what is larger than a part."""
    return await _Pieces(body, max_nodes).value()


class _Pieces:
    """A body on its way through the parser: the text at hand, and how far it is read."""

    def __init__(self, body: bytes, max_nodes: int) -> None:
        self._body = memoryview(body)
        self._decoder = _decoder()
        # What is at hand, how far it is read, and how much was dropped before it.
        self._text, self._at, self._dropped = "", 0, 0
        self._one_by_one_until = 0
        self._nodes_left = max_nodes
        self._parts = 0

    async def value(self) -> Any:
        """The value that the body is."""
        value = await self._object() if await self._next() == "{" else await self._part(MAX_DEPTH)
        if await self._next():
            raise broken()
        return value

    async def _object(self) -> dict[str, Any]:
        self._at += 1
        members: dict[str, Any] = {}
        more = await self._next() != "}"
        while more:
            if await self._next() != '"':
                raise broken()
            name = await self._part(0)
            if name in members:
                raise duplicate()
            if len(members) == MAX_MEMBERS:
                raise too_many_members()
            await self._take(":")
            members[name] = await self._list() if await self._next() == "[" else await self._part(MAX_DEPTH - 1)
            more = await self._goes_on("}")
        await self._take("}")
        return members

    async def _list(self) -> list[Any]:
        self._at += 1
        items: list[Any] = []
        more = await self._next() != "]"
        while more:
            await self._next()
            items += await self._some() or [await self._part(MAX_DEPTH - 2)]
            more = await self._goes_on("]")
        await self._take("]")
        return items

    async def _some(self) -> list[Any]:
        """The items at hand; none where it cannot be seen where the last of them ends.

        A bracket before a comma may stand in a text or deep inside an item. Then what comes before it is no list.
        """
        if self._dropped + self._at < self._one_by_one_until:
            return []
        if len(self._text) - self._at < _A_TURN:
            await self._read_on()
        until = min(self._at + _A_TURN, len(self._text))
        end = max(self._text.rfind("},", self._at, until), self._text.rfind("],", self._at, until)) + 1
        items = self._text[self._at : end]
        try:
            found: list[Any] = DECODER.decode(f"[{items}]")
        except json.JSONDecodeError:
            found = []
        except RecursionError as error:
            raise too_deep() from error
        if not found:
            self._one_by_one_until = self._dropped + (end or until)
            return found
        self._nodes_left -= check(found, items, MAX_DEPTH - 1, self._nodes_left)
        self._at = end
        await asyncio.sleep(0)
        return found

    async def _goes_on(self, end: str) -> bool:
        """Whether a comma follows, not the end; it is taken."""
        if await self._next() == end:
            return False
        await self._take(",")
        return True

    async def _take(self, character: str) -> None:
        if await self._next() != character:
            raise broken()
        self._at += 1

    async def _next(self) -> str:
        """The next character that is no space; nothing at the end."""
        while True:
            found = _NO_SPACE.search(self._text, self._at)
            if found is not None:
                self._at = found.start()
                return found[0]
            self._at = len(self._text)
            if not await self._read_on():
                return ""

    async def _part(self, depth: int) -> Any:
        """The value that begins here, which may be nested so deep."""
        await self._give_turns()
        while True:
            found = self._scanned()
            if found is not None:
                value, end = found
                # A number that ends with the text at hand may go on.
                if end < len(self._text) or not self._body:
                    break
            if len(self._text) - self._at > MAX_PART:
                raise _too_large()
            if not await self._read_on():
                raise broken()
        self._nodes_left -= check(value, self._text[self._at : end], depth, self._nodes_left)
        self._at = end
        return value

    def _scanned(self) -> tuple[Any, int] | None:
        try:
            return DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError:
            return None
        except RecursionError as error:
            raise too_deep() from error

    async def _read_on(self) -> bool:
        """Have more text at hand, if there is more."""
        if not self._body:
            return False
        await asyncio.sleep(0)
        piece, self._body = self._body[:PIECE], self._body[PIECE:]
        try:
            more = self._decoder.decode(piece, not self._body)
        except UnicodeDecodeError as error:
            raise not_utf8() from error
        self._dropped += self._at
        self._text, self._at = self._text[self._at :] + more, 0
        return True

    async def _give_turns(self) -> None:
        self._parts += 1
        if self._parts % _PARTS_A_TURN == 0:
            await asyncio.sleep(0)


def _too_large() -> HttpProblem:
    return malformed("value_too_large", f"A member or an item has more than {MAX_PART} characters.")
