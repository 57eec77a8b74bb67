"""Stock levels: what callers want, SKU by SKU."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from sqlalchemy import func, select

from channel_sync.domain.errors import NotFound
from channel_sync.domain.listings import PushState
from channel_sync.domain.stock import CountedOrders, StockItem, StockLevel, StockResult
from channel_sync.persistence.engine.session import Session, Values, columns_of
from channel_sync.persistence.listing_mapping import lock_stock_of
from channel_sync.persistence.listing_rows import is_pending, want_anew
from channel_sync.persistence.reservations import ReservationRepository
from channel_sync.persistence.rows.timestamps import micros
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.bulk import BulkInsert, overwrite
from channel_sync.persistence.sql.paging import Page, PageRequest, page_of
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import listings, stock_levels
from channel_sync.persistence.stock_states import skus_in

_row = stock_levels.c
_COLUMNS = columns_of(stock_levels, StockLevel)
_CHANGING = ("available", "version", "revision", "updated_at", "warehouses", "reserved")
_UPSERT = BulkInsert(
    stock_levels, ("tenant", "sku", *_CHANGING), f"ON CONFLICT (tenant, sku) DO UPDATE SET {overwrite(_CHANGING)}"
)


class StockRepository:
    """Levels of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reservations = ReservationRepository(session)

    async def put(
        self,
        tenant: str,
        items: Sequence[StockItem],
        now: datetime,
        counted: CountedOrders = CountedOrders.ALL,
    ) -> list[tuple[StockLevel, StockResult]]:
        """Set levels, in which the caller has counted orders; the level and the result for each.

        The listings that a changed level feeds are marked as waiting.
        """
        await lock_stock_of(self._session, tenant)
        stored = await self.levels(tenant, [item.sku for item in items])
        levels = await self._without_counted(tenant, stored, items, counted)
        results: list[tuple[StockLevel, StockResult]] = []
        for item in items:
            level, result = _changed(levels.get(item.sku), item, now)
            before = stored.get(item.sku)
            if result is StockResult.UNCHANGED and before is not None and level.frees(before):
                level, result = replace(level, version=level.version + 1), StockResult.ACCEPTED
            levels[item.sku] = level
            results.append((level, result))
        changed = [level for sku, level in levels.items() if level != stored.get(sku)]
        await _UPSERT.write(self._session, [_values(tenant, level) for level in changed])
        accepted = [level.sku for level, result in results if result is StockResult.ACCEPTED]
        if accepted:
            await self.want_anew(tenant, accepted, now)
        return results

    async def want_anew(self, tenant: str, skus: Collection[str], now: datetime) -> None:
        """Let the listings wait that are to be told another version of these SKUs' levels."""
        fed = (listings.c.tenant == tenant, any_of(listings.c.stock_sku, skus))
        await self._session.execute(want_anew(now, *fed))

    async def _without_counted(
        self, tenant: str, stored: Mapping[str, StockLevel], items: Sequence[StockItem], counted: CountedOrders
    ) -> dict[str, StockLevel]:
        """The levels without what was held back for orders that the items count. What was said before does not."""
        levels = dict(stored)
        skus = {item.sku for item in items if _is_said_anew(levels.get(item.sku), item)}
        if counted is CountedOrders.ALL and skus:
            await self._reservations.count_unsettled(tenant, skus)
        holding = {sku: levels[sku] for sku in skus if sku in levels and levels[sku].reserved}
        if holding:
            left = await self._reservations.count(tenant, holding, counted)
            levels |= {sku: replace(level, reserved=left.get(sku, 0)) for sku, level in holding.items()}
        return levels

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


def _is_said_anew(level: StockLevel | None, item: StockItem) -> bool:
    """Whether the item is no repetition, nor older: as far as its revision tells."""
    known = None if level is None else level.revision_at(item.warehouse)
    return item.revision is None or known is None or item.revision > known


def _values(tenant: str, level: StockLevel) -> Values:
    named = None if level.warehouses is None else msgspec.json.encode(level.warehouses).decode()
    counted = (level.available, level.version, level.revision, micros(level.updated_at))
    return tenant, level.sku, *counted, named, level.reserved
