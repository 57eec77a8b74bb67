"""What a hostile reply must not cost: the event loop its turn, and the process its memory."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from io import FileIO
from pathlib import Path
from time import monotonic, process_time

MOST_BLOCKED_S = 0.1
MOST_MEMORY_MB = 300.0
_TICK_S = 0.002
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
    with _STATUS.open("rb", 0) as status:
        before_mb, seen = _resident_mb(status), _Seen()
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
    """Do what can be done again while it is watched, up to three times: it is too much if it is each time.

    Other machines of the same host only ever add to the processor time that is measured here.
    """
    for _ in range(2):
        with suppress(TooMuch):
            async with watched():
                return await work()
    async with watched():
        await work()


class _Seen:
    blocked_s = 0.0
    memory_mb = 0.0


async def _tick(seen: _Seen) -> None:
    with _STATUS.open("rb", 0) as status, _WAITS.open("rb", 0) as waits:
        waited_s, longest_s = _waited_s(waits), 0.0
        while True:
            # Each of the three gives the interpreter away once, and gets it back when nobody keeps it.
            start = _Moment()
            await asyncio.sleep(_TICK_S)
            longest_s = max(longest_s, start.worked_since_s())

            start, before_s = _Moment(), waited_s
            waited_s = _waited_s(waits)
            read_s = start.worked_since_s()
            seen.blocked_s = max(seen.blocked_s, longest_s - (waited_s - before_s))

            start = _Moment()
            seen.memory_mb = max(seen.memory_mb, _resident_mb(status))
            longest_s = max(read_s, start.worked_since_s())


class _Moment:
    """A moment by two clocks. What a thread has worked is booked late at times, when it cannot have been."""

    def __init__(self) -> None:
        self._wall_s, self._worked_s = monotonic(), process_time()

    def worked_since_s(self) -> float:
        """The processor time that this process had since then, which is at most the time that passed."""
        return min(monotonic() - self._wall_s, process_time() - self._worked_s)


def _waited_s(waits: FileIO) -> float:
    """How long this thread could have run and had no processor (proc_pid_schedstat: its second number, in ns)."""
    return int(os.pread(waits.fileno(), 100, 0).split()[1]) / 1e9


def _resident_mb(status: FileIO) -> float:
    lines = os.pread(status.fileno(), 8000, 0).splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(b"VmRSS:"))
