"""Queues due runs the moment something makes them due, in a process whose runs are carried out by workers."""

import asyncio
from collections.abc import Sequence

from channel_sync.jobs.clock import Clock
from channel_sync.jobs.schedule import Flows, Job


class Dispatcher:
    """Does the jobs that a nudge wakes when nudged and nothing by the clock; workers see to that."""

    def __init__(self, work: Flows, jobs: Sequence[Job]) -> None:
        self._work = work
        self._clock = Clock(work, jobs)

    @property
    def draining(self) -> bool:
        """Whether `stop` was called."""
        return self._clock.stopping

    def alive(self) -> bool:
        """It has nothing that could stall."""
        return True

    async def start(self) -> None:
        """Nothing begins by itself."""

    def nudge(self) -> None:
        """Queue what is due now."""
        self._clock.nudge()

    async def stop(self, grace_s: float = 20.0) -> None:
        """Wait for what is being queued, and for renewals: their answers are the only copies of grants."""
        self._clock.stop()
        await asyncio.gather(self._clock.ended(grace_s), self._work.grants.finish(grace_s))
