"""What happened to an order, and when."""

from fastapi import APIRouter
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Timestamp, optional_timestamp, timestamp
from channel_sync.api.http.paging import Cursors, Paging
from channel_sync.api.http.services import CurrentServices
from channel_sync.domain.order_versions import OrderVersion
from channel_sync.domain.orders import OrderState

router = APIRouter(tags=["orders"], route_class=StrictRoute)


class OrderVersionView(TypedDict):
    """The order as it stood from `stored_at` until the next version. `acknowledged_by` is the id of the key that
    took it over: null for none, and where that was before keys were noted.
    """

    version: int
    state: OrderState
    state_raw: str
    channel_updated_at: Timestamp
    stored_at: Timestamp
    acknowledged_at: Timestamp | None
    acknowledged_by: str | None


class TimelineView(TypedDict):
    """Some versions of an order, the oldest first, and the cursor that goes on.

    `erased_at` is when its buyer was forgotten; null for never, and where that was before moments were noted.
    """

    items: list[OrderVersionView]
    erased_at: Timestamp | None
    next_cursor: str | None


@router.get(
    "/orders/{order_id}/timeline", summary="Show what happened to an order", dependencies=[requires("orders:read")]
)
async def get_order_timeline(
    order_id: str, asked: Paging, caller: CurrentCaller, services: CurrentServices
) -> TimelineView:
    """Every version that was stored, kept as long as the order; the last one stands now.

    Versions from before there were timelines are missing.
    """
    cursors = Cursors("timeline", caller.tenant, {"order_id": order_id}, (int,))
    async with services.database.read() as work:
        timeline = await work.order_versions.timeline(caller.tenant, order_id, cursors.request(asked))
    return {
        "items": [_version_view(version) for version in timeline.versions],
        "erased_at": optional_timestamp(timeline.erased_at),
        "next_cursor": cursors.write(None if timeline.next is None else (timeline.next,)),
    }


def _version_view(version: OrderVersion) -> OrderVersionView:
    return {
        "version": version.version,
        "state": version.state,
        "state_raw": version.state_raw,
        "channel_updated_at": timestamp(version.channel_updated_at),
        "stored_at": timestamp(version.stored_at),
        "acknowledged_at": optional_timestamp(version.acknowledged_at),
        "acknowledged_by": version.acknowledged_by,
    }
