"""Runs the jobs and the queued runs inside one process, with APScheduler as the clock."""

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Sequence
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from channel_sync.flows.clock import utcnow
from channel_sync.jobs.schedule import Job, Work

log = logging.getLogger(__name__)

_STALLED_AFTER_S = 30.0
_CLOCK_JUMP_S = 2.0
_LAST_WORDS_S = 1.0
# A job that comes late, after a blocked loop or a sleeping machine, runs once; by default it would not at all.
_LATE_IS_FINE = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}


class EmbeddedRunner:
    """The jobs of a process without workers, and up to `concurrency` runs at once.

    The scheduler only starts tasks: what it awaits itself it would cancel when it is shut down.
    """

    def __init__(self, work: Work, jobs: Sequence[Job], concurrency: int) -> None:
        self._work = work
        self._carry_out_runs = Job("carry_out_runs", 1, lambda _: self._fill(), hasty=True)
        self._jobs = (*jobs, self._carry_out_runs)
        self._concurrency = concurrency
        self._clock = AsyncIOScheduler(timezone=UTC, job_defaults=_LATE_IS_FINE)
        self._watch: asyncio.Task[None] | None = None
        self._doing: dict[str, asyncio.Task[None]] = {}
        self._running: dict[str, asyncio.Task[bool]] = {}
        self._once_more: set[str] = set()
        self._progress = time.monotonic()
        self._stopping = False

    @property
    def draining(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping

    def alive(self) -> bool:
        """Whether the queue of runs was looked through lately."""
        return time.monotonic() - self._progress < _STALLED_AFTER_S

    async def start(self) -> None:
        """Take over what an earlier process left, then let the clock tick."""
        await self._work.runs.take_over()
        for job in self._jobs:
            every = IntervalTrigger(seconds=job.every_s, timezone=UTC)
            self._clock.add_job(self._tick, every, args=[job], id=job.name, next_run_time=utcnow())
        self._clock.start()
        self._watch = asyncio.create_task(self._watch_clock())

    def nudge(self) -> None:
        """Look for work now instead of at the next tick."""
        for job in self._jobs:
            if job.hasty:
                self._begin(job, again=True)

    async def stop(self, grace_s: float = 20.0) -> None:
        """Let runs end at their next page and wait for them up to `grace_s`; then leave them to the next start."""
        self._stopping = True
        if self._watch is None:
            return
        self._watch.cancel()
        self._clock.pause()
        self._work.runs.stop_all()
        at_work = [self._watch, *self._doing.values(), *self._running.values()]
        # A renewal under way outlives the run that asked for it: its answer is the only copy of a grant.
        await asyncio.gather(_ended(at_work, grace_s), self._work.grants.finish(grace_s))
        late = [*self._doing.values(), *self._running.values()]
        for task in late:
            task.cancel()
        await _ended(late, _LAST_WORDS_S)
        self._clock.shutdown(wait=False)
        # The scheduler shuts down in a callback of the loop, which gets its turn here.
        await asyncio.sleep(0)

    async def _tick(self, job: Job) -> None:
        self._begin(job)

    def _begin(self, job: Job, again: bool = False) -> None:
        """Start a job, unless it is at work; a nudge meanwhile lets it run once more."""
        if self._stopping:
            return
        if job.name in self._doing:
            self._once_more |= {job.name} if again else set()
            return
        task = asyncio.create_task(self._do(job))
        self._doing[job.name] = task
        task.add_done_callback(lambda _: self._done(job))

    async def _do(self, job: Job) -> None:
        await _guarded(job.name, job.what(self._work))
        if job.hasty and job is not self._carry_out_runs:
            self._begin(self._carry_out_runs, again=True)

    def _done(self, job: Job) -> None:
        del self._doing[job.name]
        if job.name in self._once_more:
            self._once_more.remove(job.name)
            self._begin(job)

    async def _fill(self) -> None:
        """Start queued runs while there is room."""
        # Set first: a store that refuses is trouble, but the loop is alive; one that hangs is a stall.
        self._progress = time.monotonic()
        if len(self._running) < self._concurrency:
            for run_id in await self._work.runs.queued(self._concurrency):
                if run_id not in self._running and len(self._running) < self._concurrency:
                    self._carry_out(run_id)

    def _carry_out(self, run_id: str) -> None:
        task = asyncio.create_task(self._execute(run_id))
        self._running[run_id] = task
        task.add_done_callback(lambda done: self._ran(run_id, done))

    async def _execute(self, run_id: str) -> bool:
        if await _guarded(run_id, self._work.runs.execute(run_id)):
            return True
        await _guarded(run_id, self._work.runs.crashed(run_id))
        return False

    def _ran(self, run_id: str, done: asyncio.Task[bool]) -> None:
        del self._running[run_id]
        # What failed waits for the tick: a store that takes no writes would refuse the same run at once again.
        if not done.cancelled() and done.result():
            self._begin(self._carry_out_runs, again=True)

    async def _watch_clock(self) -> None:
        """Start all jobs anew when the wall clock is set back, for the scheduler would wait until it caught up."""
        ahead = time.time() - time.monotonic()
        while True:
            await asyncio.sleep(1)
            before, ahead = ahead, time.time() - time.monotonic()
            if ahead < before - _CLOCK_JUMP_S:
                for job in self._clock.get_jobs():
                    job.modify(next_run_time=utcnow())


async def _guarded(name: str, doing: Awaitable[None]) -> bool:
    """Whether it went well. Logged without the message, which may hold what must not be logged."""
    try:
        await doing
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error("%s failed: %s at %s:%s", name, type(error).__name__, place.filename, place.lineno)
        return False
    return True


async def _ended(tasks: Sequence[asyncio.Task[object]], within_s: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=within_s)
