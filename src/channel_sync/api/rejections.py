"""What a marketplace refused of a shop's stock, by its code."""

from fastapi import APIRouter
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.services import CurrentServices

router = APIRouter(tags=["stock"], route_class=StrictRoute)


class RejectionCountView(TypedDict):
    """So many listings whose stock was refused with this code of the marketplace, and a reason that it gave."""

    code: str | None
    listings: int
    reason: str | None


class RejectionCounts(TypedDict):
    """Every code, the commonest first."""

    items: list[RejectionCountView]


@router.get(
    "/integrations/{integration_id}/stock/rejections",
    summary="Count refused stock by code",
    dependencies=[requires("stock:read")],
)
async def count_rejections(
    integration_id: str, caller: CurrentCaller, services: CurrentServices
) -> RejectionCounts:
    """Send all of it again, or that of one code, by a run of stock with `only: failed`."""
    async with services.database.read() as work:
        integration = await work.integrations.get(caller.tenant, integration_id)
        found = await work.pushes.rejections(integration.account_id or "")
    views: list[RejectionCountView] = [
        {"code": one.code, "listings": one.listings, "reason": one.reason} for one in found
    ]
    return {"items": views}
