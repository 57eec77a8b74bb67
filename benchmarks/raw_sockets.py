"""HTTP over bare sockets: a load that costs next to nothing, for it shares the processor with what it measures."""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from benchmarks.table import WrongResult

_POLL = b"GET /api/v3/orders?limit=500 HTTP/1.1\r\nHost: wish\r\nAuthorization: Bearer access\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes over the wire, and the base address it goes to."""

    server: str
    content: bytes


def request(server: str, key: str, path: str, method: str = "GET", body: object = None) -> Request:
    """A request of the API with that key; its body is sent as JSON."""
    sent = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(server).netloc}\r\nAuthorization: Bearer {key}\r\n"
    if sent:
        head += f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n"
    return Request(server, head.encode() + b"\r\n" + sent)


class Connection(asyncio.Protocol):
    """One connection that stays open, for one request after the other."""

    def __init__(self) -> None:
        self._head = b""
        self._missing: int | None = None
        self._answer: asyncio.Future[int] | None = None

    @classmethod
    async def to(cls, server: str) -> "Connection":
        """A new connection to a base address."""
        address = urlsplit(server)
        assert address.hostname
        assert address.port
        return (await asyncio.get_running_loop().create_connection(cls, address.hostname, address.port))[1]

    @property
    def is_open(self) -> bool:
        """Whether the server still listens to it."""
        return not self._transport.is_closing()

    async def ask(self, content: bytes) -> int:
        """The status of the answer, once all of it is here; what it holds is thrown away."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(content)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the server."""
        # uvloop's own class does not say that it is one.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Count what has come until the answer is whole."""
        if self._missing is None:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            length = _LENGTH.search(head)
            self._missing = int(length[1]) if length else 0
        self._missing -= len(data)
        if self._missing == 0 and self._answer is not None:
            status, self._head, self._missing = int(self._head[9:12]), b"", None
            self._answer.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody waits for an answer that will not come."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("the server has hung up"))


async def raw_polls_s(url: str, shops: int, at_once: int) -> float:
    """Seconds for one request a shop, over so many connections that stay open."""
    left = iter(range(shops))

    async def ask(connection: Connection) -> None:
        for _ in left:
            await connection.ask(_POLL)

    return await _timed([await Connection.to(url) for _ in range(at_once)], ask)


async def answers_per_s(asked: Request, at_once: int, duration_s: float) -> float:
    """Answers a second while so many connections ask again as soon as they are answered."""
    statuses: Counter[int] = Counter()
    connections = [await Connection.to(asked.server) for _ in range(at_once)]
    end = time.perf_counter() + duration_s

    async def ask(connection: Connection) -> None:
        while time.perf_counter() < end:
            statuses[await connection.ask(asked.content)] += 1

    seconds = await _timed(connections, ask)
    if set(statuses) != {200}:
        raise WrongResult(f"not every answer was a 200: {dict(statuses)}")
    return statuses[200] / seconds


async def _timed(connections: list[Connection], ask: Callable[[Connection], Coroutine[None, None, None]]) -> float:
    """Seconds until all of them have asked."""
    started = time.perf_counter()
    await asyncio.gather(*map(ask, connections))
    seconds = time.perf_counter() - started
    for connection in connections:
        connection.close()
    return seconds
