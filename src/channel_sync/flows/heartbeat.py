"""Signs of life of a run that waits long between two pages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from channel_sync.domain.errors import RunLost, StorageUnavailable
from channel_sync.flows.clock import utcnow
from channel_sync.flows.run_session import RunSession


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
    while not await _within(every_s, ended):
        try:
            async with session.database.begin() as work:
                await work.runs.beat(session.run.id, session.counts, utcnow())
        except StorageUnavailable:
            continue
        except RunLost:
            session.lost = True
            session.wire.cut()
            return


async def _within(seconds: float, event: asyncio.Event) -> bool:
    try:
        return await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
