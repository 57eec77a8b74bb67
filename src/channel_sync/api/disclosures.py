"""What is kept of a buyer, for a person who asks for it by law."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Input
from channel_sync.api.http.long_lists import STOPS_EARLY
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.order_schemas import HeldOrderView, OrderView, held_order_view, order_views

router = APIRouter(tags=["orders"], route_class=StrictRoute)

_HELD = "hld_"
# Each comes with the marketplace's whole reply.
_AT_ONCE = 50

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
ChannelOrderId = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class DisclosureInput(Input):
    """The buyer's orders and held orders, by our ids or the marketplace's in every shop."""

    ids: Annotated[list[Id], STOPS_EARLY, Field(min_length=1, max_length=_AT_ONCE)] | None = None
    """Our ids of orders, `ord_…`, and of held orders, `hld_…`."""
    channel_order_ids: (
        Annotated[list[ChannelOrderId], STOPS_EARLY, Field(min_length=1, max_length=_AT_ONCE)] | None
    ) = None
    """The marketplace's ids, in every shop of the tenant."""

    @model_validator(mode="after")
    def _any(self) -> "DisclosureInput":
        if self.ids is None and self.channel_order_ids is None:
            raise ValueError("Give `ids` or `channel_order_ids`.")
        return self


class DisclosedOrderView(TypedDict):
    """An order with all members about its buyer, and the marketplace's reply as it came: null once erased."""

    order: OrderView
    reply: str | None


class DisclosedHeldOrderView(TypedDict):
    """A held order, and the reply that could not be used as it came: null once erased."""

    held: HeldOrderView
    reply: str | None


class DisclosureView(TypedDict):
    """All that is kept of those orders. An id that is in neither list is not an order of the tenant."""

    orders: list[DisclosedOrderView]
    held_orders: list[DisclosedHeldOrderView]


@router.post("/orders/disclose", summary="Show all that is kept of a buyer", dependencies=[requires("admin")])
async def disclose_orders(
    given: DisclosureInput, caller: CurrentCaller, services: CurrentServices
) -> DisclosureView:
    """For an access request: the orders and held orders named, with address, tax details and the marketplace's
    replies. It changes nothing; `POST /orders/erase` takes the same ids.
    """
    tenant, ids, theirs = caller.tenant, given.ids or [], given.channel_order_ids or []
    async with services.database.read() as work:
        mine = [*ids, *await work.orders.ids_of(tenant, theirs)]
        held_ids = [one for one in ids if one.startswith(_HELD)]
        held_ids += await work.held_orders.ids_of(tenant, theirs)
        orders = await work.disclosures.orders(tenant, mine)
        views = await order_views(work, tenant, [one.order for one in orders], personal=True)
        held = await work.held_orders.disclosed(tenant, held_ids)
    return {
        "orders": [{"order": view, "reply": _text(one.reply)} for view, one in zip(views, orders, strict=True)],
        "held_orders": [{"held": held_order_view(one.held), "reply": _text(one.reply)} for one in held],
    }


def _text(reply: bytes | None) -> str | None:
    return None if reply is None else reply.decode("utf-8", "replace")
