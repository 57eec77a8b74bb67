"""Which SKUs feed listings, as people say: what that means for the listings and for what was sold of them."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from functools import partial

from channel_sync.domain.clock import utcnow
from channel_sync.domain.listings import Listing
from channel_sync.domain.runs import RunKind
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.integrations import IntegrationQuery
from channel_sync.persistence.listings import ListingQuery, Remapped
from channel_sync.persistence.sql.paging import PageRequest

# On SQLite the event loop works on a page for some 5 ms.
_AT_ONCE = 200


class MapListings:
    """Maps listings of every tenant by hand. `nudge` is called after a commit that made a run due."""

    def __init__(self, database: Database, nudge: Callable[[], None]) -> None:
        self._database = database
        self._nudge = nudge

    async def map(self, tenant: str, wanted: Mapping[str, str | None]) -> dict[str, bool]:
        """Map listings, by their ids, to SKUs or to their own again: whether each was mapped otherwise before.

        Those that the tenant does not have are missing. In one transaction, so of many give some at a time.
        """
        found = await self._database.run_transaction(partial(_map, tenant, wanted))
        if any(found.values()):
            self._nudge()
        return found


async def exported_listings(
    database: Database, tenant: str, integration_id: str | None, query: ListingQuery
) -> AsyncIterator[list[Listing]]:
    """Pages of all listings that fit, of one integration or of every one that is listed, each read by itself.

    Nothing is open while a page is taken, however long that takes.
    """
    async for shop_id in _integrations(database, tenant) if integration_id is None else _only(integration_id):
        request: PageRequest | None = PageRequest(_AT_ONCE)
        while request is not None:
            async with database.read() as work:
                page = await work.listings.list(tenant, shop_id, request, query)
            if page.items:
                yield page.items
            request = None if page.next is None else PageRequest(_AT_ONCE, page.next)


async def _integrations(database: Database, tenant: str) -> AsyncIterator[str]:
    request: PageRequest | None = PageRequest(_AT_ONCE)
    while request is not None:
        async with database.read() as work:
            page = await work.integrations.list(tenant, IntegrationQuery(sort="created_at"), request)
        for integration in page.items:
            yield integration.id
        request = None if page.next is None else PageRequest(_AT_ONCE, page.next)


async def _only(integration_id: str) -> AsyncIterator[str]:
    yield integration_id


async def _map(tenant: str, wanted: Mapping[str, str | None], work: UnitOfWork) -> dict[str, bool]:
    now = utcnow()
    found = await work.listings.set_mapped_skus(tenant, wanted, now)
    changed = [one for one in found.values() if one is not None]
    for integration_id in sorted({one.integration_id for one in changed if one.integration_id is not None}):
        await work.schedules.hurry(integration_id, RunKind.STOCK, now)
    # Schedules before accounts, as whoever stores orders takes them.
    for account_id, skus in sorted(_by_account(changed).items()):
        await work.mapped_skus.fill_open_orders(tenant, account_id, skus)
    return {listing_id: one is not None for listing_id, one in found.items()}


def _by_account(changed: Collection[Remapped]) -> dict[str, dict[str, str]]:
    skus: dict[str, dict[str, str]] = defaultdict(dict)
    for one in changed:
        if one.sku is not None:
            skus[one.account_id][one.variation_id] = one.sku
    return skus
