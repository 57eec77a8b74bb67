"""Signs of life of a run that waits long between two pages, and why it waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
    ended = asyncio.Event()
    beating = asyncio.create_task(_beat(session, every_s, ended))
    try:
        yield
    finally:
        # Ended, not cancelled: a transaction is never torn in the middle.
        ended.set()
        await beating


async def _beat(session: RunSession, every_s: float, ended: asyncio.Event) -> None:
    told, due_at = RunStatus.RUNNING, monotonic() + every_s
    while not await _within(min(every_s, _LOOK_EVERY_S), ended):
        status = RunStatus.WAITING_RATE_LIMIT if session.wire.is_paused else RunStatus.RUNNING
        if status is told and monotonic() < due_at:
            continue
        try:
            await _tell(session, status)
        except StorageUnavailable:
            continue
        except RunLost:
            session.lost = True
            session.wire.cut()
            return
        told, due_at = status, monotonic() + every_s


async def _tell(session: RunSession, status: RunStatus) -> None:
    async with session.database.begin() as work:
        await work.runs.beat(session.run.id, session.counts, utcnow())
        await work.runs.set_status(session.run.id, status)


async def _within(seconds: float, event: asyncio.Event) -> bool:
    try:
        return await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
