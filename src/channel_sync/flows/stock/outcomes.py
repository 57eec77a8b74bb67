"""What the shop said about new stock, into rows and events."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from channel_sync.domain.clock import utcnow
from channel_sync.domain.events import Event
from channel_sync.domain.ids import new_id
from channel_sync.domain.listings import ListingStock, ProductStock, StockOutcome
from channel_sync.domain.runs import Counts
from channel_sync.flows.runs.session import RunSession, RunTransaction

# Listings of one transaction, for which on SQLite everybody else waits: about 10 ms.
STORED_AT_ONCE = 250


def listings_of(products: Iterable[ProductStock]) -> list[ListingStock]:
    """All listings of some products."""
    return [listing for product in products for listing in product.listings]


def refused(product: ProductStock, code: str, reason: str) -> list[StockOutcome]:
    """The same refusal for every listing of a product."""
    return [StockOutcome(stock.listing_id, stock.version, False, code, reason) for stock in product.listings]


def accepted(product: ProductStock) -> list[StockOutcome]:
    """Acceptance for every listing of a product, which nobody has seen yet."""
    return [StockOutcome(stock.listing_id, stock.version, True, shown=False) for stock in product.listings]


async def settle(page: RunTransaction, session: RunSession, outcomes: Sequence[StockOutcome]) -> None:
    """Outcomes stored at the version that was sent; each refusal is an event and waits for a new value."""
    now = utcnow()
    rejected = [outcome for outcome in outcomes if not outcome.accepted]
    await page.work.pushes.settle(outcomes, now)
    if rejected:
        await page.work.events.add([_rejected(session, outcome, now) for outcome in rejected])
    page.counts += Counts(updated=len(outcomes) - len(rejected), failed=len(rejected))
    session.refusals.update((outcome.code or "refused", outcome.reason or "") for outcome in rejected)


def _rejected(session: RunSession, outcome: StockOutcome, now: datetime) -> Event:
    members: dict[str, str | int | None] = {
        "listing_id": outcome.listing_id,
        "version": outcome.version,
        "code": outcome.code,
    }
    tenant, integration_id = session.integration.tenant, session.integration.id
    return Event(new_id("evt", now), tenant, "stock.rejected", integration_id, now, members)
