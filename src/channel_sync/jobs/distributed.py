"""Runs on workers: pgqueuer hands each queued run to one of them; the run's own row decides whether it may work.

The engine carries a run's id and no more. What is due, who works and who may still write is in our rows: a job
that is lost, doubled or handed out twice costs a moment and nothing else.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.models import Job as QueuedJob

from channel_sync.domain.errors import StorageUnavailable
from channel_sync.domain.runs import Lane, Run
from channel_sync.jobs.clock import Clock, carried_out, drain, log_failures
from channel_sync.jobs.lanes import slots
from channel_sync.jobs.queue_connection import ANSWER_S, AWAY, QueueConnection
from channel_sync.jobs.schedule import Flows, Job

# Notifications say when there is work. Without one, as after the database was away, the engine looks by itself.
_LOOK_EVERY = timedelta(seconds=2)
_MOST_AT_ONCE = 50
_BEGIN_AGAIN_S = 1.0
# A database that fell silent is heard of after one wait for an answer, and is no reason to restart.
_STALLED_AFTER_S = 2 * ANSWER_S


class EngineQueue:
    """Puts runs into the engine's queue, in the transaction that queues them in ours."""

    async def put(self, connection: Any, runs: Sequence[Run]) -> None:
        """One statement for all. A run is known by its lane, too: one that became urgent is queued once more."""
        try:
            await Queries(AsyncpgDriver(connection)).enqueue(
                [run.lane.value for run in runs],
                [run.id.encode() for run in runs],
                [0] * len(runs),
                dedupe_key=[f"{run.lane}:{run.id}" for run in runs],
                on_conflict="skip",
            )
        except AWAY:
            raise StorageUnavailable from None


class Worker:
    """The jobs of one of many processes, and up to `concurrency` runs of the queue at once in each lane.

    `lease_s` is how long a process may be silent before others take over what it was handed.
    """

    def __init__(
        self, work: Flows, jobs: Sequence[Job], concurrency: int, connection: QueueConnection, lease_s: float
    ) -> None:
        self._work = work
        self._clock = Clock(work, jobs)
        self._connection = connection
        self._lease = timedelta(seconds=lease_s)
        self._lanes = slots(concurrency)
        self._seats = {lane: asyncio.Semaphore(number) for lane, number in self._lanes.items()}
        self._managers: dict[Lane, QueueManager] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def draining(self) -> bool:
        """Whether `stop` was called."""
        return self._clock.stopping

    def alive(self) -> bool:
        """Whether the queue of runs was looked through lately."""
        return self._connection.silent_s() < _STALLED_AFTER_S

    async def start(self) -> None:
        """Take runs from the queue, and let the clock tick."""
        await self._connection.open()
        self._tasks = [asyncio.create_task(self._keep_taking(lane)) for lane in self._lanes]
        self._clock.start()

    def nudge(self) -> None:
        """Look for due work now instead of at the next tick."""
        self._clock.nudge()

    async def stop(self, grace_s: float = 20.0) -> None:
        """Let runs end at their next page and wait for them up to `grace_s`; then leave them to other workers."""
        self._clock.stop()
        self._work.runs.stop_all()
        # From here on nothing waits for a database that is away.
        self._connection.shutdown.set()
        for manager in self._managers.values():
            manager.shutdown.set()
        # A renewal under way outlives the run that asked for it: its answer is the only copy of a grant.
        await asyncio.gather(
            drain(self._tasks, grace_s), self._clock.ended(grace_s), self._work.grants.finish(grace_s)
        )
        await self._connection.close()

    async def _keep_taking(self, lane: Lane) -> None:
        """Let the engine hand out the runs of a lane; should it end on an error, it begins anew."""
        while not self._clock.stopping:
            await log_failures(f"queue of {lane}", self._take(lane))
            if not self._clock.stopping:
                await asyncio.sleep(_BEGIN_AGAIN_S)

    async def _take(self, lane: Lane) -> None:
        manager = QueueManager(Queries(self._connection))
        manager.entrypoint(lane.value)(partial(self._carry_out, lane))
        self._managers[lane] = manager
        # What has ended counts until the engine has noted it, in rounds; some are at hand before a seat is free.
        most = max(2, self._lanes[lane] * 3 // 2)
        await manager.run(
            dequeue_timeout=_LOOK_EVERY,
            batch_size=min(_MOST_AT_ONCE, most // 2),
            max_concurrent_tasks=most,
            heartbeat_timeout=self._lease,
            log_aggregation_interval=timedelta(0),
        )

    async def _carry_out(self, lane: Lane, job: QueuedJob) -> None:
        run_id = (job.payload or b"").decode()
        async with self._seats[lane]:
            await carried_out(self._work, run_id)
