"""The places at the marketplace that a shop's units lie in."""

from fastapi import APIRouter
from typing_extensions import TypedDict

from channel_sync.api.connections import NOT_UNDERSTOOD
from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.services import CurrentServices

router = APIRouter(tags=["integrations"], route_class=StrictRoute)


class ShopWarehouseView(TypedDict):
    """One warehouse at the marketplace. `kind` is the marketplace's word for it, in lower case."""

    id: str
    name: str | None
    kind: str | None


class ShopWarehousePage(TypedDict):
    """Every warehouse of the shop."""

    items: list[ShopWarehouseView]
    next_cursor: str | None


@router.get(
    "/integrations/{integration_id}/warehouses",
    summary="List the shop's warehouses",
    dependencies=[requires("integrations:read")],
    responses={409: {"description": "The integration has no grant to ask with."}, 502: NOT_UNDERSTOOD},
)
async def list_warehouses(
    integration_id: str, caller: CurrentCaller, services: CurrentServices
) -> ShopWarehousePage:
    """The warehouses as the marketplace has them now; stock goes to the one in `settings.stock.warehouse_id`."""
    found = await services.warehouses.list(caller.tenant, integration_id)
    views: list[ShopWarehouseView] = [{"id": one.id, "name": one.name, "kind": one.kind} for one in found]
    return {"items": views, "next_cursor": None}
