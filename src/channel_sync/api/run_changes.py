"""What a dry run of stock found: every change, before it is sent."""

from fastapi import APIRouter
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.paging import Cursors, Paging
from channel_sync.api.http.services import CurrentServices

router = APIRouter(tags=["runs"], route_class=StrictRoute)


class StockChangeView(TypedDict):
    """A listing whose units a push would change from `before`, as far as is known, to `quantity`."""

    listing_id: str
    sku: str
    before: int
    quantity: int


class StockChangePage(TypedDict):
    """Some changes, by listing, and the cursor that goes on."""

    items: list[StockChangeView]
    next_cursor: str | None


@router.get(
    "/runs/{run_id}/changes", summary="List what a push would change", dependencies=[requires("runs:read")]
)
async def list_run_changes(
    run_id: str, asked: Paging, caller: CurrentCaller, services: CurrentServices
) -> StockChangePage:
    """Every listing that a push would have told other units. Only dry runs of stock have any."""
    cursors = Cursors("changes", caller.tenant, {"run_id": run_id}, (str,))
    async with services.database.read() as work:
        await work.runs.get(caller.tenant, run_id)
        page = await work.run_changes.list(run_id, cursors.request(asked))
    views: list[StockChangeView] = [
        {"listing_id": one.listing_id, "sku": one.sku, "before": one.before, "quantity": one.quantity}
        for one in page.items
    ]
    return {"items": views, "next_cursor": cursors.write(page.next)}
