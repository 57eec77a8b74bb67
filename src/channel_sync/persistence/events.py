"""The event feed."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import delete, select

from channel_sync.domain.errors import Invalid
from channel_sync.domain.events import Event
from channel_sync.persistence.bulk import BulkInsert
from channel_sync.persistence.column_types import micros
from channel_sync.persistence.positions import next_positions
from channel_sync.persistence.session import Session, columns_of
from channel_sync.persistence.tables import events

_row = events.c
_COLUMNS = columns_of(events, Event)

# The same thing told twice has one id, and is one event.
_INSERT = BulkInsert(
    events,
    ("tenant", "position", "id", "type", "integration_id", "created_at", "members"),
    "ON CONFLICT (id) DO NOTHING",
)
_encode = msgspec.json.Encoder().encode


class EventRepository:
    """Events of every tenant, each feed in the order of commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, events: Sequence[Event]) -> None:
        """Append events in their order; one whose id is known is left out."""
        by_tenant: dict[str, list[Event]] = {}
        for event in {event.id: event for event in events}.values():
            by_tenant.setdefault(event.tenant, []).append(event)
        for tenant, mine in sorted(by_tenant.items()):
            await self._append(tenant, mine)

    async def _append(self, tenant: str, mine: list[Event]) -> None:
        places = await next_positions(self._session, tenant, "events", len(mine))
        rows = [
            (
                tenant,
                position,
                event.id,
                event.type,
                event.integration_id,
                micros(event.created_at),
                _encode(event.members).decode(),
            )
            for position, event in zip(places, mine, strict=True)
        ]
        await _INSERT.write(self._session, rows)

    async def after(self, tenant: str, event_id: str | None, types: Sequence[str], limit: int) -> list[Event]:
        """The events after one, or the oldest; of these types, or of all. `Invalid` where the one is unknown."""
        start = 0 if event_id is None else await self._position(tenant, event_id)
        statement = select(*_COLUMNS).where(_row.tenant == tenant, _row.position > start)
        if types:
            statement = statement.where(_row.type.in_(types))
        rows = await self._session.rows(statement.order_by(_row.position).limit(limit))
        return [Event(*row) for row in rows]

    async def _position(self, tenant: str, event_id: str) -> int:
        position = await self._session.value(
            select(_row.position).where(_row.id == event_id, _row.tenant == tenant)
        )
        if position is None:
            raise Invalid("unknown_event", "There is no such event any more.", "/after")
        return int(position)

    async def prune(self, before: datetime) -> int:
        """Forget events from before a moment; how many."""
        return await self._session.change(delete(events).where(_row.created_at < before))
