"""Calls that set stock and have no outcome: they may have taken effect, or may yet do so after newer ones."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelSyncError, RunLost, may_have_landed
from channel_sync.domain.runs import RunKind
from channel_sync.flows.retries import until_stored
from channel_sync.flows.runs.session import RunSession
from channel_sync.persistence.doubts import FIRST_LOOK

_STORE_PATIENCE_S = 30


@asynccontextmanager
async def in_doubt_without_outcome(session: RunSession, listing_ids: Collection[str]) -> AsyncIterator[None]:
    """Around a call and the storing of its outcome: if there is none, these listings are in doubt.

    It is noted whoever has the place of this run by now. A process that dies in here leaves the note that it wrote
    before the call.
    """
    try:
        yield
    except RunLost:
        # What the call came to is known, but not what was written before or after it by whoever came next.
        await doubt(session, listing_ids)
        raise
    except ChannelSyncError as error:
        await (doubt if may_have_landed(error) else _take_back)(session, listing_ids)
        raise


async def doubt(session: RunSession, listing_ids: Collection[str]) -> None:
    """Note that nobody knows the outcome, and let a run look at the shop soon."""

    async def once() -> None:
        now = utcnow()
        async with session.database.begin() as work:
            await work.schedules.hurry(session.integration.id, RunKind.STOCK, now + FIRST_LOOK)
            await work.doubts.unanswered(session.run.id, listing_ids, now)

    await until_stored(once, _STORE_PATIENCE_S)


async def _take_back(session: RunSession, listing_ids: Collection[str]) -> None:
    async def once() -> None:
        async with session.database.begin() as work:
            await work.doubts.not_made(session.run.id, listing_ids)

    await until_stored(once, _STORE_PATIENCE_S)
