"""Stock levels: what callers want, SKU by SKU."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, select

from channel_sync.domain.errors import NotFound
from channel_sync.domain.listings import PushState
from channel_sync.domain.stock import StockItem, StockLevel, StockResult
from channel_sync.persistence.engine.session import Session, Values, columns_of
from channel_sync.persistence.listing_mapping import lock_stock_of
from channel_sync.persistence.listing_rows import is_pending, want_anew
from channel_sync.persistence.rows.timestamps import micros
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.bulk import BulkInsert, overwrite
from channel_sync.persistence.sql.paging import Page, PageRequest, page_of
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import listings, stock_levels
from channel_sync.persistence.stock_states import skus_in

_row = stock_levels.c
_COLUMNS = columns_of(stock_levels, StockLevel)
_CHANGING = ("available", "version", "revision", "updated_at", "warehouses")
_UPSERT = BulkInsert(
    stock_levels, ("tenant", "sku", *_CHANGING), f"ON CONFLICT (tenant, sku) DO UPDATE SET {overwrite(_CHANGING)}"
)


class StockRepository:
    """Levels of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def put(
        self, tenant: str, items: Sequence[StockItem], now: datetime
    ) -> list[tuple[StockLevel, StockResult]]:
        """Set levels; the level and the result for each.

        The listings that a changed level feeds are marked as waiting.
        """
        await lock_stock_of(self._session, tenant)
        levels = await self.levels(tenant, [item.sku for item in items])
        stored = dict(levels)
        results: list[tuple[StockLevel, StockResult]] = []
        for item in items:
            level, result = _changed(levels.get(item.sku), item, now)
            levels[item.sku] = level
            results.append((level, result))
        changed = [level for sku, level in levels.items() if level != stored.get(sku)]
        await _UPSERT.write(self._session, [_values(tenant, level) for level in changed])
        accepted = [level.sku for level, result in results if result is StockResult.ACCEPTED]
        if accepted:
            fed = (listings.c.tenant == tenant, any_of(listings.c.stock_sku, accepted))
            await self._session.execute(want_anew(now, *fed))
        return results

    async def levels(self, tenant: str, skus: Sequence[str]) -> dict[str, StockLevel]:
        """The level of each SKU; one without a level is missing."""
        mine = select(*_COLUMNS).where(_row.tenant == tenant, any_of(_row.sku, skus))
        return {row.sku: StockLevel(*row) for row in await self._session.rows(mine)}

    async def count_fed(self, tenant: str, skus: Sequence[str]) -> dict[str, int]:
        """How many listings each of the SKUs feeds; one that feeds none is missing."""
        mine = (listings.c.tenant == tenant, any_of(listings.c.stock_sku, skus))
        counted = select(listings.c.stock_sku, func.count()).where(*mine).group_by(listings.c.stock_sku)
        return {sku: number for sku, number in await self._session.rows(counted)}

    async def integrations_to_push(self, tenant: str, skus: Sequence[str]) -> list[str]:
        """Ids of the integrations that have listings of these SKUs waiting, and may send."""
        waiting = (listings.c.tenant == tenant, any_of(listings.c.stock_sku, skus), is_pending())
        return await self._session.column(
            select(accounts.c.integration_id)
            .join_from(listings, accounts, accounts.c.id == listings.c.account_id)
            .where(*waiting, accounts.c.attached, accounts.c.brake.is_(None))
            .distinct()
        )

    async def get(self, tenant: str, sku: str) -> StockLevel:
        """The level, or `NotFound`."""
        level = (await self.levels(tenant, [sku])).get(sku)
        if level is None:
            raise NotFound("stock level")
        return level

    async def list(
        self, tenant: str, page: PageRequest, sku: str | None = None, state: PushState | None = None
    ) -> Page[StockLevel]:
        """A page of the tenant's levels by SKU; with a state those that have a listing in it.

        Such a page may have fewer levels than asked for although there are more.
        """
        statement = select(*_COLUMNS).where(_row.tenant == tenant)
        if sku is not None:
            statement = statement.where(_row.sku == sku)
        if state is not None:
            after = "" if page.after is None else str(page.after[0])
            skus, looked_until = await skus_in(self._session, tenant, state, after, page.limit, sku)
            rows = await self._session.rows(statement.where(any_of(_row.sku, skus)).order_by(_row.sku))
            levels = [StockLevel(*row) for row in rows]
            return Page(levels, None if looked_until is None else (looked_until,))
        if page.after is not None:
            statement = statement.where(_row.sku > str(page.after[0]))
        rows = await self._session.rows(statement.order_by(_row.sku).limit(page.limit + 1))
        return page_of([StockLevel(*row) for row in rows], page, lambda level: (level.sku,))


def _changed(level: StockLevel | None, item: StockItem, now: datetime) -> tuple[StockLevel, StockResult]:
    if item.warehouse is not None:
        counted = level or StockLevel(item.sku, 0, 0, None, now)
        return counted.change_at(item.warehouse, item.available, item.revision, now)
    if level is None:
        return StockLevel(item.sku, item.available, 1, item.revision, now), StockResult.ACCEPTED
    return level.change_to(item.available, item.revision, now)


def _values(tenant: str, level: StockLevel) -> Values:
    named = None if level.warehouses is None else msgspec.json.encode(level.warehouses).decode()
    return tenant, level.sku, level.available, level.version, level.revision, micros(level.updated_at), named
