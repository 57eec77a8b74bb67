"""Operations that refund orders."""

from typing import Annotated

from fastapi import APIRouter, Response, status
from pydantic import StringConstraints
from typing_extensions import TypedDict

from channel_sync.api.connections import NOT_UNDERSTOOD
from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import VISIBLE, Input
from channel_sync.api.http.idempotency import IDEMPOTENT, IdempotentRoute
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.order_change_views import RefundRequestView, refund_view

router = APIRouter(tags=["orders"], route_class=StrictRoute)
idempotent = APIRouter(tags=["orders"], route_class=IdempotentRoute)

READ = requires("orders:read")
WRITE = requires("orders:write")

_CANNOT_BE_TOLD = (
    "`grant_lacks_scope`, `integration_disabled` …: the shop cannot be told; `next_action` says what helps."
)


class ReasonView(TypedDict):
    """One reason, by the marketplace's name."""

    reason: str


class ReasonPage(TypedDict):
    """Every reason that the marketplace allows for the order now; none where it cannot be refunded."""

    items: list[ReasonView]
    next_cursor: str | None


class RefundInput(Input):
    """Why the order is refunded."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=VISIBLE)]
    """One of those that `GET /orders/{id}/refund-reasons` has."""


@router.get(
    "/orders/{order_id}/refund-reasons",
    summary="List the reasons an order may be refunded for",
    dependencies=[READ],
    responses={409: {"description": _CANNOT_BE_TOLD}, 502: NOT_UNDERSTOOD},
)
async def list_refund_reasons(order_id: str, caller: CurrentCaller, services: CurrentServices) -> ReasonPage:
    """Asked of the marketplace now, for they change over the order's life."""
    reasons = await services.refunds.reasons(caller.tenant, order_id)
    return {"items": [{"reason": reason} for reason in reasons], "next_cursor": None}


@idempotent.post(
    "/orders/{order_id}/refund",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Refund an order",
    dependencies=[WRITE, IDEMPOTENT],
    responses={
        409: {"description": f"`refund_requested`: it is refunded, or about to be. {_CANNOT_BE_TOLD}"},
        422: {"description": "Among others `refund_reason_not_allowed`."},
        502: NOT_UNDERSTOOD,
    },
)
async def refund_order(
    order_id: str, given: RefundInput, caller: CurrentCaller, services: CurrentServices, response: Response
) -> RefundRequestView:
    """Cancels an order that is not shipped, pays one back that is, as a whole, and once.

    Taken at once, told to the marketplace within seconds, settled when that has carried it out: read the order's
    `refund_request`, or wait for `order.refunded` or `order.refund_failed`. The same once more changes nothing.
    """
    changes = await services.refunds.request(caller.tenant, order_id, given.reason)
    response.headers["Location"] = services.settings.address.href(f"/orders/{order_id}")
    view = refund_view(changes)
    assert view is not None, "One was just asked for."
    return view
