"""The same feed as it grows, as server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from msgspec import json

from channel_sync.api.events.feed import CurrentWaits, StreamQuery, event_view, read_events
from channel_sync.api.events.waits import EventWaits
from channel_sync.api.http.access import CurrentCaller, is_still_good, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.exports import TEXT
from channel_sync.api.http.head import looks_ahead
from channel_sync.api.http.placed import PlacedAnswer
from channel_sync.api.http.services import CurrentServices, Services
from channel_sync.domain.errors import ChannelSyncError
from channel_sync.domain.events import Event

router = APIRouter(tags=["events"], route_class=StrictRoute)

_AT_ONCE = 200
# Proxies cut off what is silent for a minute.
_PING_S = 15.0
_COME_BACK_MS = 2_000
_SSE = "text/event-stream"
# No proxy is to keep it, nor to wait until it has some kilobytes of it.
_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
_ENCODE = json.Encoder().encode


@router.get(
    "/events/stream",
    summary="Follow the events as a stream",
    dependencies=[requires("events:read")],
    response_class=StreamingResponse,
    responses={200: {"description": "Events as they come, until you leave.", "content": {_SSE: TEXT}}},
)
async def stream_events(
    asked: Annotated[StreamQuery, Query()],
    caller: CurrentCaller,
    services: CurrentServices,
    waits: CurrentWaits,
    request: Request,
    last_event_id: Annotated[
        str | None, Header(max_length=64, description="The last event id you have; it goes before `after`.")
    ] = None,
) -> PlacedAnswer:
    """Server-sent events with the ids, the types and, as `data`, the items of `GET /events`, in the same order.

    Come back with the last id as `Last-Event-ID`, which browsers do by themselves, and nothing is missed. A stream
    is cut off when its credential ends and when the process stops. It counts as a request that waits.
    """
    after = last_event_id or asked.after
    # What is wrong with it is said before the stream begins.
    first = await read_events(services, caller.tenant, asked, after, _AT_ONCE)
    stream = _EventStream(services, waits, request, caller.tenant, asked, after)
    return PlacedAnswer(stream.parts(*first), waits.place(caller), _SSE, _HEADERS)


class _EventStream:
    """One reader's way along its tenant's feed."""

    def __init__(
        self,
        services: Services,
        waits: EventWaits,
        request: Request,
        tenant: str,
        asked: StreamQuery,
        after: str | None,
    ) -> None:
        self._services = services
        self._waits = waits
        self._request = request
        self._tenant = tenant
        self._asked = asked
        self._after = after

    async def parts(self, events: list[Event], position: int) -> AsyncIterator[bytes]:
        """What there is, and then what comes. The store being away ends it: whoever comes back hears of that."""
        yield format_sse_event(data_str=None, retry=_COME_BACK_MS)
        if looks_ahead(self._request):
            return
        try:
            while await self._goes_on():
                if events:
                    self._after = events[-1].id
                    yield b"".join(map(_as_sse, events))
                elif not await self._waits.news(self._tenant, position, _PING_S, self._request):
                    yield KEEPALIVE_COMMENT
                events, position = await self._next()
        except ChannelSyncError:
            return

    async def _next(self) -> tuple[list[Event], int]:
        return await read_events(self._services, self._tenant, self._asked, self._after, _AT_ONCE)

    async def _goes_on(self) -> bool:
        if self._services.health.draining or await self._request.is_disconnected():
            return False
        return await is_still_good(self._request)


def _as_sse(event: Event) -> bytes:
    return format_sse_event(id=event.id, event=event.type, data_str=_ENCODE(event_view(event)).decode())
