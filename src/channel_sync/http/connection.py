"""One connection of a client, bounded in bytes and in time while it is read.

Neither uvicorn nor its parser bounds a request's head, and a connection that sends nothing lives for ever.
"""

import asyncio
from enum import Enum, auto
from typing import Any, cast

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from channel_sync.api.http.problems import HttpProblem, malformed
from channel_sync.api.http.request_log import REFUSAL
from channel_sync.http.bounds import MAX_AHEAD, MAX_HEAD, MAX_HEADERS, MAX_IN_VAIN, ConnectionBounds, SendProgress
from channel_sync.http.idle import IdleConnections
from channel_sync.http.parting import Parting


class BoundedConfig(uvicorn.Config):
    """uvicorn's, with what its connections share."""

    bounds: ConnectionBounds
    idle: IdleConnections


class _Next(Enum):
    """What the next bytes of a client are part of; a new request where the last one is there as a whole."""

    REQUEST = auto()
    HEAD = auto()
    BODY = auto()


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, which cuts off what is too much, too slow or no HTTP with an answer like any other."""

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = config.bounds
        self._idle = config.idle
        self._next = _Next.HEAD
        # When the head or this stretch of the body began, and how much of the body has come in the stretch.
        self._since = self.loop.time()
        self._received = 0
        # Bytes since the request began or since its body's last byte.
        self._overhead = 0
        self._answering = SendProgress(self._since)
        self._fault: HttpProblem | None = None
        self._deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection; where there are too many, in the place of an idle one."""
        # A server's transports read and write. Those of uvloop have no base class to tell it by.
        super().connection_made(cast(asyncio.Transport, transport))
        self._idle.awaits_head(self.transport)
        if len(self.connections) > self._bounds.max_connections:
            self._idle.make_room_for(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._idle.is_asked(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, in pieces no larger than what a head may still have."""
        if self._deaf:
            self._ignore(data)
            return
        self._unset_keepalive_if_required()
        if self._next is _Next.REQUEST:
            self._await_head()
        rest = memoryview(data)
        while rest and not self._deaf:
            room = MAX_HEAD - self._overhead
            if room > 0:
                self._feed(rest[:room])
                rest = rest[room:]
            else:
                self._refuse(self._too_large())

    def _feed(self, piece: memoryview) -> None:
        self._overhead += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserError:
            self._refuse(self._fault or malformed("malformed_request", "This is no HTTP request."))
        except httptools.HttpParserUpgrade:
            # Answered in HTTP/1.1 like any other request; what comes after it may be in another protocol.
            self._end_after(self.cycle)

    def _ignore(self, data: bytes) -> None:
        self._overhead += len(data)
        if self._overhead > MAX_IN_VAIN:
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request, unless too many are waiting for their turn."""
        if len(self.pipeline) >= MAX_AHEAD:
            self._fault = _too_far_ahead()
            raise ValueError
        if self._next is _Next.REQUEST:
            self._await_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what follows a body is none, whatever its name."""
        if self._next is not _Next.HEAD:
            return
        if len(self.headers) >= MAX_HEADERS:
            self._fault = self._too_large()
            raise ValueError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request on."""
        super().on_headers_complete()
        self._idle.is_asked(self.transport)
        self._expect(_Next.BODY)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._overhead = 0
        self._received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Hand on that the request has ended."""
        self._next = _Next.REQUEST
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on to the next request; what is still sent of this one is of no use."""
        super().on_response_complete()
        if self._next is _Next.BODY or self._deaf:
            self._since = self.loop.time()
        elif self._next is _Next.HEAD:
            self._idle.awaits_head(self.transport)
        elif self.cycle.response_complete:
            self._idle.rests(self.transport)

    def _await_head(self) -> None:
        if self.cycle.response_complete:
            self._idle.awaits_head(self.transport)
        self._expect(_Next.HEAD)

    def _expect(self, what: _Next) -> None:
        self._next = what
        self._since = self.loop.time()
        self._overhead = self._received = 0

    def look_after(self, now: float) -> None:
        """End it where the client is too slow at what it sends, or at taking what it is sent."""
        bounds, waited_s = self._bounds, now - self._since
        if self._answering.stopped(self.transport.get_write_buffer_size(), now, bounds):
            self.transport.abort()
        elif self.flow.read_paused:
            # It is we who do not read.
            self._since = now
        elif self._deaf or (self._next is _Next.BODY and self.cycle.response_complete):
            if self.cycle.response_complete and waited_s > bounds.unread_s:
                self.transport.close()
        elif self._next is _Next.HEAD and waited_s > bounds.head_s:
            self._end_waiting()
        elif self._next is _Next.BODY and waited_s > bounds.body_s:
            if self._received < bounds.least_bytes:
                self._refuse(_too_slow())
            self._expect(_Next.BODY)

    def _end_waiting(self) -> None:
        if self.cycle is None and not self._overhead:
            self.transport.close()
        else:
            self._refuse(_too_slow())

    def _too_large(self) -> HttpProblem:
        if self._next is _Next.BODY:
            return malformed("malformed_request", "There is too much around the body that is not the body.")
        if not self.headers:
            return HttpProblem(414, "uri_too_long", f"The address may have {MAX_HEAD} bytes.")
        return HttpProblem(
            431, "headers_too_large", f"There may be {MAX_HEADERS} headers, of {MAX_HEAD} bytes in all."
        )

    def _refuse(self, problem: HttpProblem) -> None:
        """Make no more of what is sent, and end after an answer that says why."""
        self._deaf = True
        if self._next is not _Next.BODY:
            self._answer(problem)
        elif self.cycle.response_complete:
            self.transport.close()
        else:
            # Its own handler gives the answer: the next time it asks for more of the body it is told of this.
            self._end_after(self.cycle)
            self.cycle.scope["state"][REFUSAL] = problem
            self.cycle.message_event.set()

    def _end_after(self, cycle: RequestResponseCycle) -> None:
        self._deaf, self._overhead = True, 0
        cycle.keep_alive = False
        cycle.transport = Parting(self.transport)

    def _answer(self, problem: HttpProblem) -> None:
        super().on_message_begin()
        self.scope["method"], self.scope["path"] = "", "/"
        self.scope["raw_path"], self.scope["query_string"] = b"/", b""
        self.scope["state"][REFUSAL] = problem
        before = self.cycle
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=self.on_response_complete,
        )
        self._end_after(self.cycle)
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.pipeline.appendleft((self.cycle, self.app))


def _too_slow() -> HttpProblem:
    return HttpProblem(408, "request_too_slow", "The request came too slowly.")


def _too_far_ahead() -> HttpProblem:
    wait = {"Retry-After": "1"}
    return HttpProblem(429, "rate_limited", "Wait for answers before you send more requests here.", wait)
