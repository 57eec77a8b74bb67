"""Mappings as CSV: which SKU feeds each listing."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from channel_sync.api.export_formats import csv_head, csv_row
from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.exports import CSV, TEXT, CurrentExports
from channel_sync.api.http.fields import DESCRIBED
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.mapping_rows import rows_of
from channel_sync.domain.listings import Listing, Mapping
from channel_sync.flows.stock.mapping import MappingResult, exported_listings
from channel_sync.persistence.listings import ListingQuery

router = APIRouter(tags=["stock"], route_class=StrictRoute)

Column = Callable[[Listing], str | None]

# Ours, whose form is known: a spreadsheet takes none of it for a formula.
_OWN: dict[str, Column] = {
    "listing_id": lambda listing: listing.id,
    "integration_id": lambda listing: listing.integration_id,
    "mapping": lambda listing: listing.mapping.value,
    "writable": lambda listing: "true" if listing.writable else "false",
}
# What the marketplace, or the tenant, wrote.
_OF_OTHERS: dict[str, Column] = {
    "product_id": lambda listing: listing.product_id,
    "variation_id": lambda listing: listing.variation_id,
    "sku": lambda listing: listing.sku,
    "mapped_sku": lambda listing: listing.mapped_sku,
    "title": lambda listing: listing.title,
}
_COLUMNS = _OWN | _OF_OTHERS
_FOREIGN = [place for place, name in enumerate(_COLUMNS) if name in _OF_OTHERS]


class MappingResultView(TypedDict):
    """What became of one row; the row of names is 1.

    `code` says why it is invalid: `listing_unknown`, `listing_repeated`, `sku_unusable`.
    """

    row: int
    listing_id: str
    result: MappingResult
    code: str | None


class MappingResults(TypedDict):
    """A result for each row, in their order."""

    items: list[MappingResultView]


class MappingFilters(BaseModel):
    """Of which listings."""

    model_config = DESCRIBED

    integration_id: Annotated[str, Field(max_length=64)] | None = None
    """Only those of this integration."""
    mapping: Mapping | None = None
    """Only those that are mapped like this."""


@router.get(
    "/mappings/export",
    summary="Export mappings",
    dependencies=[requires("stock:read")],
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": TEXT}}},
)
async def export_mappings(
    asked: Annotated[MappingFilters, Query()],
    caller: CurrentCaller,
    services: CurrentServices,
    exports: CurrentExports,
) -> StreamingResponse:
    """A row for each listing, as long as it takes; take it as a stream.

    The columns are `listing_id`, `integration_id`, `mapping`, `writable`, `product_id`, `variation_id`, `sku`,
    `mapped_sku` and `title`; more may come. Text that a spreadsheet would take for a formula begins with a `'`.
    An export that is cut off ends without the last chunk of HTTP. Exports of orders count with these: more of them
    at once than a key or a tenant may have are 429 `too_many_exports`.
    """
    query = ListingQuery(asked.mapping)
    pages = exported_listings(services.database, caller.tenant, asked.integration_id, query)
    return exports.answer(_parts(pages), "mappings.csv", CSV)


@router.put(
    "/mappings",
    summary="Import mappings",
    dependencies=[requires("stock:write")],
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": TEXT}}},
)
async def import_mappings(request: Request, caller: CurrentCaller, services: CurrentServices) -> MappingResults:
    """A result for each row of CSV in UTF-8, up to 5,000. The columns `listing_id` and `mapped_sku` count.

    Others are passed over, so what was exported can be sent back. An empty `mapped_sku` goes back to automatic, by
    the listing's own SKU; listings without a row stay as they are. Each row is stored whole or not at all, and
    repeating all of them is safe. Nothing is stored of a body that is no CSV or lacks a column.
    """
    rows = await rows_of(request)
    answers = await services.map_listings.map_rows(caller.tenant, [*rows.values()])
    return {
        "items": [
            {"row": number, "listing_id": row.listing_id, "result": answer.result, "code": answer.code}
            for (number, row), answer in zip(rows.items(), answers, strict=True)
        ]
    }


async def _parts(pages: AsyncIterator[list[Listing]]) -> AsyncIterator[bytes]:
    yield csv_head(tuple(_COLUMNS))
    async for listings in pages:
        rows = [[of(listing) for of in _COLUMNS.values()] for listing in listings]
        yield "".join([csv_row(row, _FOREIGN) for row in rows]).encode()
