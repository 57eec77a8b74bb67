"""The rows of an import of mappings, read from CSV as an export, or a spreadsheet, writes it."""

import csv
import io
from collections.abc import Iterator

from fastapi import Request

from channel_sync.api.export_formats import read_cell
from channel_sync.api.http.problems import HttpProblem, malformed
from channel_sync.domain.errors import Invalid
from channel_sync.flows.stock.mapping import MappingRow

MOST_ROWS = 5_000
_COLUMNS = ("listing_id", "mapped_sku")
# Stands for a cell that is not there, which is not the same as an empty one.
_NO_SKU = " "


async def rows_of(request: Request) -> dict[int, MappingRow]:
    """The rows of the body by their numbers, of which the row of names is the first; empty rows are passed over.

    Nothing of a body that cannot be read is used.
    """
    essence = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if essence != "text/csv":
        raise HttpProblem(415, "unsupported_media_type", "Send the body as text/csv.")
    try:
        # A spreadsheet begins with a mark of its encoding.
        text = (await request.body()).decode("utf-8-sig")
        return _read(text)
    except (UnicodeDecodeError, csv.Error):
        raise malformed("malformed_csv", "The body is not CSV in UTF-8.") from None


def _read(text: str) -> dict[int, MappingRow]:
    if "\0" in text:
        raise malformed("malformed_csv", "The body holds NUL.")
    # Where a comma stands between units and cents, spreadsheets write semicolons.
    delimiter = "," if "," in text.split("\n", 1)[0] else ";"
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    places = _places([name.strip() for name in next(lines, [])])
    found: dict[int, MappingRow] = {}
    for number, row in _filled(lines):
        if len(found) == MOST_ROWS:
            raise Invalid("too_many_rows", f"An import may have {MOST_ROWS} rows.")
        found[number] = _mapping_row(row, *places)
    return found


def _places(names: list[str]) -> tuple[int, int]:
    if any(names.count(name) != 1 for name in _COLUMNS):
        raise Invalid("missing_column", "The columns listing_id and mapped_sku have to be there, each once.")
    return names.index("listing_id"), names.index("mapped_sku")


def _filled(lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    return ((number, row) for number, row in enumerate(lines, start=2) if any(row))


def _mapping_row(row: list[str], listing: int, sku: int) -> MappingRow:
    listing_id = row[listing].strip() if listing < len(row) else ""
    given = read_cell(row[sku]) if sku < len(row) else _NO_SKU
    return MappingRow(listing_id, given or None)
