"""Orders in CSV, a row each. A column is called as the member of an order, or as the way to it: `a.b` or `a/b`."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import msgspec
from msgspec.inspect import DateTimeType, Metadata, StrType, StructType, Type, UnionType, type_info

from channel_sync.channels.wish.order_shape import WishOrder

_DELIMITERS = (",", ";", "\t")
# Without these a row is no order, and the file another kind of report.
_NEEDED = {("id",), ("updated_at",)}
_MOST_COLUMNS = 1000
_DEEPEST = 10
_WAY = re.compile("[./]")
_RAW = msgspec.json.Decoder(msgspec.Raw)

Way = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsvOrders:
    """A table whose columns, sorted into members, are those of an order: ways in it by column."""

    columns: Sequence[Way]
    delimiter: str

    @classmethod
    def of_header(cls, line: bytes) -> Self | None:
        """The table that the line is the header of; nothing where the line is none."""
        for delimiter in _DELIMITERS:
            names = [name.strip() for name in _cells(line, delimiter) or ()]
            ways = [tuple(_WAY.split(name)) for name in names]
            if len(ways) <= _MOST_COLUMNS and set(ways) >= _NEEDED and _is_tree(ways):
                return cls(ways, delimiter)
        return None

    def text(self, record: bytes) -> bytes:
        """The order of a row as JSON; the row as it is where it is none of this table."""
        cells = _cells(record, self.delimiter)
        if cells is None or len(cells) != len(self.columns):
            return record
        order: dict[str, Any] = {}
        for way, cell in zip(self.columns, cells, strict=True):
            if cell:
                _branch(order, way)[way[-1]] = _value(way, cell)
        return _written(order)


def _cells(record: bytes, delimiter: str) -> list[str] | None:
    """The cells of a row, with what is no UTF-8 in them; nothing where the quotes do not match."""
    try:
        rows = list(csv.reader([record.decode(errors="surrogateescape")], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _is_tree(ways: Sequence[Way]) -> bool:
    """Whether each way leads to a place of its own, none of which lies on another's way."""
    if any(len(way) > _DEEPEST or not all(way) for way in ways):
        return False
    return all(after[: len(before)] != before for before, after in pairwise(sorted(ways)))


def _branch(order: dict[str, Any], way: Way) -> dict[str, Any]:
    for name in way[:-1]:
        order = order.setdefault(name, {})
    return order


def _value(way: Way, cell: str) -> bytes:
    """The cell as JSON. What looks like JSON is that, but for members that are text whatever it looks like."""
    text = cell.encode(errors="surrogateescape")
    if way not in _TEXTS:
        try:
            return bytes(_RAW.decode(text))
        except (ValueError, RecursionError):
            pass
    return _quoted(cell)


def _quoted(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode(errors="surrogateescape")


def _written(branch: dict[str, Any]) -> bytes:
    members = (
        _quoted(name) + b":" + (_written(value) if isinstance(value, dict) else value)
        for name, value in branch.items()
    )
    return b"{" + b",".join(members) + b"}"


def _texts_in(kind: Type, way: Way = ()) -> Iterator[Way]:
    """The ways to members that are text."""
    match kind:
        case StructType():
            for member in kind.fields:
                yield from _texts_in(member.type, (*way, member.encode_name))
        case UnionType():
            for one in kind.types:
                yield from _texts_in(one, way)
        case Metadata():
            yield from _texts_in(kind.type, way)
        case StrType() | DateTimeType():
            yield way


_TEXTS = frozenset(_texts_in(type_info(WishOrder)))
