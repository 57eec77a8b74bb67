"""What a transaction adds to the feeds of orders and events, written as its last step.

Positions are given out in the order of commits: the tenant's row in `positions` stays locked from the writing to
the commit, and everybody else who adds to a feed of the tenant waits. Both feeds share the row, as one lock cannot
deadlock with itself.
"""

from collections.abc import Sequence
from functools import lru_cache

from channel_sync.persistence.engine.session import Session, Values
from channel_sync.persistence.rows.event_rows import EventRow
from channel_sync.persistence.rows.prepared_orders import OrderRow
from channel_sync.persistence.sql.bulk import BulkInsert
from channel_sync.persistence.sql.order_rows import UPSERT
from channel_sync.persistence.sql.tables import events, positions

# The same thing told twice has one id, and is one event.
_INSERT_EVENTS = BulkInsert(events, ("tenant", *EventRow._fields, "position"), "ON CONFLICT (id) DO NOTHING")

# A tenant, and how many orders and events it gets. The row's lock is the statement's first effect.
_TAKE_PLACES = """\
INSERT INTO positions AS known (tenant, orders, events) VALUES ($1, $2, $3)
ON CONFLICT (tenant) DO UPDATE SET orders = known.orders + excluded.orders, events = known.events + excluded.events
RETURNING orders - $2 AS orders, events - $3 AS events"""


class FeedWrites:
    """Additions to feeds that wait for the end of their transaction, which alone sees nothing of them before."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._orders: dict[str, list[OrderRow]] = {}
        self._events: dict[str, dict[str, EventRow]] = {}

    def add_orders(self, tenant: str, rows: Sequence[OrderRow]) -> None:
        """Add new versions of orders, none of which waits here already."""
        if rows:
            self._orders.setdefault(tenant, []).extend(rows)

    def add_events(self, tenant: str, rows: Sequence[EventRow]) -> None:
        """Add events in their order; one whose id is known is left out."""
        if rows:
            self._events.setdefault(tenant, {}).update({row.id: row for row in rows})

    async def write(self) -> None:
        """Write what waits. Tenants have their order, so that no two transactions wait for each other."""
        for tenant in sorted({*self._orders, *self._events}):
            orders = self._orders.pop(tenant, [])
            told = [(tenant, *row) for row in self._events.pop(tenant, {}).values()]
            if self._session.postgres:
                await self._write_in_one(tenant, orders, told)
            else:
                await self._write_in_turn(tenant, orders, told)

    async def _write_in_one(self, tenant: str, orders: Sequence[Values], told: Sequence[Values]) -> None:
        """One message to the server and one back, and then the commit: so long everybody waits, and no longer."""
        statement = _statement(bool(orders), bool(told))
        values = (tenant, len(orders), len(told), *_columns(orders), *_columns(told))
        await self._session.run(lambda connection: connection.exec_driver_sql(statement, values))

    async def _write_in_turn(self, tenant: str, orders: Sequence[Values], told: Sequence[Values]) -> None:
        before = await self._session.row(
            self._session.insert(positions)
            .values(tenant=tenant, orders=len(orders), events=len(told))
            .on_conflict_do_update(
                index_elements=["tenant"],
                set_={"orders": positions.c.orders + len(orders), "events": positions.c.events + len(told)},
            )
            .returning(positions.c.orders - len(orders), positions.c.events - len(told))
        )
        assert before is not None, "It is written in any case."
        await UPSERT.write(self._session, _placed(orders, before[0]))
        await _INSERT_EVENTS.write(self._session, _placed(told, before[1]))


@lru_cache
def _statement(of_orders: bool, of_events: bool) -> str:
    parts, first = [f"place AS ({_TAKE_PLACES})"], 4
    for wanted, feed, bulk in ((of_orders, "orders", UPSERT), (of_events, "events", _INSERT_EVENTS)):
        if wanted:
            parts.append(f"new_{feed} AS ({bulk.ordered(first, f'place.{feed}', 'place')})")
            first += len(bulk.columns) - 1
    return f"WITH {', '.join(parts)} SELECT"


def _columns(rows: Sequence[Values]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _placed(rows: Sequence[Values], before: int) -> list[Values]:
    return [(*row, before + number) for number, row in enumerate(rows, start=1)]
