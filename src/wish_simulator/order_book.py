"""The orders of one shop: each kept as finished JSON, sorted by (updated_at, arrival).

Lists are joined from those bytes, so a page of 500 costs no encoding; a change decodes and encodes one order.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from wish_simulator.documents import Document, from_bytes, to_bytes

NEVER = 2**62


@dataclass(slots=True)
class OrderRow:
    id: str
    arrival: int
    state: str
    types: tuple[str, ...]
    updated_ms: int
    released_ms: int | None
    content: bytes

    def document(self) -> Document:
        document: Document = from_bytes(self.content)
        return document


@dataclass(frozen=True)
class OrderQuery:
    """A window in milliseconds, both ends included, and filters; None filters nothing."""

    limit: int = 50
    states: frozenset[str] | None = None
    order_type: str | None = None
    updated: tuple[int, int] = (0, NEVER)
    released: tuple[int, int] | None = None
    sort_by: Literal["updated_at", "released_at"] = "updated_at"
    is_descending: bool = True

    def matches(self, row: OrderRow) -> bool:
        if self.states is not None and row.state not in self.states:
            return False
        if self.order_type is not None and self.order_type not in row.types:
            return False
        if self.released is None:
            return True
        first, last = self.released
        return row.released_ms is not None and first <= row.released_ms <= last


Key = tuple[int, int, OrderRow]


class OrderBook:
    def __init__(self) -> None:
        self._rows: dict[str, OrderRow] = {}
        self._by_update: list[Key] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[OrderRow]:
        return iter(self._rows.values())

    def find(self, order_id: str) -> OrderRow | None:
        return self._rows.get(order_id)

    def add(self, rows: Iterable[OrderRow]) -> None:
        """Adds many at once: one sort of a nearly sorted list."""
        added = list(rows)
        self._rows.update((row.id, row) for row in added)
        self._by_update.extend(_key(row) for row in added)
        self._by_update.sort(key=_place)

    def replace(self, row: OrderRow, document: Document, updated_ms: int, released_ms: int | None) -> None:
        """Stores a changed order under its new time; its place among equal times stays that of its arrival."""
        del self._by_update[bisect_left(self._by_update, _place(_key(row)), key=_place)]
        row.state = str(document.get("state"))
        row.types = tuple(document.get("fulfillment_order_types") or ())
        row.updated_ms = updated_ms
        row.released_ms = released_ms
        row.content = to_bytes(document)
        insort(self._by_update, _key(row), key=_place)

    def page(self, query: OrderQuery) -> list[OrderRow]:
        page = []
        for row in self._candidates(query):
            if query.matches(row):
                page.append(row)
                if len(page) == query.limit:
                    break
        return page

    def _candidates(self, query: OrderQuery) -> Iterable[OrderRow]:
        first, last = query.updated
        start = bisect_left(self._by_update, (first, -1), key=_place)
        end = bisect_right(self._by_update, (last, NEVER), key=_place)
        if query.sort_by == "released_at":
            rows = [row for _, _, row in self._by_update[start:end]]
            return sorted(rows, key=_release_place, reverse=query.is_descending)
        places = range(end - 1, start - 1, -1) if query.is_descending else range(start, end)
        return (self._by_update[place][2] for place in places)


def _key(row: OrderRow) -> Key:
    return row.updated_ms, row.arrival, row


def _place(key: Key) -> tuple[int, int]:
    return key[0], key[1]


def _release_place(row: OrderRow) -> tuple[int, int]:
    """Orders never released sort before all others."""
    return -1 if row.released_ms is None else row.released_ms, row.arrival
