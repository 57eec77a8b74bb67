"""Units that orders hold back of a level, from when they are stored until the caller has counted them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Row, and_, bindparam, delete, func, or_, select, text, tuple_, update

from channel_sync.domain.integrations import Account
from channel_sync.domain.orders import OrderState
from channel_sync.domain.reservations import Sale, SettledSales
from channel_sync.domain.stock import MAX_UNITS, CountedOrders
from channel_sync.persistence.engine.session import Session, Values
from channel_sync.persistence.listing_mapping import lock_stock_of
from channel_sync.persistence.rows.prepared_orders import OrderRow, is_by_merchant
from channel_sync.persistence.rows.timestamps import micros
from channel_sync.persistence.sql.any_of import any_of, any_of_given
from channel_sync.persistence.sql.bulk import BulkInsert, overwrite
from channel_sync.persistence.sql.trade_tables import listings, orders, reservations, stock_levels

_row = reservations.c
_OPEN = (OrderState.IN_REVIEW.value, OrderState.APPROVED.value)
_INSERT = BulkInsert(
    reservations,
    (
        *("order_id", "line", "tenant", "account_id", "variation_id"),
        *("sku", "units", "sold_by", "stored_at", "settled"),
    ),
    f"ON CONFLICT (order_id, line) DO UPDATE SET {overwrite(('units', 'sold_by', 'stored_at', 'settled'))}",
)
_HAS_LEVELS = select(stock_levels.c.sku).where(stock_levels.c.tenant == bindparam("whose")).limit(1)
_UNSETTLED = text("NOT settled")
_SKU = func.coalesce(listings.c.stock_sku, _row.sku)
_SETTLING = (
    select(_row.order_id, _row.line, _row.account_id, _row.variation_id, _row.units, _row.sold_by)
    .add_columns(_row.sku.label("so_far"), _SKU.label("sku"), stock_levels.c.version.label("level"))
    .outerjoin_from(
        reservations,
        listings,
        and_(listings.c.account_id == _row.account_id, listings.c.variation_id == _row.variation_id),
    )
    .outerjoin(stock_levels, and_(stock_levels.c.tenant == _row.tenant, stock_levels.c.sku == _SKU))
    .where(_row.tenant == bindparam("whose"), _UNSETTLED)
    .limit(bindparam("most"))
)
_SOLD = select(listings.c.variation_id).where(
    listings.c.account_id == _row.account_id, any_of_given(listings.c.stock_sku, "skus")
)
# Every level that is set asks this, and hardly ever is there any: built anew it takes as long as all the rest.
_COUNT_UNSETTLED = (
    update(reservations)
    .where(
        _row.tenant == bindparam("whose"),
        _UNSETTLED,
        or_(any_of_given(_row.sku, "skus"), _row.variation_id.in_(_SOLD.correlate(reservations))),
    )
    .values(units=0)
)
_KEEP = (
    update(reservations)
    .where(_row.order_id == bindparam("of"), _row.line == bindparam("at"))
    .values(sku=bindparam("from_level"), settled=True)
)


class _Line(msgspec.Struct):
    sku: str | None
    channel_listing_id: str | None
    quantity: int


class _Content(msgspec.Struct):
    lines: list[_Line]


_read = msgspec.json.Decoder(_Content).decode


class ReservationRepository:
    """Reservations of every tenant. They count from when they are settled on, which is a moment later.

    Whoever stores orders holds the account, and whoever writes levels the tenant's stock: neither waits for the
    other that way.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, account: Account, since: datetime, opened: Sequence[OrderRow]) -> None:
        """Hold back what open orders take that were sold since a moment, where the merchant ships them."""
        earliest = micros(since)
        fresh = [
            row
            for row in opened
            if row.state in _OPEN and _sold_by(row) >= earliest and is_by_merchant(row) and not row.erased
        ]
        if fresh and await self._session.value(_HAS_LEVELS, {"whose": account.tenant}) is not None:
            await _INSERT.write(self._session, [line for row in fresh for line in _lines(row)])

    async def give_back(self, order_ids: Collection[str]) -> None:
        """Let these orders hold back nothing any more."""
        back = update(reservations).where(any_of(_row.order_id, order_ids))
        await self._session.execute(back.values(units=0, settled=False))

    async def unsettled_tenants(self, limit: int) -> list[str]:
        """Tenants that have unsettled reservations, so many."""
        return await self._session.column(select(_row.tenant).where(_UNSETTLED).distinct().limit(limit))

    async def settle(self, tenant: str, limit: int) -> SettledSales:
        """Let so many reservations of the tenant count. Who else writes its stock waits for the transaction.

        One of a SKU without a level is dropped: the first one that the caller sets counts it.
        """
        await lock_stock_of(self._session, tenant)
        rows = await self._session.rows(_SETTLING, {"whose": tenant, "most": limit})
        kept = [row for row in rows if _counts(row)]
        dropped = [(row.order_id, row.line) for row in rows if not _counts(row)]
        if kept:
            await self._session.execute(
                _KEEP, [{"of": row.order_id, "at": row.line, "from_level": row.sku} for row in kept]
            )
        if dropped:
            key = tuple_(_row.order_id, _row.line)
            await self._session.execute(delete(reservations).where(key.in_(dropped)))
        skus = {sku for row in rows for sku in (row.sku, row.so_far) if sku is not None}
        return SettledSales(await self._recount(tenant, skus), _sales(kept))

    async def count(self, tenant: str, skus: Collection[str], counted: CountedOrders) -> dict[str, int]:
        """How much is still held back of each SKU once the caller has counted these orders, if any is."""
        mine = (_row.tenant == tenant, any_of(_row.sku, skus), _row.settled)
        if counted is CountedOrders.ACKNOWLEDGED:
            theirs = (orders.c.id == _row.order_id, orders.c.acknowledged_version.is_not(None))
            known = select(orders.c.id).where(*theirs).correlate(reservations).exists()
            await self._session.execute(delete(reservations).where(*mine, known))
            return await self._sums(tenant, skus)
        await self._session.execute(delete(reservations).where(*mine))
        return {}

    async def count_unsettled(self, tenant: str, skus: Collection[str]) -> None:
        """Let what was just stored of these SKUs hold back nothing."""
        await self._session.execute(_COUNT_UNSETTLED, {"whose": tenant, "skus": skus})

    async def _recount(self, tenant: str, skus: Collection[str]) -> frozenset[str]:
        """Write down what is held back of each SKU; those whose level is another by that."""
        sums = await self._sums(tenant, skus)
        mine = (stock_levels.c.tenant == tenant, any_of(stock_levels.c.sku, skus))
        levels = await self._session.rows(select(stock_levels.c.sku, stock_levels.c.reserved).where(*mine))
        changed = {sku: sums.get(sku, 0) for sku, reserved in levels if reserved != sums.get(sku, 0)}
        for sku, units in changed.items():
            one = update(stock_levels).where(stock_levels.c.tenant == tenant, stock_levels.c.sku == sku)
            fresh = {"reserved": units, "version": stock_levels.c.version + 1}
            await self._session.execute(one.values(fresh))
        return frozenset(changed)

    async def _sums(self, tenant: str, skus: Collection[str]) -> dict[str, int]:
        mine = (_row.tenant == tenant, any_of(_row.sku, skus), _row.settled)
        rows = await self._session.rows(select(_row.sku, func.sum(_row.units)).where(*mine).group_by(_row.sku))
        return {sku: min(int(units), MAX_UNITS) for sku, units in rows}


def _counts(row: Row[*tuple[Any, ...]]) -> bool:
    return row.units > 0 and row.level is not None


def _sales(rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[Sale, ...]:
    """What the rows sold, by listing."""
    of_listings = sorted((row for row in rows if row.variation_id is not None), key=_place)
    sales = []
    for (account_id, variation_id), group in groupby(of_listings, key=_place):
        lines = [*group]
        units, sold_by = sum(line.units for line in lines), min(line.sold_by for line in lines)
        sales.append(Sale(account_id, variation_id, units, sold_by))
    return tuple(sales)


def _place(row: Row[*tuple[Any, ...]]) -> tuple[str, str]:
    return row.account_id, row.variation_id


def _sold_by(row: OrderRow) -> int:
    """In microseconds: it is released after that, and under review it has no such time yet."""
    return row.channel_updated_at if row.released_at is None else row.released_at


def _lines(row: OrderRow) -> list[Values]:
    return [
        (
            *(row.id, number, row.tenant, row.account_id, line.channel_listing_id),
            *(line.sku, min(line.quantity, MAX_UNITS), _sold_by(row), row.stored_at, False),
        )
        for number, line in enumerate(_read(row.content).lines)
        if line.quantity > 0
    ]
