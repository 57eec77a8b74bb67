"""Operations on stock rules: what a SKU or a listing has for itself, and which units that changes."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Input, Sku, UnitRulesInput
from channel_sync.api.http.long_lists import STOPS_EARLY
from channel_sync.api.http.paging import Cursors, PageQuery
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.listings import ListingView, listing_view
from channel_sync.api.stock_schemas import UnitRulesView
from channel_sync.api.stock_view import rules_view
from channel_sync.flows.stock.rules import ListingRules, UnitChange

router = APIRouter(tags=["stock"], route_class=StrictRoute)

READ = requires("stock:read")
WRITE = requires("stock:write")


class SkuRulesItem(UnitRulesInput):
    """All rules of one SKU; without any it goes by the settings of each integration again."""

    sku: Sku
    """Yours; it may have no level yet."""


class SkuRulesInput(Input):
    """Rules of SKUs."""

    items: Annotated[list[SkuRulesItem], STOPS_EARLY, Field(min_length=1, max_length=500)]
    """The SKUs; others keep theirs."""
    dry_run: StrictBool = False
    """Only say what would change; nothing is stored or sent."""


class ListingRulesInput(UnitRulesInput):
    """All rules of one listing."""

    excluded: StrictBool = False
    """Nothing is sent to the listing any more, whatever feeds it."""
    dry_run: StrictBool = False
    """Only say what would change; nothing is stored or sent."""


class UnitChangeView(TypedDict):
    """A listing that is told other units: `before` were sent last, if any were; `quantity` goes out now."""

    listing_id: str
    integration_id: str
    before: int | None
    quantity: int


class ChangedSkuRulesView(TypedDict):
    """The rules of one SKU, and what they change."""

    sku: str
    rules: UnitRulesView
    changes: list[UnitChangeView]


class SkuRulesAnswers(TypedDict):
    """One answer per item, in the same order."""

    dry_run: bool
    items: list[ChangedSkuRulesView]


class SkuRulesView(TypedDict):
    """The rules of one SKU."""

    sku: str
    rules: UnitRulesView


class SkuRulesPage(TypedDict):
    """Some SKUs that have rules, and the cursor that goes on."""

    items: list[SkuRulesView]
    next_cursor: str | None


class ListingRulesView(TypedDict):
    """The listing with its rules, and what they change."""

    dry_run: bool
    listing: ListingView
    changes: list[UnitChangeView]


class RuleFilters(PageQuery):
    """Which rules."""

    sku: Annotated[str, Field(max_length=255)] | None = None
    """Only of this one."""


@router.get("/stock-rules", summary="List the rules of SKUs", dependencies=[READ])
async def list_sku_rules(
    asked: Annotated[RuleFilters, Query()], caller: CurrentCaller, services: CurrentServices
) -> SkuRulesPage:
    """The tenant's SKUs that have rules of their own."""
    cursors = Cursors("stock-rules", caller.tenant, asked.filters(), (str,))
    async with services.database.read() as work:
        page = await work.stock_rules.page_of_skus(caller.tenant, cursors.request(asked), asked.sku)
    views: list[SkuRulesView] = [{"sku": sku, "rules": rules_view(rules)} for sku, rules in page.items]
    return {"items": views, "next_cursor": cursors.write(page.next)}


@router.put("/stock-rules", summary="Set the rules of SKUs", dependencies=[WRITE])
async def set_sku_rules(given: SkuRulesInput, caller: CurrentCaller, services: CurrentServices) -> SkuRulesAnswers:
    """What changes, SKU by SKU. A SKU's rules count in every shop and go before the integrations' settings."""
    wanted = [(item.sku, item.rules()) for item in given.items]
    changes = await services.stock_rules.of_skus(caller.tenant, wanted, given.dry_run)
    views: list[ChangedSkuRulesView] = [
        {"sku": sku, "rules": rules_view(rules), "changes": _changes(changed)}
        for (sku, rules), changed in zip(wanted, changes, strict=True)
    ]
    return {"dry_run": given.dry_run, "items": views}


@router.put("/listings/{listing_id}/rules", summary="Set the rules of a listing", dependencies=[WRITE])
async def set_listing_rules(
    listing_id: str, given: ListingRulesInput, caller: CurrentCaller, services: CurrentServices
) -> ListingRulesView:
    """The listing's own rules, which go before those of its SKU. One that is excluded keeps what it shows."""
    wanted = ListingRules(given.rules(), given.excluded)
    listing, changes = await services.stock_rules.of_listing(caller.tenant, listing_id, wanted, given.dry_run)
    return {"dry_run": given.dry_run, "listing": listing_view(listing), "changes": _changes(changes)}


def _changes(changes: list[UnitChange]) -> list[UnitChangeView]:
    return [
        {
            "listing_id": change.listing_id,
            "integration_id": change.integration_id,
            "before": change.before,
            "quantity": change.quantity,
        }
        for change in changes
    ]
