"""Orders that have to be shipped soon, of which each time to ship them by is told once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text

from channel_sync.domain.ship_by import NearShipBy
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.rows.timestamps import micros
from channel_sync.persistence.sql.dispatch_tables import ship_by_notices, ship_by_told
from channel_sync.persistence.sql.order_rows import content_of
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import orders

# From the tenants to their orders, so that the index of what is to be shipped is gone into once for each.
_NEAR = text("""\
SELECT orders.id, orders.tenant, accounts.integration_id, orders.channel_order_id, orders.ship_by, orders.content
FROM positions
LEFT JOIN ship_by_notices ON ship_by_notices.tenant = positions.tenant
JOIN orders ON orders.tenant = positions.tenant AND orders.state = 'approved' AND orders.ship_by IS NOT NULL
    AND orders.ship_by > CAST(:now AS BIGINT) AND orders.ship_by <=
        CAST(:now AS BIGINT) + coalesce(ship_by_notices.hours, CAST(:usual AS BIGINT)) * 3600000000
JOIN accounts ON accounts.id = orders.account_id AND accounts.attached
LEFT JOIN ship_by_told ON ship_by_told.order_id = orders.id AND ship_by_told.ship_by = orders.ship_by
WHERE ship_by_told.order_id IS NULL
ORDER BY orders.ship_by LIMIT :most""").columns(
    orders.c.id,
    orders.c.tenant,
    accounts.c.integration_id,
    orders.c.channel_order_id,
    orders.c.ship_by,
    orders.c.content,
)


class ShipByRepository:
    """Times to ship orders by, of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def notice_h(self, tenant: str) -> int | None:
        """How many hours before the tenant wants to be told, if it said so; 0 for not at all."""
        row = ship_by_notices.c
        hours: int | None = await self._session.value(select(row.hours).where(row.tenant == tenant))
        return hours

    async def set_notice_h(self, tenant: str, hours: int | None) -> None:
        """Write down what the tenant wants."""
        wanted = self._session.insert(ship_by_notices).values(tenant=tenant, hours=hours)
        await self._session.execute(wanted.on_conflict_do_update(index_elements=["tenant"], set_={"hours": hours}))

    async def near(self, now: datetime, usual_h: int, limit: int) -> list[NearShipBy]:
        """Orders to be shipped whose time is near and was not told of, the most urgent first."""
        asked = {"now": micros(now), "usual": usual_h, "most": limit}
        rows = await self._session.rows(_NEAR, asked)
        return [
            NearShipBy(
                row.id,
                row.tenant,
                row.integration_id,
                row.channel_order_id,
                row.ship_by,
                content_of(row.content).fulfilled_by,
            )
            for row in rows
        ]

    async def told(self, near: Sequence[NearShipBy]) -> None:
        """Note that these were told of."""
        fresh = self._session.insert(ship_by_told)
        times = {"ship_by": fresh.excluded.ship_by}
        await self._session.execute(
            fresh.on_conflict_do_update(index_elements=["order_id"], set_=times),
            [{"order_id": one.order_id, "tenant": one.tenant, "ship_by": one.ship_by} for one in near],
        )

    async def forget(self, before: datetime, limit: int) -> int:
        """Forget what was told of times that are past; how many."""
        row = ship_by_told.c
        return await self._session.delete_some(ship_by_told, row.ship_by < before, row.ship_by, limit)
