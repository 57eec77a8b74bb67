"""The event feed."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select

from channel_sync.domain.errors import Invalid
from channel_sync.domain.events import Event
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.rows.event_rows import EventRow, event_row
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.feeds import FeedWrites
from channel_sync.persistence.sql.tables import events, positions

_row = events.c
_COLUMNS = columns_of(events, Event)


class EventRepository:
    """Events of every tenant, each feed in the order of commits."""

    def __init__(self, session: Session, feeds: FeedWrites) -> None:
        self._session = session
        self._feeds = feeds

    async def add(self, events: Sequence[Event]) -> None:
        """Append events in their order as the transaction ends; one whose id is known is left out."""
        for event in events:
            self._feeds.add_events(event.tenant, [event_row(event)])

    async def add_rows(self, tenant: str, rows: Sequence[EventRow]) -> None:
        """The same for one tenant's events whose rows are made already."""
        self._feeds.add_events(tenant, rows)

    async def after(self, tenant: str, event_id: str | None, types: Sequence[str], limit: int) -> list[Event]:
        """The events after one, or the oldest; of these types, or of all. `Invalid` where the one is unknown."""
        start = 0 if event_id is None else await self._position(tenant, event_id)
        statement = select(*_COLUMNS).where(_row.tenant == tenant, _row.position > start)
        if types:
            statement = statement.where(_row.type.in_(types))
        rows = await self._session.rows(statement.order_by(_row.position).limit(limit))
        return [Event(*row) for row in rows]

    async def newest(self, tenants: Collection[str]) -> dict[str, int]:
        """The position that each tenant's feed has come to; a feed that never had an event is left out."""
        found = await self._session.rows(
            select(positions.c.tenant, positions.c.events).where(any_of(positions.c.tenant, tenants))
        )
        return {tenant: position for tenant, position in found}

    async def _position(self, tenant: str, event_id: str) -> int:
        position = await self._session.value(
            select(_row.position).where(_row.id == event_id, _row.tenant == tenant)
        )
        if position is None:
            raise Invalid("unknown_event", "There is no such event any more.", parameter="after")
        return int(position)

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget events from before a moment, the oldest of many; how many."""
        return await self._session.delete_some(events, _row.created_at < before, _row.created_at, limit)
