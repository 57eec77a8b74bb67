"""A worker put together: database → channels → flows → the engine's queue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from channel_sync.main.engine import queue_address, taking_runs
from channel_sync.main.ground import opened
from channel_sync.process import CannotStart
from channel_sync.settings import Jobs, Settings


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """A worker at work."""
    if settings.jobs is not Jobs.DISTRIBUTED:
        raise CannotStart("CHANNEL_SYNC_JOBS: a worker needs distributed")
    queue = queue_address(settings)
    async with opened(settings) as ground:
        # What a run makes due, the clock of every worker finds within a second.
        work, _ = ground.work(lambda: None)
        async with taking_runs(settings, work, queue):
            yield
