"""The brake of a shop: whether a push was stopped that would have emptied it, and letting it go."""

from fastapi import APIRouter
from pydantic import StrictBool
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Input, Timestamp, optional_timestamp
from channel_sync.api.http.idempotency import IDEMPOTENT, IdempotentRoute
from channel_sync.api.http.services import CurrentServices
from channel_sync.domain.integrations import Account, Integration

router = APIRouter(tags=["stock"], route_class=StrictRoute)
idempotent = APIRouter(tags=["stock"], route_class=IdempotentRoute)


class BrakeInput(Input):
    """What to do with the brake."""

    release: StrictBool
    """True lets everything that waits now be sent; false leaves the brake as it is."""


class BrakeView(TypedDict):
    """Whether the brake is on, and since when. No stock is sent to the shop then.

    The push that it stopped was to set `emptied` of the shop's `listings` to zero, which is more than `percent` of
    them. A person released it last at `released_at`.
    """

    on: bool
    since: Timestamp | None
    emptied: int | None
    listings: int | None
    percent: int
    released_at: Timestamp | None


@router.get(
    "/integrations/{integration_id}/stock/brake",
    summary="Show whether stock is held back",
    dependencies=[requires("stock:read")],
    responses={409: {"description": "The shop was never connected."}},
)
async def get_stock_brake(integration_id: str, caller: CurrentCaller, services: CurrentServices) -> BrakeView:
    """The brake as it is now."""
    return _view(*await services.brakes.of(caller.tenant, integration_id))


@idempotent.post(
    "/integrations/{integration_id}/stock/brake",
    summary="Let stock that is held back go",
    dependencies=[requires("stock:write"), IDEMPOTENT],
    responses={409: {"description": "The shop was never connected."}},
)
async def release_stock_brake(
    integration_id: str, given: BrakeInput, caller: CurrentCaller, services: CurrentServices
) -> BrakeView:
    """The brake afterwards. What waits now is sent whatever it empties; what comes later is looked at again."""
    act = services.brakes.release if given.release else services.brakes.of
    return _view(*await act(caller.tenant, integration_id))


def _view(integration: Integration, account: Account) -> BrakeView:
    brake = account.brake
    return {
        "on": brake is not None,
        "since": optional_timestamp(None if brake is None else brake.at),
        "emptied": None if brake is None else brake.emptied,
        "listings": None if brake is None else brake.listings,
        "percent": integration.settings.stock.brake_percent if brake is None else brake.percent,
        "released_at": optional_timestamp(account.brake_released_at),
    }
