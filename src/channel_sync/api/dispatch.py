"""Operations that tell a marketplace that orders are on their way."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response, status
from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.fields import Country, Input, Name, as_sent
from channel_sync.api.http.idempotency import IDEMPOTENT, IdempotentRoute
from channel_sync.api.http.long_lists import STOPS_EARLY
from channel_sync.api.http.problems import code_of
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.order_change_views import DispatchView, dispatch_view
from channel_sync.domain.errors import ChannelSyncError, UnknownCarrier
from channel_sync.domain.order_changes import Parcel
from channel_sync.flows.order_changes.changeable import Changes
from channel_sync.flows.order_changes.dispatch import DispatchRequest

idempotent = APIRouter(tags=["orders"], route_class=IdempotentRoute)

WRITE = requires("orders:write")

OrderId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
TrackingNumber = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), as_sent(100)
]


class ParcelInput(Input):
    """A parcel that is on its way."""

    carrier: Name
    """The carrier, by the marketplace's name or a word of the tenant's for it; case does not matter."""
    tracking_number: TrackingNumber
    """As the carrier gave it; some marketplaces take letters and digits only."""
    origin_country: Country
    """Where the parcel was handed over: ISO 3166, two letters."""

    def parcel(self) -> Parcel:
        """The parcel as flows know it."""
        return Parcel(self.carrier, self.tracking_number, self.origin_country)


class OrderParcelInput(ParcelInput):
    """An order and a parcel that it is in."""

    order_id: OrderId
    """Our id, `ord_…`."""


class ParcelsInput(Input):
    """Parcels of many orders."""

    items: Annotated[list[OrderParcelInput], STOPS_EARLY, Field(min_length=1, max_length=500)]
    """In the order in which they are told; an order may come more than once."""


class ParcelResult(TypedDict):
    """What became of one item: taken, with the order's dispatch, or refused, with the reason.

    `code` and `detail` are those that a call for this order alone would be refused with.
    """

    order_id: str
    result: Literal["accepted", "refused"]
    dispatch: DispatchView | None
    code: str | None
    detail: str | None
    suggestions: list[str]


class ParcelResults(TypedDict):
    """A result for each item, in their order."""

    items: list[ParcelResult]


@idempotent.post(
    "/orders/dispatch",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Tell that many orders are on their way",
    dependencies=[WRITE, IDEMPOTENT],
)
async def dispatch_orders(given: ParcelsInput, caller: CurrentCaller, services: CurrentServices) -> ParcelResults:
    """The same as for one order, up to 500 at once; an item that is refused stops no other.

    Repeating all of it is safe: a parcel that was told already is `accepted` and changes nothing.
    """
    asked = [DispatchRequest(one.order_id, one.parcel()) for one in given.items]
    answers = await services.dispatches.request_all(caller.tenant, asked)
    return {"items": [_result(one.order_id, answer) for one, answer in zip(asked, answers, strict=True)]}


@idempotent.post(
    "/orders/{order_id}/dispatch",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Tell that an order is on its way",
    dependencies=[WRITE, IDEMPOTENT],
    responses={
        409: {
            "description": "`fulfilled_elsewhere`: the marketplace or its store ships it. `order_not_released`, "
            "`order_closed`: not to be shipped. `grant_lacks_scope`, `integration_disabled` …: the shop cannot be "
            "told; `next_action` says what helps. `too_many_changes`."
        },
        422: {"description": "Among others `unknown_carrier`, with `suggestions`, and `invalid_tracking_number`."},
    },
)
async def dispatch_order(
    order_id: str, given: ParcelInput, caller: CurrentCaller, services: CurrentServices, response: Response
) -> DispatchView:
    """Taken at once, told to the marketplace within seconds, settled when that has carried it out.

    Read the order's `dispatch` until its `state` is `accepted` or `failed`, or wait for `order.dispatched` or
    `order.dispatch_failed`. The same parcel once more changes nothing. Another one is a further parcel or corrects
    the tracking; the marketplace shows the newest first, and may show the last two only.
    """
    changes = await services.dispatches.request(caller.tenant, DispatchRequest(order_id, given.parcel()))
    response.headers["Location"] = services.settings.address.href(f"/orders/{order_id}")
    view = dispatch_view(changes)
    assert view is not None, "One was just told."
    return view


def _result(order_id: str, answer: Changes | ChannelSyncError) -> ParcelResult:
    if not isinstance(answer, ChannelSyncError):
        view = dispatch_view(answer)
        return {
            "order_id": order_id,
            "result": "accepted",
            "dispatch": view,
            "code": None,
            "detail": None,
            "suggestions": [],
        }
    suggestions = list(answer.suggestions) if isinstance(answer, UnknownCarrier) else []
    return {
        "order_id": order_id,
        "result": "refused",
        "dispatch": None,
        "code": code_of(answer),
        "detail": answer.message,
        "suggestions": suggestions,
    }
