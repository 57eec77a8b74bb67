"""How long tenants keep their buyers' data, and how far the forgetting has come."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from channel_sync.domain.erasure import Retention
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.sql.tables import positions, retentions

_row = retentions.c
_READ = select(_row.days, _row.position, _row.orders_erased, _row.held_orders_erased, _row.erased_until)


class RetentionRepository:
    """Retentions; a row is made when it is first written."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of(self, tenant: str) -> Retention:
        """The tenant's."""
        row = await self._session.row(_READ.where(_row.tenant == tenant))
        return Retention() if row is None else Retention(*row)

    async def taken(self, tenant: str) -> Retention:
        """The tenant's, which nobody else may change until the transaction ends."""
        await self._put(tenant, {})
        row = await self._session.row(_READ.where(_row.tenant == tenant).with_for_update())
        return Retention() if row is None else Retention(*row)

    async def set_days(self, tenant: str, days: int | None) -> None:
        """Write down what the tenant wants."""
        await self._put(tenant, {"days": days})

    async def proceed(self, tenant: str, come_to: Retention) -> None:
        """Write down how far it has come."""
        await self._put(
            tenant,
            {
                "position": come_to.position,
                "orders_erased": come_to.orders_erased,
                "held_orders_erased": come_to.held_orders_erased,
                "erased_until": come_to.erased_until,
            },
        )

    async def _put(self, tenant: str, changes: dict[str, int | datetime | None]) -> None:
        statement = self._session.insert(retentions).values({"tenant": tenant} | changes)
        if changes:
            statement = statement.on_conflict_do_update(index_elements=["tenant"], set_=changes)
        else:
            statement = statement.on_conflict_do_nothing()
        await self._session.execute(statement)

    async def tenants(self, after: str, limit: int) -> Sequence[str]:
        """Tenants that have or had orders, in their order, behind one of them."""
        some = select(positions.c.tenant).where(positions.c.tenant > after).order_by(positions.c.tenant)
        return await self._session.column(some.limit(limit))
