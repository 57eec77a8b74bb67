"""Why a listing shows the units that it shows."""

from typing import Annotated

from fastapi import APIRouter, Path
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Timestamp, timestamp
from channel_sync.api.http.services import CurrentServices, Services
from channel_sync.api.stock_schemas import ListingStockView, OurCode, UnitRulesView
from channel_sync.api.stock_view import level_views, rules_view
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import Listing
from channel_sync.domain.push_states import Reason
from channel_sync.domain.stock import StockLevel
from channel_sync.domain.stock_sentences import Journey, Shown, sentence
from channel_sync.flows.stock.rules import arithmetic_of

router = APIRouter(tags=["stock"], route_class=StrictRoute)


class ExplainedListingView(ListingStockView):
    """A listing with its own rules, and the whole way of the level in one sentence.

    `asked_now`: `at_channel` is what the marketplace answered just now, else what was last seen.
    """

    rules: UnitRulesView
    asked_now: bool
    sentence: str


class StockExplanationView(TypedDict):
    """The way of a level to the listings of one integration. `rules` are the SKU's."""

    sku: str
    integration_id: str
    available: int
    reserved: int
    version: int
    updated_at: Timestamp
    rules: UnitRulesView
    code: OurCode | None
    sentence: str
    listings: list[ExplainedListingView]


@router.get(
    "/integrations/{integration_id}/stock/{sku:path}/explain",
    summary="Explain the stock of a SKU in one shop",
    dependencies=[requires("stock:read")],
)
async def explain_stock(
    integration_id: str,
    sku: Annotated[str, Path(max_length=255)],
    caller: CurrentCaller,
    services: CurrentServices,
) -> StockExplanationView:
    """From the level to what the marketplace shows: each step as a member, all of it as a sentence.

    The marketplace is asked what it shows now; where it does not answer, what was last seen there is told.
    """
    async with services.database.read() as work:
        integration = await work.integrations.get(caller.tenant, integration_id)
        level = await work.stock.get(caller.tenant, sku)
        (view,) = await level_views(work, services.channels, caller.tenant, [level])
        fed = (await work.listings.by_skus(caller.tenant, [sku])).get(sku, [])
    mine = {one.id: one for one in fed if one.integration_id == integration_id}
    shown = await services.look_at_shop.shown(integration, list(mine.values()))
    listings = [
        _explained(one, mine[one["listing_id"]], level, integration, shown.get(one["listing_id"]), services)
        for one in view["listings"]
        if one["listing_id"] in mine
    ]
    nowhere = f"available {level.available}, but no listing of this shop has the SKU or is mapped to it"
    return {
        "sku": sku,
        "integration_id": integration_id,
        "available": level.available,
        "reserved": level.reserved,
        "version": level.version,
        "updated_at": view["updated_at"],
        "rules": view["rules"],
        "code": None if listings else "no_listing",
        "sentence": "; ".join(one["sentence"] for one in listings) or nowhere,
        "listings": listings,
    }


def _explained(
    view: ListingStockView,
    listing: Listing,
    level: StockLevel,
    integration: Integration,
    shown: Shown | None,
    services: Services,
) -> ExplainedListingView:
    steps = None
    if listing.is_fed:
        steps = arithmetic_of(integration, services.channels).reckoned(level, listing.sku_rules, listing.rules)
    channel = services.channels.get(integration.channel)
    name = integration.channel if channel is None else channel.description.name
    journey = Journey(steps, listing, view["state"], Reason(view["code"], view["reason"]), shown, name)
    at_channel = (
        view["at_channel"] if shown is None else {"quantity": shown.quantity, "seen_at": timestamp(shown.seen_at)}
    )
    return {
        **view,
        "at_channel": at_channel,
        "rules": rules_view(listing.rules),
        "asked_now": shown is not None and shown.now,
        "sentence": sentence(journey),
    }
