"""What orders were before they changed. The version that stands now is in the order's own row."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from channel_sync.domain.errors import NotFound
from channel_sync.domain.explanations import OrderTrace
from channel_sync.domain.order_versions import OrderTimeline, OrderVersion
from channel_sync.domain.orders import OrderState
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.sql.any_of import any_of, any_of_given
from channel_sync.persistence.sql.paging import PageRequest, as_position
from channel_sync.persistence.sql.tables import accounts, api_keys
from channel_sync.persistence.sql.trade_tables import order_versions, orders

_row = order_versions.c
_COLUMNS = columns_of(order_versions, OrderVersion)
_STANDING = columns_of(orders, OrderVersion)
_NAMES = [column.name for column in _row]
_KEPT = select(orders.c.id, *(orders.c[name] for name in _NAMES[1:])).where(any_of_given(orders.c.id, "ids"))
_KEEP = {
    postgres: insert(order_versions).from_select(_NAMES, _KEPT).on_conflict_do_nothing()
    for postgres, insert in ((False, sqlite.insert), (True, postgresql.insert))
}

_LAST = 2**31 - 1


async def keep_former(session: Session, order_ids: Sequence[str]) -> None:
    """Keep these orders as they stand, for they are about to be overwritten; the rows never leave the database."""
    if order_ids:
        await session.execute(_KEEP[session.postgres], {"ids": order_ids})


class OrderVersionRepository:
    """Versions of orders of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def once_shipped(self, order_ids: Collection[str]) -> set[str]:
        """Those of the orders that were shipped in a version before the one that stands now."""
        shipped = (any_of(_row.order_id, order_ids), _row.state == OrderState.SHIPPED)
        return set(await self._session.column(select(_row.order_id).where(*shipped)))

    async def trace(self, tenant: str, integration_id: str, channel_order_id: str) -> OrderTrace | None:
        """What is stored of the integration's order with the marketplace's id, with the newest receipt for it."""
        shops = select(accounts.c.id).where(
            accounts.c.tenant == tenant, accounts.c.integration_id == integration_id
        )
        account_ids = await self._session.column(shops)
        mine = (orders.c.account_id.in_(account_ids), orders.c.channel_order_id == channel_order_id)
        traced = select(orders.c.id, *_STANDING, orders.c.erased, orders.c.erased_at)
        row = await self._session.row(traced.where(*mine, orders.c.tenant == tenant))
        if row is None:
            return None
        at, version, by = row.acknowledged_at, row.version, row.acknowledged_by
        if at is None:
            at, version, by = await self._former_receipt(row.id)
        return OrderTrace(
            id=row.id,
            version=row.version,
            state=row.state,
            channel_updated_at=row.channel_updated_at,
            stored_at=row.stored_at,
            erased=row.erased,
            erased_at=row.erased_at,
            acknowledged_at=at,
            acknowledged_version=version,
            acknowledged_by=by,
            acknowledged_name=await self._name(tenant, by),
        )

    async def _former_receipt(self, order_id: str) -> tuple[Any, ...]:
        taken = (_row.order_id == order_id, _row.acknowledged_at.is_not(None))
        receipts = select(_row.acknowledged_at, _row.version, _row.acknowledged_by).where(*taken)
        newest = await self._session.row(receipts.order_by(_row.version.desc()).limit(1))
        return (None, None, None) if newest is None else tuple(newest)

    async def _name(self, tenant: str, key_id: str | None) -> str | None:
        mine = (api_keys.c.id == key_id, api_keys.c.tenant == tenant)
        name: str | None = await self._session.value(select(api_keys.c.name).where(*mine))
        return name

    async def timeline(self, tenant: str, order_id: str, page: PageRequest) -> OrderTimeline:
        """Some versions of the order, the oldest first; `NotFound` where there is no such order."""
        mine = (orders.c.id == order_id, orders.c.tenant == tenant)
        standing = await self._session.row(select(*_STANDING, orders.c.erased_at).where(*mine))
        if standing is None:
            raise NotFound("order")
        after = 0 if page.after is None else min(as_position(page.after[0]), _LAST)
        former = select(*_COLUMNS).where(_row.order_id == order_id, _row.tenant == tenant, _row.version > after)
        found = await self._session.rows(former.order_by(_row.version).limit(page.limit + 1))
        versions = [OrderVersion(*row) for row in found]
        if standing.version > after:
            versions.append(OrderVersion(*standing[:-1]))
        shown = versions[: page.limit]
        return OrderTimeline(shown, shown[-1].version if len(versions) > len(shown) else None, standing.erased_at)
