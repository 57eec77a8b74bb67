"""What a hostile reply must not cost: the event loop its turn, and the process its memory."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import process_time, thread_time

MOST_BLOCKED_S = 0.1
MOST_MEMORY_MB = 300.0
_TICK_S = 0.002
_TRIES = 8
_STATUS = Path("/proc/self/status")
_WAITS = Path("/proc/thread-self/schedstat")


class TooMuch(AssertionError):
    """More than is allowed."""


@asynccontextmanager
async def watched() -> AsyncIterator[None]:
    """Fails if the loop was kept from its turn, or the process grew, by more than is allowed.

    Measured in processor time, so that it makes no difference how many others want this machine's processors. A
    thread that keeps the interpreter to itself counts like work on the loop, unless that waits for a processor.
    """
    # What the test run has piled up is not the service's to look through when its garbage is collected.
    gc.freeze()
    before_mb, seen = _resident_mb(), _Seen()
    ticking = asyncio.create_task(_tick(seen))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        await asyncio.sleep(2 * _TICK_S)
        ticking.cancel()
        await asyncio.wait([ticking])
        # Only what came meanwhile is looked through; unfrozen, it would wait for a look at everything.
        gc.collect()
        gc.unfreeze()
    if seen.blocked_s > MOST_BLOCKED_S:
        raise TooMuch(f"the loop stood still for {seen.blocked_s * 1000:.0f} ms")
    if seen.memory_mb - before_mb > MOST_MEMORY_MB:
        raise TooMuch(f"{before_mb:.0f} MB became {seen.memory_mb:.0f}")


async def keep_watch(work: Callable[[], Awaitable[None]]) -> None:
    """Do what can be done again while it is watched, up to `_TRIES` times: it is too much if it is each time.

    Other machines of the same host only ever add to the processor time that is measured here.
    """
    for _ in range(_TRIES - 1):
        with suppress(TooMuch):
            async with watched():
                return await work()
    async with watched():
        await work()


class _Seen:
    blocked_s = 0.0
    memory_mb = 0.0


async def _tick(seen: _Seen) -> None:
    while True:
        all_s, own_s, waited_s = process_time(), thread_time(), _waited_s()
        await asyncio.sleep(_TICK_S)
        own_s = thread_time() - own_s
        others_s = process_time() - all_s - own_s - (_waited_s() - waited_s)
        seen.blocked_s = max(seen.blocked_s, own_s + max(0.0, others_s))
        seen.memory_mb = max(seen.memory_mb, _resident_mb())


def _waited_s() -> float:
    """How long this thread could have run and had no processor (proc_pid_schedstat: its second number, in ns)."""
    return int(_WAITS.read_text().split()[1]) / 1e9


def _resident_mb() -> float:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")
