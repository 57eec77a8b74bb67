"""Orders exported: all that fit, in one answer that is written while it is read."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from channel_sync.api.export_columns import COLUMNS, ORDINARY, PERSONAL
from channel_sync.api.export_formats import csv_head, csv_rows, json_lines
from channel_sync.api.http.access import CurrentCaller, require_scope, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.exports import CSV, TEXT, CurrentExports
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.order_filters import OrderNarrowing
from channel_sync.domain.errors import Invalid
from channel_sync.domain.keys import Caller
from channel_sync.flows.orders.export import exported_orders
from channel_sync.persistence.sql.export_rows import ExportedOrder

router = APIRouter(tags=["orders"], route_class=StrictRoute)


class ExportFormat(StrEnum):
    """What an export is written in."""

    CSV = "csv"
    JSONL = "jsonl"


_MEDIA_TYPES = {
    ExportFormat.CSV: CSV,
    ExportFormat.JSONL: "application/jsonl",
}


class ExportQuery(OrderNarrowing):
    """Which orders, in which columns and form."""

    format: ExportFormat = ExportFormat.CSV
    """`csv` with a row of names first, or `jsonl`, an object a line."""
    columns: Annotated[str | None, Field(max_length=1000)] = None
    """Only these columns, in this order, with commas between them."""

    def names(self, caller: Caller) -> tuple[str, ...]:
        """The columns that were asked for; without a word those that the caller may see."""
        if self.columns is None:
            return (*ORDINARY, *(PERSONAL if caller.may("pii:read") else ()))
        names = tuple(name.strip() for name in self.columns.split(","))
        if any(name not in COLUMNS for name in names) or len(set(names)) < len(names):
            raise Invalid("unknown_column", "There is no such column, or it stands twice.", parameter="columns")
        if not PERSONAL.keys().isdisjoint(names):
            require_scope(caller, "pii:read")
        return names


@router.get(
    "/orders/export",
    summary="Export orders",
    dependencies=[requires("orders:read")],
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": TEXT, "application/jsonl": TEXT}}},
)
async def export_orders(
    asked: Annotated[ExportQuery, Query()],
    caller: CurrentCaller,
    services: CurrentServices,
    exports: CurrentExports,
) -> StreamingResponse:
    """Every order that fits, a row for each of its lines, as long as it takes; take it as a stream.

    In CSV, text that a spreadsheet would take for a formula begins with a `'`. The columns about the buyer need
    `pii:read`, and are empty once erased. An order that changes meanwhile comes again with a higher `version`.
    An export that is cut off ends without the last chunk of HTTP. More of them at once than a key or a tenant may
    have are 429 `too_many_exports`.
    """
    names, query = asked.names(caller), asked.query(caller)
    personal = not PERSONAL.keys().isdisjoint(names)
    orders = exported_orders(services.database, caller.tenant, query, personal)
    parts = _parts(orders, asked.format, names)
    return exports.answer(parts, f"orders.{asked.format}", _MEDIA_TYPES[asked.format])


async def _parts(
    pages: AsyncIterator[list[ExportedOrder]], form: ExportFormat, names: tuple[str, ...]
) -> AsyncIterator[bytes]:
    write = csv_rows(names) if form is ExportFormat.CSV else json_lines(names)
    if form is ExportFormat.CSV:
        yield csv_head(names)
    async for orders in pages:
        yield write(orders)
