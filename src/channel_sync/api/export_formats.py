"""Exported orders as bytes: CSV and JSON lines."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from channel_sync.api.export_columns import COLUMNS, OF_OTHERS, PERSONAL, lines_of
from channel_sync.persistence.sql.export_rows import ExportedLine, ExportedOrder

Write = Callable[[Sequence[ExportedOrder]], bytes]

_encode = msgspec.json.Encoder().encode_lines
# What a spreadsheet takes for the beginning of a formula, or passes over before one.
_FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def _options(_: ExportedOrder, line: ExportedLine) -> str:
    return ", ".join([f"{name}: {value}" for name, value in line.options.items()])


def _erased(order: ExportedOrder, _: ExportedLine) -> str:
    return "true" if order.erased else "false"


# Where a cell of text is to hold what is no text.
_IN_CSV = {**COLUMNS, "options": _options, "erased": _erased}


def json_lines(names: Sequence[str]) -> Write:
    """Writes an object of these columns a line."""
    columns = [(name, COLUMNS[name]) for name in names]

    def write(orders: Sequence[ExportedOrder]) -> bytes:
        return _encode(
            [{name: of(order, line) for name, of in columns} for order in orders for line in lines_of(order)]
        )

    return write


def csv_rows(names: Sequence[str]) -> Write:
    """Writes a row of these columns a line. Text that a spreadsheet would take for a formula begins with a `'`."""
    columns = [_IN_CSV[name] for name in names]
    foreign = [place for place, name in enumerate(names) if name in OF_OTHERS or name in PERSONAL]

    def write(orders: Sequence[ExportedOrder]) -> bytes:
        rows = [[of(order, line) for of in columns] for order in orders for line in lines_of(order)]
        return "".join([csv_row(row, foreign) for row in rows]).encode()

    return write


def csv_head(names: Sequence[str]) -> bytes:
    """The first row, which names the columns."""
    return f"{','.join(names)}\r\n".encode()


def read_cell(text: str) -> str:
    """The text that `csv_row` made into this cell."""
    return text[1:] if text[:1] == "'" and text.lstrip("'")[:1] in _FORMULA else text


def csv_row(cells: list[Any], foreign: Sequence[int]) -> str:
    """A row, at whose `foreign` places is text that is not ours.

    What begins like a formula, or with `'` before what would, has one more `'`.
    """
    # The library's writer looks at every character of cells that we know to need no quotes.
    for place in foreign:
        text = cells[place]
        if text:
            harmless = f"'{text}" if text.lstrip("'")[:1] in _FORMULA else text
            cells[place] = '"' + harmless.replace('"', '""') + '"'
    line = ",".join(["" if cell is None else str(cell) for cell in cells])
    # Of one empty cell nothing would be left, which is no row to a reader.
    return (line or '""') + "\r\n"
