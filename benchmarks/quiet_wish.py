"""A Wish without news: every list is empty, each answer may be held back, and asking costs next to nothing.

`python -m benchmarks.quiet_wish LATENCY_S [TOKEN …]` prints where it listens; calls with one of these access
tokens are never answered. `GET /stats` tells when it was asked what.
"""

import asyncio
import json
import sys
import time

_EMPTY = b'{"code":0,"data":[]}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_ANSWER = _HEAD % len(_EMPTY) + _EMPTY


class QuietWish(asyncio.Protocol):
    """One connection; requests without a body, one after the other."""

    asked_at: list[float]
    latency_s = 0.0
    stuck: frozenset[bytes] = frozenset()

    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that has come in whole."""
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in requests:
            if request.startswith(b"GET /stats"):
                self._stats()
                continue
            self.asked_at.append(time.time())
            if any(token in request for token in self.stuck):
                continue
            if self.latency_s:
                asyncio.get_running_loop().call_later(self.latency_s, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_ANSWER)

    def _stats(self) -> None:
        told = json.dumps(self.asked_at).encode()
        self._transport.write(_HEAD % len(told) + told)
        self.asked_at.clear()


async def main(latency_s: float, *stuck: str) -> None:
    """Listen until killed."""
    QuietWish.latency_s = latency_s
    QuietWish.stuck = frozenset(token.encode() for token in stuck)
    QuietWish.asked_at = []
    server = await asyncio.get_running_loop().create_server(QuietWish, "127.0.0.1", 0, backlog=1024)
    host, port = server.sockets[0].getsockname()
    print(f"listening on http://{host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), *sys.argv[2:]))
