"""How a process holds what it works on, so that others take it up when it has died."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_hex


@dataclass(frozen=True, slots=True)
class Lease:
    """Who a process is, new with every start, and how long it may be silent before it counts as dead.

    `beat_s` is how often it gives a sign of life.
    """

    owner: str = field(default_factory=lambda: token_hex(8))
    seconds: float = 60
    beat_s: float = 15

    @property
    def length(self) -> timedelta:
        """`seconds`, to count with."""
        return timedelta(seconds=self.seconds)


@asynccontextmanager
async def kept_alive(beat: Callable[[], Awaitable[bool]], every_s: float) -> AsyncIterator[None]:
    """Call `beat` every so many seconds while the body runs, until it says that there is nothing left to keep."""
    ended = asyncio.Event()
    beating: list[asyncio.Task[None]] = []

    async def go_on() -> None:
        while not ended.is_set() and await beat():
            await _within(every_s, ended)

    # Most work ends before the first beat, so that it needs no task for it.
    first = asyncio.get_running_loop().call_later(every_s, lambda: beating.append(asyncio.create_task(go_on())))
    try:
        yield
    finally:
        first.cancel()
        # Ended, not cancelled: a transaction is never torn in the middle.
        ended.set()
        for task in beating:
            await task


async def _within(seconds: float, event: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
