"""Listings: what the marketplace offers, and the map of SKUs."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select, update

from channel_sync.domain.errors import NotFound
from channel_sync.domain.ids import new_ids
from channel_sync.domain.integrations import Account
from channel_sync.domain.listings import ChannelListing, Listing, Mapping
from channel_sync.domain.runs import Counts
from channel_sync.persistence.among import among
from channel_sync.persistence.listing_changes import KNOWN, Known, ListingChange
from channel_sync.persistence.listing_mapping import Newcomer, lock_stock_of, map_anew
from channel_sync.persistence.listing_rows import UPSERT, effective_sku, read
from channel_sync.persistence.paging import Page, PageRequest, page_of
from channel_sync.persistence.session import Session
from channel_sync.persistence.tables import accounts
from channel_sync.persistence.trade_tables import listings

_row = listings.c


class ListingRepository:
    """Listings of every tenant; like orders they belong to accounts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def replace(self, account_id: str, fresh: Sequence[ChannelListing], now: datetime) -> Counts:
        """Store listings as the marketplace has them, and map those that are new or come to another SKU.

        Only those that differ are written. Others wait meanwhile, so of many give a few hundred at a time.
        """
        tenant = await self._session.value(select(accounts.c.tenant).where(accounts.c.id == account_id))
        await lock_stock_of(self._session, tenant)
        newest = {listing.variation_id: listing for listing in fresh}
        changes = await self._changes(account_id, newest, now)
        news = [change for change in changes if change.is_news]
        await UPSERT.write(self._session, [change.row(tenant, account_id) for change in news])
        newcomers = [newcomer for change in changes if (newcomer := change.newcomer) is not None]
        left = {sku for change in news if (sku := change.left_sku) is not None}
        await map_anew(self._session, account_id, newcomers, left, now)
        created = sum(change.before is None for change in changes)
        unchanged = len(newest) - len(news)
        return Counts(created, len(news) - created, unchanged, ignored=len(fresh) - len(newest))

    async def _changes(
        self, account_id: str, newest: dict[str, ChannelListing], now: datetime
    ) -> list[ListingChange]:
        mine = (_row.account_id == account_id, among(_row.variation_id, newest))
        known = {row.variation_id: row for row in await self._session.rows(select(*KNOWN).where(*mine))}
        fresh_ids = iter(new_ids("lst", now, len(newest) - len(known)))
        return [
            ListingChange(known[place].id if place in known else next(fresh_ids), known.get(place), listing)
            for place, listing in newest.items()
        ]

    async def there(self, account: Account, after: str, limit: int) -> list[tuple[str, str]]:
        """Listings that are not gone, as pairs of their id and their variation's: so many behind an id."""
        mine = (_row.account_id == account.id, _row.tenant == account.tenant, _row.id > after)
        there = select(_row.id, _row.variation_id).where(*mine, _row.mapping != Mapping.GONE)
        return [(row[0], row[1]) for row in await self._session.rows(there.order_by(_row.id).limit(limit))]

    async def mark_gone(self, account: Account, ids: Collection[str], now: datetime) -> int:
        """Note that these are no longer at the marketplace; how many. Whom their SKUs feed instead is told."""
        await lock_stock_of(self._session, account.tenant)
        marked = update(listings).where(among(_row.id, ids), _row.mapping != Mapping.GONE)
        gone = marked.values(mapping=Mapping.GONE, wanted_version=0).returning(_row.stock_sku)
        left = await self._session.column(gone)
        await map_anew(self._session, account.id, (), {sku for sku in left if sku is not None}, now)
        return len(left)

    async def set_mapped_sku(self, tenant: str, listing_id: str, sku: str | None, now: datetime) -> Listing:
        """Map the listing by hand, or by its own SKU again."""
        await lock_stock_of(self._session, tenant)
        mine = (_row.id == listing_id, _row.tenant == tenant)
        before = await self._session.row(select(_row.account_id, *KNOWN).where(*mine))
        if before is None:
            raise NotFound("listing")
        if before.mapped_sku != sku:
            fed_by = effective_sku(sku, before.sku)
            stays = before.mapping is Mapping.GONE or (sku is not None and fed_by == before.stock_sku)
            mapping = before.mapping if stays else Mapping.UNMAPPED
            change = update(listings).where(*mine).values(mapped_sku=sku, stock_sku=fed_by, mapping=mapping)
            await self._session.execute(change)
            await self._map(before, Newcomer(listing_id, fed_by, is_rival=sku is None and before.writable), now)
        return await self.get(tenant, listing_id)

    async def _map(self, before: Known, newcomer: Newcomer, now: datetime) -> None:
        if before.mapping is not Mapping.GONE:
            left = set() if before.stock_sku is None else {before.stock_sku}
            await map_anew(self._session, before.account_id, [newcomer], left, now)

    async def get(self, tenant: str, listing_id: str) -> Listing:
        """The listing, or `NotFound`."""
        row = await self._session.row(read(tenant).where(_row.id == listing_id))
        if row is None:
            raise NotFound("listing")
        return Listing(*row)

    async def by_sku(self, tenant: str, sku: str) -> list[Listing]:
        """Every listing that the SKU feeds, or would feed if its mapping were clear."""
        return (await self.by_skus(tenant, [sku])).get(sku, [])

    async def by_skus(self, tenant: str, skus: Sequence[str]) -> dict[str, list[Listing]]:
        """The same for many SKUs; one that feeds nothing is missing."""
        statement = read(tenant).add_columns(_row.stock_sku).where(among(_row.stock_sku, skus)).order_by(_row.id)
        found: dict[str, list[Listing]] = {}
        for *row, sku in await self._session.rows(statement):
            found.setdefault(sku, []).append(Listing(*row))
        return found

    async def ids_of(self, tenant: str, variation_ids: Collection[str]) -> dict[str, str]:
        """Our ids of the marketplace's variations; one that is not in the catalogue is missing."""
        if not variation_ids:
            return {}
        mine = select(accounts.c.id).where(accounts.c.tenant == tenant)
        found = select(_row.variation_id, _row.id).where(
            _row.account_id.in_(mine), among(_row.variation_id, variation_ids)
        )
        return {variation_id: listing_id for variation_id, listing_id in await self._session.rows(found)}

    async def count_mapped(self, account_id: str) -> int:
        """How many of the account's listings a SKU feeds."""
        mine = (_row.account_id == account_id, _row.mapping == Mapping.MAPPED)
        return int(await self._session.value(select(func.count()).select_from(listings).where(*mine)))

    async def list(
        self, tenant: str, integration_id: str, page: PageRequest, mapping: Mapping | None = None
    ) -> Page[Listing]:
        """A page of the integration's listings."""
        mine = (accounts.c.tenant == tenant, accounts.c.integration_id == integration_id)
        # Read apart, so that one account's listings come straight from an index in their order.
        account_ids = await self._session.column(select(accounts.c.id).where(*mine))
        statement = read(tenant).where(among(_row.account_id, account_ids))
        if mapping is not None:
            statement = statement.where(_row.mapping == mapping)
        if page.after is not None:
            statement = statement.where(_row.id > str(page.after[0]))
        rows = await self._session.rows(statement.order_by(_row.id).limit(page.limit + 1))
        return page_of([Listing(*row) for row in rows], page, lambda listing: (listing.id,))
