"""Operations on orders: the feed, one order, acknowledge, and those that are held."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field, StrictInt, StringConstraints, model_validator
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Input
from channel_sync.api.http.idempotency import IDEMPOTENT, IdempotentRoute
from channel_sync.api.http.long_lists import STOPS_EARLY
from channel_sync.api.http.paging import Cursors, PageQuery
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.order_filters import OrderFilters, cursor_filters
from channel_sync.api.order_schemas import (
    HeldOrderPage,
    HeldOrderView,
    OrderPageView,
    OrderView,
    held_order_view,
    order_views,
)
from channel_sync.domain.clock import utcnow
from channel_sync.domain.orders import Order

router = APIRouter(tags=["orders"], route_class=StrictRoute)
idempotent = APIRouter(tags=["orders"], route_class=IdempotentRoute)

READ = requires("orders:read")
WRITE = requires("orders:write")

OrderId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Reference = Annotated[str | None, Field(max_length=200)]
_LAST_VERSION = 2**31 - 1


class OrderVersion(Input):
    """One order, and which version of it was read."""

    id: OrderId
    """Our id, `ord_…`."""
    version: Annotated[StrictInt, Field(ge=1, le=_LAST_VERSION)]
    """The `version` that was read."""


class Acknowledgement(Input):
    """Either `ids`, which acknowledges whatever stands there now, or `orders` at the versions that were read."""

    ids: Annotated[list[OrderId], STOPS_EARLY, Field(min_length=1, max_length=500)] | None = None
    """Our ids, `ord_…`."""
    orders: Annotated[list[OrderVersion], STOPS_EARLY, Field(min_length=1, max_length=500)] | None = None
    """Our ids, each with the version that was read."""

    @model_validator(mode="after")
    def _one_of_them(self) -> "Acknowledgement":
        if (self.ids is None) is (self.orders is None):
            raise ValueError("Give `ids` or `orders`, and not both.")
        return self


class AcknowledgedView(TypedDict):
    """The orders that are acknowledged now, and those that are at another version than the one that was named.

    An id that is in neither is not an order of the tenant.
    """

    acknowledged: list[str]
    changed: list[str]


class ReplayedView(TypedDict):
    """What became of a held order: it is an order now, or it is still held."""

    order: OrderView | None
    held: HeldOrderView | None


@router.get("/orders", summary="Follow the orders", dependencies=[READ], response_model=OrderPageView)
async def list_orders(
    asked: Annotated[OrderFilters, Query()], caller: CurrentCaller, services: CurrentServices
) -> Response:
    """The feed: orders in the order they were stored; an order that changes comes again.

    An API key with an `order_filter` sees by it what it does not ask for otherwise.

    To follow it, keep the last `next_cursor` and ask with it again later. Every page with items has a
    `next_cursor`, the last one too; null comes with an empty page only: keep the one you have.
    """
    query = asked.query(caller)
    cursors = Cursors("orders", caller.tenant, cursor_filters(query), (int,))
    personal = caller.may("pii:read")
    async with services.database.read() as work:
        page = await work.orders.feed(caller.tenant, query, cursors.request(asked), personal)
        views = await order_views(work, caller.tenant, page.items, personal)
    after = (page.items[-1].position,) if page.items else None
    body: OrderPageView = {
        "items": views,
        "next_cursor": cursors.write(after),
    }
    return Response(msgspec.json.encode(body), media_type="application/json")


@idempotent.post("/orders/acknowledge", summary="Mark orders as taken over", dependencies=[WRITE, IDEMPOTENT])
async def acknowledge_orders(
    given: Acknowledgement, caller: CurrentCaller, services: CurrentServices
) -> AcknowledgedView:
    """A receipt for the version that stands there now: an order that changes afterwards is unacknowledged again.

    `orders` names the versions that were read, so that none is acknowledged unseen that came in between; such an
    order is in `changed`. Doing it again changes nothing.
    """
    tenant, now = caller.tenant, utcnow()
    async with services.database.begin() as work:
        if given.orders is None:
            acknowledged = await work.orders.acknowledge(tenant, given.ids or [], now, caller.key_id)
            return {"acknowledged": acknowledged, "changed": []}
        read = [(order.id, order.version) for order in given.orders]
        acknowledged, changed = await work.orders.acknowledge_versions(tenant, read, now, caller.key_id)
    return {"acknowledged": acknowledged, "changed": changed}


class HeldFilters(PageQuery):
    """Which held orders."""

    integration_id: Reference = None
    """Only of this integration."""
    channel_order_id: Reference = None
    """Only what holds the marketplace's order of this id."""


@router.get("/orders/held", summary="List orders that could not be used", dependencies=[READ])
async def list_held_orders(
    asked: Annotated[HeldFilters, Query()], caller: CurrentCaller, services: CurrentServices
) -> HeldOrderPage:
    """Held orders with the reason, and the marketplace's request id for its support."""
    cursors = Cursors("held", caller.tenant, asked.filters(), (str,))
    async with services.database.read() as work:
        request = cursors.request(asked)
        page = await work.held_orders.list(caller.tenant, asked.integration_id, request, asked.channel_order_id)
    return {"items": [held_order_view(held) for held in page.items], "next_cursor": cursors.write(page.next)}


class HeldKind(Input):
    """Which held orders: all of the tenant, or those of one integration, or those held for one reason."""

    integration_id: Reference = None
    """Only of this integration."""
    reason: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """Only those held for this `reason`."""


class QueuedView(TypedDict):
    """How many there are that will be tried."""

    queued: int


@idempotent.post(
    "/orders/held/replay",
    status_code=202,
    summary="Try all held orders of a kind again",
    dependencies=[WRITE, IDEMPOTENT],
    responses={404: {"description": "There is no such integration, or it belongs to somebody else."}},
)
async def replay_held_orders(given: HeldKind, caller: CurrentCaller, services: CurrentServices) -> QueuedView:
    """Each is fetched anew, or its stored reply read, beginning within seconds; what can be used is an order then.

    Those of integrations that are not active wait until they are. After an update of the service held orders are
    tried by themselves.
    """
    async with services.database.begin() as work:
        if given.integration_id is not None:
            await work.integrations.get(caller.tenant, given.integration_id)
        return {"queued": await work.held_orders.ask_for(caller.tenant, given.integration_id, given.reason)}


@idempotent.post(
    "/orders/held/{held_id}/replay",
    summary="Try a held order again",
    dependencies=[WRITE, IDEMPOTENT],
    responses={
        409: {"description": "Its integration has no shop to ask."},
        502: {"description": "The marketplace's reply could not be understood."},
    },
)
async def replay_held_order(held_id: str, caller: CurrentCaller, services: CurrentServices) -> ReplayedView:
    """Fetches the order anew, or falls back to the stored reply; then it is an order, or it stays held."""
    outcome = await services.held.replay(caller.tenant, held_id)
    if not isinstance(outcome, Order):
        return {"order": None, "held": held_order_view(outcome)}
    async with services.database.read() as work:
        (view,) = await order_views(work, caller.tenant, [outcome], personal=False)
    return {"order": view, "held": None}


@router.get("/orders/{order_id}", summary="Show an order", dependencies=[READ])
async def get_order(order_id: str, caller: CurrentCaller, services: CurrentServices) -> OrderView:
    """One order; the members about the buyer only with `pii:read`."""
    personal = caller.may("pii:read")
    async with services.database.read() as work:
        order = await work.orders.get(caller.tenant, order_id, personal)
        (view,) = await order_views(work, caller.tenant, [order], personal)
    return view
