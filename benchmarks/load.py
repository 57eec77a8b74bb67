"""A steady load, sent on the clock whatever the answers do."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.raw_sockets import Connection, Request

_CONNECTIONS = 100


@dataclass(frozen=True)
class Latency:
    """Milliseconds from the moment a request was due, so that a stalled server cannot hide its queue."""

    requests: int
    failures: int
    p50_ms: float
    p99_ms: float
    worst_ms: float


async def timed_load(requests: Iterable[Request], rate_per_s: float, duration_s: float) -> Latency:
    """The latency of requests sent `rate_per_s` times a second for `duration_s` seconds."""
    enough = asyncio.Event()
    asyncio.get_running_loop().call_later(duration_s, enough.set)
    return await steady_load(requests, rate_per_s, enough)


async def steady_load(requests: Iterable[Request], rate_per_s: float, enough: asyncio.Event) -> Latency:
    """The latency of requests sent `rate_per_s` times a second until it is enough; `requests` never ends."""
    taken: list[float] = []
    failures = 0
    connections = _Connections()

    async def one(request: Request, due: float) -> None:
        nonlocal failures
        failures += await connections.ask(request) != 200
        taken.append((time.perf_counter() - due) * 1000)

    start = time.perf_counter()
    async with asyncio.TaskGroup() as sending:
        for number, request in enumerate(requests):
            due = start + number / rate_per_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sending.create_task(one(request, due))
            if enough.is_set():
                break
    connections.close()
    taken.sort()
    return Latency(len(taken), failures, taken[len(taken) // 2], taken[int(len(taken) * 0.99)], taken[-1])


class _Connections:
    """As many as are needed up to a hundred, used in turn so that a server finds none of them idle for long."""

    def __init__(self) -> None:
        self._idle: defaultdict[str, deque[Connection]] = defaultdict(deque)
        self._free = asyncio.Semaphore(_CONNECTIONS)

    async def ask(self, request: Request) -> int:
        """The status of the answer."""
        idle = self._idle[request.server]
        async with self._free:
            connection = idle.popleft() if idle else None
            if connection is None or not connection.is_open:
                connection = await Connection.to(request.server)
            status = await connection.ask(request.content)
            idle.append(connection)
            return status

    def close(self) -> None:
        """Hang up."""
        for connection in (one for idle in self._idle.values() for one in idle):
            connection.close()
