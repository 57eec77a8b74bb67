"""Events as rows, worked out before the transaction and without the database."""

from typing import NamedTuple

import msgspec

from channel_sync.domain.events import Event, EventType
from channel_sync.persistence.rows.timestamps import micros

_encode = msgspec.json.Encoder().encode


class EventRow(NamedTuple):
    """A row of `events` as it lies in the table, but for its tenant and its position in the feed."""

    id: str
    type: EventType
    integration_id: str | None
    created_at: int
    members: str


def event_row(event: Event) -> EventRow:
    """The event's row."""
    members = _encode(event.members).decode()
    return EventRow(event.id, event.type, event.integration_id, micros(event.created_at), members)
