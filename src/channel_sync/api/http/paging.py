"""Cursor in, page out; one shape for every list.

A cursor is opaque to callers: the key of the last row seen, and a mark that ties it to the tenant, the list and
its filters, so that a cursor of another list, other filters or another tenant is refused.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated

import msgspec
from fastapi import Query
from pydantic import BaseModel, Field

from channel_sync.api.http.fields import DESCRIBED, MAX_INTEGER
from channel_sync.api.http.problems import HttpProblem
from channel_sync.persistence.sql.paging import PageRequest

Key = tuple[str | int, ...]


class PageQuery(BaseModel):
    """The query of a list; a list with filters adds them."""

    model_config = DESCRIBED

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """How many items a page has at most."""
    cursor: Annotated[str | None, Field(max_length=2048)] = None
    """`next_cursor` of the page before; leave it out to start."""

    def filters(self) -> dict[str, object]:
        """What the list was narrowed to: all of the query but where in it the caller is."""
        return self.model_dump(exclude={"limit", "cursor"})


Paging = Annotated[PageQuery, Query()]


@dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of one list as one tenant asks for it. `shape` is the types of the key of a row."""

    name: str
    tenant: str
    filters: Mapping[str, object]
    shape: tuple[type, ...]

    def request(self, asked: PageQuery) -> PageRequest:
        """What to ask the store for."""
        return PageRequest(asked.limit, None if asked.cursor is None else self._read(asked.cursor))

    def write(self, key: Key | None) -> str | None:
        """The cursor that goes on behind the row with this key."""
        if key is None:
            return None
        return base64.urlsafe_b64encode(msgspec.json.encode([self._mark(), *key])).rstrip(b"=").decode()

    def _read(self, cursor: str) -> Key:
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            mark, *key = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=list[str | int])
        except (msgspec.DecodeError, binascii.Error, ValueError) as error:
            raise _invalid() from error
        if mark != self._mark() or not self._fits(key):
            raise _invalid()
        return tuple(key)

    def _fits(self, key: list[str | int]) -> bool:
        return [type(part) for part in key] == [*self.shape] and all(map(_is_sane, key))

    def _mark(self) -> str:
        parts = [self.name, self.tenant, *(f"{name}={value}" for name, value in sorted(self.filters.items()))]
        return blake2b("\x1f".join(parts).encode(), digest_size=9).hexdigest()


def _is_sane(part: str | int) -> bool:
    return "\0" not in part if isinstance(part, str) else 0 <= part <= MAX_INTEGER


def _invalid() -> HttpProblem:
    return HttpProblem(400, "invalid_cursor", "This cursor does not belong to this list.", parameter="cursor")
