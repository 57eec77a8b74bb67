"""The simulated Wish on a real socket, in the caller's event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wish_simulator.app import create_app
from wish_simulator.marketplace import Marketplace


class ReachableConnection(HttpToolsProtocol):
    """Lets an answer reach its own connection, so that it can be dropped half way."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["connection"] = self.transport


class QuietServer(Server):
    """Leaves the signals of the process to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@asynccontextmanager
async def running(
    marketplace: Marketplace | None = None,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    app: ASGIApp | None = None,
) -> AsyncIterator[str]:
    """The base URL, for as long as the block runs. Give an `app` to serve a wrapped one."""
    served = app or create_app(marketplace)
    listener = socket.create_server((host, port))
    # asyncio sets this only on sockets that name their protocol; without it every answer waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = Config(
        served,
        http=ReachableConnection,
        ws="none",
        log_config=None,
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if serving.done():
                await serving
            await asyncio.sleep(0.005)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()
