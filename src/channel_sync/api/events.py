"""The durable feed of events."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from channel_sync.api.access import CurrentCaller, requires
from channel_sync.api.bodies import StrictRoute
from channel_sync.api.fields import Timestamp, timestamp
from channel_sync.api.paging import Limit
from channel_sync.api.services import CurrentServices, Services
from channel_sync.domain.errors import Invalid
from channel_sync.domain.events import EVENT_TYPES, Event

router = APIRouter(tags=["events"], route_class=StrictRoute)

POLL_S = 0.5
# The cursor of a feed that has no event yet. No event has this id: it sorts before all of them.
START = "evt_00000000000000000000000000"


class EventView(TypedDict):
    """One fact. `data` holds ids and states, never personal data."""

    id: str
    type: str
    integration_id: str | None
    created_at: Timestamp
    data: dict[str, str | int | None]


class EventPage(TypedDict):
    """Some events in commit order. Ask again with `after=next_cursor`; it is never null."""

    items: list[EventView]
    next_cursor: str


@router.get("/events", summary="Follow the events", dependencies=[requires("events:read")])
async def list_events(
    caller: CurrentCaller,
    services: CurrentServices,
    after: Annotated[str | None, Query(max_length=64, description="The last event id you have.")] = None,
    types: Annotated[str | None, Query(max_length=1000, description="Comma-separated event types.")] = None,
    wait_s: Annotated[int, Query(ge=0, le=30, description="Wait this long for the first event.")] = 0,
    limit: Limit = 50,
) -> EventPage:
    """Events after the one named, kept 30 days. With `wait_s` the answer comes with the first new event."""
    wanted = _types(types)
    known = None if after in (None, START) else after
    deadline = time.monotonic() + wait_s
    events = await _read(services, caller.tenant, known, wanted, limit)
    while not events and time.monotonic() < deadline and not services.health.draining:
        await asyncio.sleep(min(POLL_S, max(0.0, deadline - time.monotonic())))
        events = await _read(services, caller.tenant, known, wanted, limit)
    last = events[-1].id if events else after or START
    return {"items": [_event_view(event) for event in events], "next_cursor": last}


async def _read(
    services: Services, tenant: str, after: str | None, types: tuple[str, ...], limit: int
) -> list[Event]:
    async with services.database.read() as work:
        return await work.events.after(tenant, after, types, limit)


def _types(text: str | None) -> tuple[str, ...]:
    """The types asked for; none at all means every type."""
    if text is None:
        return ()
    types = tuple(part.strip() for part in text.split(",") if part.strip())
    if not types or any(name not in EVENT_TYPES for name in types):
        raise Invalid("unknown_event_type", "There is an event type here that does not exist.", "/types")
    return types


def _event_view(event: Event) -> EventView:
    return {
        "id": event.id,
        "type": event.type,
        "integration_id": event.integration_id,
        "created_at": timestamp(event.created_at),
        "data": event.members,
    }
