"""The durable feed of events."""

import time
from contextlib import nullcontext
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from channel_sync.api.events.waits import EventWaits
from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import DESCRIBED, Timestamp, one_of, timestamp
from channel_sync.api.http.services import CurrentServices, Services
from channel_sync.domain.errors import Invalid
from channel_sync.domain.events import EVENT_TYPES, Event, Members

router = APIRouter(tags=["events"], route_class=StrictRoute)

# The cursor of a feed that has no event yet. No event has this id: it sorts before all of them.
START = "evt_00000000000000000000000000"


class EventView(TypedDict):
    """One fact. `data` holds ids and states, never personal data.

    Of an order that is refunded or declined `shipped_before` tells whether it had been shipped by then.
    """

    id: str
    type: Annotated[str, one_of(EVENT_TYPES)]
    integration_id: str | None
    created_at: Timestamp
    data: Members


class EventPage(TypedDict):
    """Some events in commit order. Ask again with `after=next_cursor`; it is never null."""

    items: list[EventView]
    next_cursor: str


class StreamQuery(BaseModel):
    """From where on, and of which types."""

    model_config = DESCRIBED

    after: Annotated[str | None, Field(max_length=64)] = None
    """The last event id you have; without it the feed starts at its oldest event."""
    types: Annotated[str | None, Field(max_length=1000)] = None
    """Only of these event types, with commas between them."""

    def wanted(self) -> tuple[str, ...]:
        """The types asked for; none at all means every type."""
        if self.types is None:
            return ()
        names = tuple(name.strip() for name in self.types.split(","))
        if any(name not in EVENT_TYPES for name in names):
            raise Invalid("unknown_event_type", "There is no such event type.", parameter="types")
        return names


class EventQuery(StreamQuery):
    """The same, how many, and how long to wait for the first one."""

    wait_s: Annotated[int, Field(ge=0, le=30)] = 0
    """Wait this long for the first event."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """How many events a page has at most."""


async def current_waits(request: Request) -> EventWaits:
    """The waits of the app that got the request."""
    waits: EventWaits = request.app.state.event_waits
    return waits


CurrentWaits = Annotated[EventWaits, Depends(current_waits)]


@router.get("/events", summary="Follow the events", dependencies=[requires("events:read")])
async def list_events(
    asked: Annotated[EventQuery, Query()],
    caller: CurrentCaller,
    services: CurrentServices,
    waits: CurrentWaits,
    request: Request,
) -> EventPage:
    """Events after the one named, kept 30 days. With `wait_s` the answer comes with the first new event.

    An `after` that is older than that is 422 `unknown_event`: start again without it. More requests that wait at
    once than a key or a tenant may have are 429 `too_many_waits`; one that waits per reader is enough.
    """
    deadline = time.monotonic() + asked.wait_s
    with waits.place(caller) if asked.wait_s else nullcontext():
        events, position = await read_events(services, caller.tenant, asked, asked.after, asked.limit)
        while not events and (left_s := deadline - time.monotonic()) > 0 and not services.health.draining:
            if not await waits.news(caller.tenant, position, left_s, request):
                break
            events, position = await read_events(services, caller.tenant, asked, asked.after, asked.limit)
    last = events[-1].id if events else asked.after or START
    return {"items": [event_view(event) for event in events], "next_cursor": last}


async def read_events(
    services: Services, tenant: str, asked: StreamQuery, after: str | None, limit: int
) -> tuple[list[Event], int]:
    """A page, and the position up to which there was nothing else."""
    async with services.database.read() as work:
        newest = await work.events.newest([tenant])
        known = None if after == START else after
        return await work.events.after(tenant, known, asked.wanted(), limit), newest.get(tenant, 0)


def event_view(event: Event) -> EventView:
    """The event as callers get it, whichever way."""
    return {
        "id": event.id,
        "type": event.type,
        "integration_id": event.integration_id,
        "created_at": timestamp(event.created_at),
        "data": event.members,
    }
