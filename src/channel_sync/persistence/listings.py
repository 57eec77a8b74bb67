"""Listings: what the marketplace offers, and the map of SKUs."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update

from channel_sync.domain.errors import NotFound
from channel_sync.domain.ids import new_id
from channel_sync.domain.listings import ChannelListing, Listing, Mapping
from channel_sync.domain.runs import Counts
from channel_sync.persistence.among import among
from channel_sync.persistence.listing_rows import (
    UPSERT,
    effective_sku,
    forget_pushes,
    map_anew,
    read,
    values,
    want_anew,
)
from channel_sync.persistence.paging import Page, PageRequest, page_of
from channel_sync.persistence.session import Session, columns_of
from channel_sync.persistence.tables import accounts
from channel_sync.persistence.trade_tables import listings

_row = listings.c


class ListingRepository:
    """Listings of every tenant; like orders they belong to accounts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def replace(self, account_id: str, fresh: Sequence[ChannelListing], now: datetime) -> Counts:
        """Store listings as the marketplace has them; only those that differ are written.

        `refresh_mapping` is due afterwards if there was news.
        """
        tenant = await self._session.value(select(accounts.c.tenant).where(accounts.c.id == account_id))
        newest = {listing.variation_id: listing for listing in fresh}
        known = await self._known(account_id, list(newest))
        rows, fed_anew, created = [], [], 0
        for variation_id, listing in newest.items():
            before = known.get(variation_id)
            if before is None:
                created += 1
                rows.append(values((new_id("lst", now), tenant, account_id), listing, listing.sku or None))
            elif _differs(before, listing):
                sku = effective_sku(before.mapped_sku, listing.sku)
                rows.append(values((before.id, tenant, account_id), listing, sku))
                fed_anew += [before.id] if sku != before.stock_sku else []
        await UPSERT.write(self._session, rows)
        if fed_anew:
            await self._session.execute(forget_pushes(fed_anew))
        updated = len(rows) - created
        return Counts(created, updated, len(newest) - len(rows), ignored=len(fresh) - len(newest))

    async def _known(self, account_id: str, variation_ids: list[str]) -> dict[str, Row[*tuple[Any, ...]]]:
        columns = [*columns_of(listings, ChannelListing), _row.id, _row.mapping, _row.mapped_sku, _row.stock_sku]
        mine = (_row.account_id == account_id, among(_row.variation_id, variation_ids))
        return {row.variation_id: row for row in await self._session.rows(select(*columns).where(*mine))}

    async def mark_gone(self, account_id: str, seen: set[str]) -> int:
        """Mark listings whose variation is not among those seen in the whole catalogue; how many."""
        there = select(_row.id, _row.variation_id).where(
            _row.account_id == account_id, _row.mapping != Mapping.GONE
        )
        gone = [row.id for row in await self._session.rows(there) if row.variation_id not in seen]
        if gone:
            marked = update(listings).where(among(_row.id, gone))
            await self._session.execute(marked.values(mapping=Mapping.GONE, wanted_version=0))
        return len(gone)

    async def refresh_mapping(self, account_id: str, now: datetime) -> None:
        """Work out which listings a SKU feeds, and which lack its newest level. A mapping by hand wins."""
        await self._session.execute(map_anew(account_id))
        await self._session.execute(want_anew(now, _row.account_id == account_id))

    async def set_mapped_sku(self, tenant: str, listing_id: str, sku: str | None, now: datetime) -> Listing:
        """Map the listing by hand, or by its own SKU again."""
        mine = (_row.id == listing_id, _row.tenant == tenant)
        row = await self._session.row(
            select(_row.account_id, _row.sku, _row.mapped_sku, _row.stock_sku).where(*mine)
        )
        if row is None:
            raise NotFound("listing")
        fed_by = effective_sku(sku, row.sku)
        if row.mapped_sku != sku:
            await self._session.execute(update(listings).where(*mine).values(mapped_sku=sku, stock_sku=fed_by))
        if row.stock_sku != fed_by:
            await self._session.execute(forget_pushes([listing_id]))
        await self.refresh_mapping(row.account_id, now)
        return await self.get(tenant, listing_id)

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


def _differs(before: Row[*tuple[Any, ...]], listing: ChannelListing) -> bool:
    fields = columns_of(listings, ChannelListing)
    if before.mapping is Mapping.GONE:
        return True
    return any(getattr(before, field.name) != getattr(listing, field.name) for field in fields)
