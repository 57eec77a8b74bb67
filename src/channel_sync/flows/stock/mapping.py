"""Which SKUs feed listings, as people say: what that means for the listings and for what was sold of them."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from channel_sync.domain.clock import utcnow
from channel_sync.domain.listings import Listing
from channel_sync.domain.runs import RunKind
from channel_sync.flows.in_pieces import in_pieces
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.integrations import IntegrationQuery
from channel_sync.persistence.listings import ListingQuery, Remapped
from channel_sync.persistence.sql.paging import PageRequest

LONGEST_SKU = 255
# On SQLite everybody else waits for one piece: about 15 ms.
_STORED_AT_ONCE = 100
# On SQLite the event loop works on a page for some 5 ms.
_AT_ONCE = 200


class MappingResult(StrEnum):
    """What became of a row of an import. An `invalid` one changes nothing and stops no other."""

    MAPPED = "mapped"
    UNCHANGED = "unchanged"
    INVALID = "invalid"


class MappingRow(NamedTuple):
    """A listing, and the SKU that is to feed it; None for its own."""

    listing_id: str
    sku: str | None


class MappingAnswer(NamedTuple):
    """What became of a row; `code` says why it is invalid."""

    result: MappingResult
    code: str | None = None


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

    async def map_rows(self, tenant: str, rows: Sequence[MappingRow]) -> list[MappingAnswer]:
        """An answer per row, in order. Some are stored at a time, each whole; who is cut off repeats all of it."""
        faults = _faults(rows)
        usable = [row for row, fault in zip(rows, faults, strict=True) if fault is None]
        found: dict[str, bool] = {}
        for part in in_pieces(usable, _STORED_AT_ONCE):
            found |= await self.map(tenant, dict(part))
        return [
            _answer(found.get(row.listing_id)) if fault is None else MappingAnswer(MappingResult.INVALID, fault)
            for row, fault in zip(rows, faults, strict=True)
        ]


def _faults(rows: Sequence[MappingRow]) -> list[str | None]:
    faults: list[str | None] = []
    seen: set[str] = set()
    for row in rows:
        is_usable = row.sku is None or (row.sku.strip() and len(row.sku) <= LONGEST_SKU)
        fault = None if is_usable else "sku_unusable"
        faults.append("listing_repeated" if row.listing_id in seen else fault)
        seen.add(row.listing_id)
    return faults


def _answer(is_changed: bool | None) -> MappingAnswer:
    if is_changed is None:
        return MappingAnswer(MappingResult.INVALID, "listing_unknown")
    return MappingAnswer(MappingResult.MAPPED if is_changed else MappingResult.UNCHANGED)


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
