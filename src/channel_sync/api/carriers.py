"""Operations on the carriers that a marketplace takes, and on what a tenant calls them."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints
from typing_extensions import TypedDict

from channel_sync.api.connections import NOT_UNDERSTOOD
from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import EXACT, Country, Input, Name, Timestamp, timestamp
from channel_sync.api.http.long_lists import STOPS_EARLY
from channel_sync.api.http.services import CurrentServices, Services
from channel_sync.domain.carriers import CarrierAlias
from channel_sync.domain.errors import NotFound

router = APIRouter(tags=["channels"], route_class=StrictRoute)

READ = requires("orders:read")
WRITE = requires("orders:write")


class CarrierView(TypedDict):
    """One carrier, by the marketplace's name."""

    name: str


class CarrierPage(TypedDict):
    """Every carrier, as the marketplace had them at `read_at`; it is asked anew after a day."""

    items: list[CarrierView]
    next_cursor: str | None
    read_at: Timestamp


class CarrierFilters(BaseModel):
    """Which carriers."""

    model_config = EXACT

    country: Country | None = None
    """Only those that are taken where the marketplace wants delivery in this country to be confirmed."""
    integration_id: Annotated[str | None, Field(max_length=64)] = None
    """Whose shop to ask through; without one any that is active."""


class AliasInput(Input):
    """A word of the tenant's own for a carrier."""

    alias: Name
    """What the tenant calls it; case does not matter."""
    carrier: Name
    """The marketplace's name."""


class AliasesInput(Input):
    """All words of the tenant for the marketplace's carriers."""

    items: Annotated[list[AliasInput], STOPS_EARLY, Field(max_length=500)]
    """What is not among them is forgotten."""


class AliasView(TypedDict):
    """A word of the tenant's own for a carrier."""

    alias: str
    carrier: str


class AliasPage(TypedDict):
    """Every word of the tenant for the marketplace's carriers."""

    items: list[AliasView]
    next_cursor: str | None


ChannelType = Annotated[str, StringConstraints(max_length=40)]


@router.get(
    "/channels/{channel_type}/carriers",
    summary="List the carriers a marketplace takes",
    dependencies=[READ],
    responses={
        409: {"description": "`not_connected`: the tenant has no shop there to ask through."},
        502: NOT_UNDERSTOOD,
    },
)
async def list_carriers(
    channel_type: ChannelType,
    asked: Annotated[CarrierFilters, Query()],
    caller: CurrentCaller,
    services: CurrentServices,
) -> CarrierPage:
    """The names that a dispatch may give as `carrier`."""
    _must_be_known(services, channel_type)
    found = await services.carriers.all(caller.tenant, channel_type, asked.country, asked.integration_id)
    views: list[CarrierView] = [{"name": name} for name in found.names]
    return {"items": views, "next_cursor": None, "read_at": timestamp(found.read_at)}


@router.get(
    "/channels/{channel_type}/carrier-aliases", summary="List the tenant's words for carriers", dependencies=[READ]
)
async def list_carrier_aliases(
    channel_type: ChannelType, caller: CurrentCaller, services: CurrentServices
) -> AliasPage:
    """What a dispatch may give as `carrier` besides the marketplace's names."""
    _must_be_known(services, channel_type)
    async with services.database.read() as work:
        return _view(await work.carriers.aliases(caller.tenant, channel_type))


@router.put(
    "/channels/{channel_type}/carrier-aliases", summary="Set the tenant's words for carriers", dependencies=[WRITE]
)
async def put_carrier_aliases(
    channel_type: ChannelType, given: AliasesInput, caller: CurrentCaller, services: CurrentServices
) -> AliasPage:
    """These words and no others; of two that are the same but for case and spaces the last one counts."""
    _must_be_known(services, channel_type)
    aliases = [CarrierAlias(one.alias, one.carrier) for one in given.items]
    async with services.database.begin() as work:
        await work.carriers.set_aliases(caller.tenant, channel_type, aliases)
        return _view(await work.carriers.aliases(caller.tenant, channel_type))


def _must_be_known(services: Services, channel_type: str) -> None:
    if channel_type not in services.channels:
        raise NotFound("channel")


def _view(aliases: list[CarrierAlias]) -> AliasPage:
    return {"items": [{"alias": one.alias, "carrier": one.carrier} for one in aliases], "next_cursor": None}
