"""Operations on stock: set levels, and see where each of them is on its way to the listings."""

from typing import Annotated, NotRequired

from fastapi import APIRouter
from pydantic import Field, StrictInt
from typing_extensions import TypedDict

from channel_sync.api.access import CurrentCaller, requires
from channel_sync.api.bodies import StrictRoute
from channel_sync.api.fields import MAX_INTEGER, Input, Timestamp, optional_timestamp, timestamp
from channel_sync.api.long_lists import STOPS_EARLY
from channel_sync.api.paging import Cursors, Paging
from channel_sync.api.services import CurrentServices
from channel_sync.domain.listings import Listing, PushState, push_state, why
from channel_sync.domain.stock import StockLevel, StockResult
from channel_sync.flows.put_stock import StockItem as Wanted

router = APIRouter(tags=["stock"], route_class=StrictRoute)

READ = requires("stock:read")
WRITE = requires("stock:write")

BoundInteger = Annotated[StrictInt, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]


class StockItem(Input):
    """An absolute level. Out of range, a blank or a repeated SKU: this item is `invalid`, the others count."""

    sku: Annotated[str, Field(max_length=255)]
    """Yours, as the listings carry it or are mapped to it."""
    available: StrictInt
    """Units for sale, 0 to 500000: what they are, not by how many they change."""
    revision: BoundInteger | None = None
    """A number of yours that grows; an older one never overwrites a newer."""


class StockInput(Input):
    """Levels to set."""

    items: Annotated[list[StockItem], STOPS_EARLY, Field(min_length=1, max_length=5000)]
    """The levels; others stay as they are."""


class StockAnswerView(TypedDict):
    """What became of one item; `code` says why it is `invalid`."""

    sku: str
    result: StockResult
    version: int | None
    code: NotRequired[str]


class StockAnswers(TypedDict):
    """One answer per item, in the same order."""

    items: list[StockAnswerView]


class ListingStockView(TypedDict):
    """Where the newest level is on its way to one listing. `quantity` is what was sent last.

    `code` and `reason` say why it is rejected or skipped.
    """

    listing_id: str
    integration_id: str
    state: PushState
    code: str | None
    reason: str | None
    quantity: int | None
    sent_at: Timestamp | None
    settled_at: Timestamp | None


class StockLevelView(TypedDict):
    """One SKU: the level that is wanted, and every listing that it feeds."""

    sku: str
    available: int
    version: int
    revision: int | None
    updated_at: Timestamp
    listings: list[ListingStockView]


class StockPage(TypedDict):
    """Some levels, and the cursor that goes on."""

    items: list[StockLevelView]
    next_cursor: str | None


@router.put("/stock", summary="Set stock levels", dependencies=[WRITE])
async def put_stock(given: StockInput, caller: CurrentCaller, services: CurrentServices) -> StockAnswers:
    """A result per item. One SKU feeds every listing mapped to it; one without a listing waits for one."""
    wanted = [Wanted(item.sku, item.available, item.revision) for item in given.items]
    answers = await services.put_stock.put(caller.tenant, wanted)
    views: list[StockAnswerView] = []
    for answer in answers:
        view: StockAnswerView = {"sku": answer.sku, "result": answer.result, "version": answer.version}
        if answer.code is not None:
            view["code"] = answer.code
        views.append(view)
    return {"items": views}


@router.get("/stock", summary="List stock levels", dependencies=[READ])
async def list_stock(asked: Paging, caller: CurrentCaller, services: CurrentServices) -> StockPage:
    """The tenant's levels by SKU, each with its listings."""
    cursors = Cursors("stock", caller.tenant, {}, (str,))
    async with services.database.read() as work:
        page = await work.stock.list(caller.tenant, cursors.request(asked))
        listings = await work.listings.by_skus(caller.tenant, [level.sku for level in page.items])
    views = [_level_view(level, listings.get(level.sku, [])) for level in page.items]
    return {"items": views, "next_cursor": cursors.write(page.next)}


@router.get("/stock/{sku:path}", summary="Show where a stock level is", dependencies=[READ])
async def get_stock(sku: str, caller: CurrentCaller, services: CurrentServices) -> StockLevelView:
    """The level that is wanted, and per listing whether it arrived, and if not, why."""
    async with services.database.read() as work:
        level = await work.stock.get(caller.tenant, sku)
        listings = await work.listings.by_sku(caller.tenant, sku)
    return _level_view(level, listings)


def _level_view(level: StockLevel, listings: list[Listing]) -> StockLevelView:
    return {
        "sku": level.sku,
        "available": level.available,
        "version": level.version,
        "revision": level.revision,
        "updated_at": timestamp(level.updated_at),
        "listings": [_listing_stock_view(listing, level.version) for listing in listings],
    }


def _listing_stock_view(listing: Listing, version: int) -> ListingStockView:
    state = push_state(listing, version)
    code, reason = why(listing, state)
    return {
        "listing_id": listing.id,
        "integration_id": listing.integration_id,
        "state": state,
        "code": code,
        "reason": reason,
        "quantity": listing.sent_quantity,
        "sent_at": optional_timestamp(listing.sent_at),
        "settled_at": optional_timestamp(listing.settled_at),
    }
