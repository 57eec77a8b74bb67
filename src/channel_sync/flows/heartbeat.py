"""Signs of life of a run that waits long between two pages, and why it waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic

from channel_sync.domain.errors import RunLost, StorageUnavailable
from channel_sync.domain.runs import RunStatus
from channel_sync.flows.clock import utcnow
from channel_sync.flows.run_session import RunSession

# Pauses last seconds to half a minute; a shorter one than this is nobody's business.
_LOOK_EVERY_S = 1.0


@asynccontextmanager
async def heartbeat(session: RunSession, every_s: float) -> AsyncIterator[None]:
    """Beat every `every_s` seconds while the body runs; a run that was closed elsewhere gets its wire cut."""
    heart = _Heart(session, every_s)
    # Most runs end before the first look, so that they need no task for it.
    first_look = asyncio.get_running_loop().call_later(heart.look_every_s, heart.start)
    try:
        yield
    finally:
        first_look.cancel()
        await heart.stop()


class _Heart:
    def __init__(self, session: RunSession, every_s: float) -> None:
        self.look_every_s = min(every_s, _LOOK_EVERY_S)
        self._session = session
        self._every_s = every_s
        self._due_at = monotonic() + every_s
        self._ended = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._beating = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """Ended, not cancelled: a transaction is never torn in the middle."""
        self._ended.set()
        if self._beating is not None:
            await self._beating

    async def _beat(self) -> None:
        told = RunStatus.RUNNING
        while not self._ended.is_set():
            status = RunStatus.WAITING_RATE_LIMIT if self._session.wire.is_paused else RunStatus.RUNNING
            if status is not told or monotonic() >= self._due_at:
                try:
                    await _tell(self._session, status)
                    told, self._due_at = status, monotonic() + self._every_s
                except StorageUnavailable:
                    pass
                except RunLost:
                    self._session.lost = True
                    self._session.wire.cut()
                    return
            await _within(self.look_every_s, self._ended)


async def _tell(session: RunSession, status: RunStatus) -> None:
    async with session.database.begin() as work:
        await work.runs.beat(session.run.id, session.counts, utcnow())
        await work.runs.set_status(session.run.id, status)


async def _within(seconds: float, event: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
