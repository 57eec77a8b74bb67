"""How the files of an order download are written. Wish does not publish it, so there are three ways."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, Literal

from wish_simulator.documents import from_bytes, to_bytes

OrderFileFormat = Literal["json_lines", "json_array", "csv"]
Writer = Callable[[Sequence[bytes]], Sequence[bytes]]


def as_they_are(documents: Sequence[bytes]) -> Sequence[bytes]:
    """A document a line."""
    return documents


def _array(documents: Sequence[bytes]) -> Sequence[bytes]:
    return [b"[", *(document + b"," for document in documents[:-1]), *documents[-1:], b"]"]


def _table(documents: Sequence[bytes]) -> Sequence[bytes]:
    """A row for each order and a column for each of its members; those that are no text stand there as JSON."""
    orders = [from_bytes(document) for document in documents]
    names = list(dict.fromkeys(name for order in orders for name in order)) or ["id", "updated_at"]
    rows = ([_cell(order, name) for name in names] for order in orders)
    return [_row(row) for row in (names, *rows)]


def _cell(order: dict[str, Any], name: str) -> str:
    value = order.get(name, "")
    return value if isinstance(value, str) else to_bytes(value).decode()


def _row(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue().encode()


WRITERS: dict[OrderFileFormat, Writer] = {"json_lines": as_they_are, "json_array": _array, "csv": _table}
