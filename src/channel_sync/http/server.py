"""The HTTP server of one process: says when it answers, and when it has been asked to stop."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import uvicorn
from uvicorn.loops.auto import auto_loop_factory

from channel_sync.http.bounds import ConnectionBounds
from channel_sync.http.connection import BoundedConfig, BoundedConnection
from channel_sync.http.idle import IdleConnections

# Together with what the jobs are given to end, well below the 25 s that operators are promised.
FINISH_REQUESTS_S = 10

# uvicorn's clock ticks ten times a second.
_TICKS_A_LOOK = 5

# A page of 500 orders makes some 15 000 objects that the collector follows.
_OBJECTS_BEFORE_A_LOOK = 20_000

# The thread that writes SQLite needs the interpreter for a moment after every statement; by default it may wait
# 5 ms each time while orders are parsed in another.
_THREAD_TURN_S = 0.0005


App = Callable[..., Awaitable[None]]


class _BoundedServer(uvicorn.Server):
    """Ends connections that are too slow."""

    def __init__(self, app: App, bounds: ConnectionBounds) -> None:
        super().__init__(_config(app, bounds))

    async def on_tick(self, counter: int) -> bool:
        """Look after every connection, now and then."""
        if counter % _TICKS_A_LOOK == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedConnection):
                    connection.look_after(now)
        return await super().on_tick(counter)


class Server(_BoundedServer):
    """Says when it answers, and says at once when it has been asked to stop."""

    def __init__(
        self, app: App, bounds: ConnectionBounds, ready: Callable[[], None], stopping: Callable[[], None]
    ) -> None:
        super().__init__(app, bounds)
        self._ready = ready
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell that requests are answered."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals and keep them: raised again at the end, they would spoil the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal changes nothing, the end is bounded anyway."""
        self._stopping()
        super().handle_exit(signal.SIGTERM, frame)


class _ServerBeside(_BoundedServer):
    """Leaves signals to the process that it is a part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


@asynccontextmanager
async def answering(app: App, listener: socket.socket, bounds: ConnectionBounds) -> AsyncIterator[None]:
    """Requests are answered beside what else the process does, until the block ends."""
    server = _ServerBeside(app, bounds)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _config(app: App, bounds: ConnectionBounds) -> BoundedConfig:
    config = BoundedConfig(
        app,
        http=BoundedConnection,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # A forwarded address would move a caller out of its limits; the public address is a setting.
        proxy_headers=False,
        timeout_keep_alive=bounds.keep_alive_s,
        timeout_graceful_shutdown=FINISH_REQUESTS_S,
    )
    config.bounds, config.idle = bounds, IdleConnections()
    return config


def stop_signal() -> asyncio.Event:
    """Set once the process is asked to stop; a second signal changes nothing, the end is bounded anyway."""
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    return asked


def run_to_the_end(service: Coroutine[None, None, None]) -> None:
    """Run it on the fastest event loop there is."""
    _look_for_garbage_less_often()
    sys.setswitchinterval(_THREAD_TURN_S)
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(service)


def _look_for_garbage_less_often() -> None:
    """Keep the collector off what lives as long as the process, and off a page of orders while it is worked on.

    By default it walked all of them dozens of times a page: a fifth of a download's time, and pauses of 60 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BEFORE_A_LOOK, 10, 10)
