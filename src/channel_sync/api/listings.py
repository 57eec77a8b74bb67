"""Operations on listings: what the marketplace offers, and which SKU feeds it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Input, Sku, Timestamp, optional_timestamp
from channel_sync.api.http.paging import Cursors, PageQuery
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.stock_schemas import UnitRulesView
from channel_sync.api.stock_view import rules_view
from channel_sync.domain.listings import Listing, Mapping, PushState
from channel_sync.persistence.listings import ListingQuery

router = APIRouter(tags=["stock"], route_class=StrictRoute)


class MappingInput(Input):
    """What feeds the listing."""

    sku: Sku | None
    """The SKU whose level it shows; null goes back to automatic, by the listing's own SKU."""


class WarehouseView(TypedDict):
    """Units in one of the marketplace's warehouses."""

    warehouse_id: str
    quantity: int


class RejectionView(TypedDict):
    """The marketplace's own words for why it refused what it was sent last."""

    code: str | None
    reason: str | None


class ListingView(TypedDict):
    """One variation at the marketplace. `mapped_sku` is the SKU that a person chose, `rules` are its own.

    Nothing is sent to one that is `excluded`. `warehouses` are as the marketplace showed them at `seen_at`.
    """

    id: str
    integration_id: str
    product_id: str
    variation_id: str
    sku: str | None
    mapped_sku: str | None
    title: str | None
    image_url: str | None
    writable: bool
    mapping: Mapping
    rules: UnitRulesView
    excluded: bool
    rejection: RejectionView | None
    warehouses: list[WarehouseView]
    seen_at: Timestamp | None


class ListingPage(TypedDict):
    """Some listings, and the cursor that goes on."""

    items: list[ListingView]
    next_cursor: str | None


class ListingFilters(PageQuery):
    """Which listings."""

    mapping: Mapping | None = None
    """Only those that are mapped like this."""
    sku: Annotated[str, Field(max_length=255)] | None = None
    """Only those that this SKU feeds, or that have it themselves."""
    writable: bool | None = None
    """Only those that the marketplace takes stock for, or only the others."""
    state: Literal[PushState.REJECTED, PushState.DRIFTED] | None = None
    """Only those whose stock the marketplace refused, or that show other units there than it confirmed."""
    push_code: Annotated[str, Field(max_length=200)] | None = None
    """Only those whose stock the marketplace refused with this code."""
    excluded: bool | None = None
    """Only those that nothing is sent to because a person said so, or only the others."""


@router.get(
    "/integrations/{integration_id}/listings", summary="List listings", dependencies=[requires("stock:read")]
)
async def list_listings(
    integration_id: str,
    asked: Annotated[ListingFilters, Query()],
    caller: CurrentCaller,
    services: CurrentServices,
) -> ListingPage:
    """The shop's variations as they were last seen, with the SKU that feeds each of them."""
    filters = {"integration_id": integration_id, **asked.filters()}
    cursors = Cursors("listings", caller.tenant, filters, (str,))
    async with services.database.read() as work:
        await work.integrations.get(caller.tenant, integration_id)
        request = cursors.request(asked)
        members = (asked.mapping, asked.sku, asked.writable, asked.excluded, asked.push_code, asked.state)
        query = ListingQuery(*members)
        page = await work.listings.list(caller.tenant, integration_id, request, query)
    return {"items": [listing_view(one) for one in page.items], "next_cursor": cursors.write(page.next)}


@router.get("/listings/{listing_id}", summary="Show a listing", dependencies=[requires("stock:read")])
async def get_listing(listing_id: str, caller: CurrentCaller, services: CurrentServices) -> ListingView:
    """One variation as it was last seen, with the SKU that feeds it."""
    async with services.database.read() as work:
        return listing_view(await work.listings.get(caller.tenant, listing_id))


@router.put(
    "/listings/{listing_id}/mapping",
    summary="Choose the SKU that feeds a listing",
    dependencies=[requires("stock:write")],
)
async def map_listing(
    listing_id: str, given: MappingInput, caller: CurrentCaller, services: CurrentServices
) -> ListingView:
    """The listing as it is mapped now. Its stock is sent again if that makes a difference.

    Lines of open orders that have no `mapped_sku` for the listing get this one; the orders keep their versions.
    """
    await services.map_listings.map(caller.tenant, {listing_id: given.sku})
    async with services.database.read() as work:
        return listing_view(await work.listings.get(caller.tenant, listing_id))


def listing_view(listing: Listing) -> ListingView:
    """A listing as it is shown."""
    return {
        "id": listing.id,
        "integration_id": listing.integration_id,
        "product_id": listing.product_id,
        "variation_id": listing.variation_id,
        "sku": listing.sku,
        "mapped_sku": listing.mapped_sku,
        "title": listing.title,
        "image_url": listing.image_url,
        "writable": listing.writable,
        "mapping": listing.mapping,
        "rules": rules_view(listing.rules),
        "excluded": listing.excluded,
        "rejection": _rejection(listing),
        "warehouses": [{"warehouse_id": warehouse, "quantity": units} for warehouse, units in listing.quantities],
        "seen_at": optional_timestamp(listing.last_seen_at),
    }


def _rejection(listing: Listing) -> RejectionView | None:
    if listing.push_state is not PushState.REJECTED:
        return None
    return {"code": listing.push_code, "reason": listing.push_reason}
