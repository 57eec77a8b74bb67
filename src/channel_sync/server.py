"""The HTTP server of one process: says when it answers, and when it has been asked to stop."""

import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from asgiref.typing import ASGIApplication

# Together with what the jobs are given to end, well below the 25 s that operators are promised.
FINISH_REQUESTS_S = 10


class Server(uvicorn.Server):
    """Says when it answers, and says at once when it has been asked to stop."""

    def __init__(self, app: "ASGIApplication", ready: Callable[[], None], stopping: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                # A forwarded address would move a caller out of its limits; the public address is a setting.
                proxy_headers=False,
                timeout_graceful_shutdown=FINISH_REQUESTS_S,
            )
        )
        self._ready = ready
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell that requests are answered."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal changes nothing, the end is bounded anyway."""
        self._stopping()
        super().handle_exit(signal.SIGTERM, frame)
