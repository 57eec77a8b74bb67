"""A steady load on one address, sent on the clock whatever the answers do."""

import asyncio
import time
from dataclasses import dataclass

import aiohttp


@dataclass(frozen=True)
class Latency:
    """Milliseconds from the moment a request was due, so that a stalled server cannot hide its queue."""

    requests: int
    failures: int
    p50_ms: float
    p99_ms: float
    worst_ms: float


async def timed_load(url: str, key: str, rate_per_s: float, duration_s: float) -> Latency:
    """The latency of GETs sent `rate_per_s` times a second for `duration_s` seconds."""
    enough = asyncio.Event()
    asyncio.get_running_loop().call_later(duration_s, enough.set)
    return await steady_load(url, key, rate_per_s, enough)


async def steady_load(url: str, key: str, rate_per_s: float, enough: asyncio.Event) -> Latency:
    """The latency of GETs sent `rate_per_s` times a second until it is enough."""
    taken: list[float] = []
    failures = number = 0
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:

        async def one(due: float) -> None:
            nonlocal failures
            async with session.get(url) as answer:
                await answer.read()
                failures += answer.status != 200
            taken.append((time.perf_counter() - due) * 1000)

        start = time.perf_counter()
        async with asyncio.TaskGroup() as sending:
            while not enough.is_set() or not number:
                due = start + number / rate_per_s
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                sending.create_task(one(due))
                number += 1
    taken.sort()
    return Latency(len(taken), failures, taken[len(taken) // 2], taken[int(len(taken) * 0.99)], taken[-1])
