"""Operations on how early a tenant is told of orders that have to be shipped."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StrictInt
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Input
from channel_sync.api.http.services import CurrentServices
from channel_sync.domain.ship_by import LONGEST_NOTICE_H, USUAL_NOTICE_H

router = APIRouter(tags=["orders"], route_class=StrictRoute)

READ = requires("orders:read")
WRITE = requires("orders:write")


class ShipByNoticeInput(Input):
    """How many hours before an order's `ship_by` the event comes; null leaves it to the usual time."""

    notice_h: Annotated[StrictInt, Field(ge=0, le=LONGEST_NOTICE_H)] | None
    """Hours, 0 for no event, or null."""


class ShipByNoticeView(TypedDict):
    """How many hours before an order's `ship_by` the event comes. `own` tells whether the tenant said so."""

    notice_h: int
    own: bool


@router.get("/settings/ship-by-notice", summary="See how early orders to ship are told of", dependencies=[READ])
async def get_ship_by_notice(caller: CurrentCaller, services: CurrentServices) -> ShipByNoticeView:
    """How long before its `ship_by` an approved order that the merchant ships is told of, `order.ship_by_near`."""
    async with services.database.read() as work:
        return _view(await work.ship_by.notice_h(caller.tenant))


@router.put("/settings/ship-by-notice", summary="Say how early orders to ship are told of", dependencies=[WRITE])
async def put_ship_by_notice(
    given: ShipByNoticeInput, caller: CurrentCaller, services: CurrentServices
) -> ShipByNoticeView:
    """The tenant's own time. Each `ship_by` of an order is told of once, also where the time is changed."""
    async with services.database.begin() as work:
        await work.ship_by.set_notice_h(caller.tenant, given.notice_h)
        return _view(await work.ship_by.notice_h(caller.tenant))


def _view(own: int | None) -> ShipByNoticeView:
    return {"notice_h": USUAL_NOTICE_H if own is None else own, "own": own is not None}
