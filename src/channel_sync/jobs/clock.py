"""Starts jobs by the clock and by nudges, with APScheduler; waits for them, and never cancels what it need not."""

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Iterable, Sequence
from contextvars import Context
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from channel_sync.domain.clock import utcnow
from channel_sync.jobs.schedule import Flows, Job
from channel_sync.persistence.engine.tenancy import for_every_tenant

log = logging.getLogger(__name__)

# So long, at most, nothing is begun because the wall clock jumped.
_CLOCK_JUMP_S = 0.4
_LAST_WORDS_S = 1.0
# Each request that changes something nudges: done one after the other they would keep a core busy.
_NUDGES_APART_S = 0.1
# A job that comes late, after a blocked loop or a sleeping machine, runs once; by default it would not at all.
_LATE_IS_FINE = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}


@BaseTrigger.register
class _Every:
    """Fires every so many seconds, and never at a moment that is past.

    APScheduler's own trigger goes through each firing that was missed: after the wall clock was set forward by 40
    days that holds the event loop up for 20 s.
    """

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """One interval after the firing before, or after now where that is past."""
        due = now if previous is None else previous + self._interval
        return due if due > now else now + self._interval


class Clock:
    """The jobs of one process, each at work once at a time. `then` is begun after every one that a nudge wakes.

    The scheduler only starts tasks: what it awaits itself it would cancel when it is shut down.
    """

    def __init__(self, work: Flows, jobs: Sequence[Job], then: Job | None = None) -> None:
        self._work = work
        self._jobs = jobs if then is None else (*jobs, then)
        self._then = then
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=_LATE_IS_FINE)
        self._watch: asyncio.Task[None] | None = None
        self._doing: dict[str, asyncio.Task[None]] = {}
        self._once_more: set[str] = set()
        self._nudged_at = -_NUDGES_APART_S
        self._next_nudge: asyncio.TimerHandle | None = None
        self.stopping = False

    def start(self) -> None:
        """Let the clock tick; every job is done once now."""
        for job in self._jobs:
            self._scheduler.add_job(
                self._tick, _Every(job.every_s), args=[job], id=job.name, next_run_time=utcnow()
            )
        self._scheduler.start()
        self._watch = asyncio.create_task(self._watch_time())

    def nudge(self) -> None:
        """Do what a nudge wakes now instead of at the next tick; soon, if they were nudged a moment ago."""
        if self._next_nudge is not None:
            return
        wait_s = self._nudged_at + _NUDGES_APART_S - time.monotonic()
        if wait_s > 0:
            self._next_nudge = asyncio.get_running_loop().call_later(wait_s, self._do_on_wake)
        else:
            self._do_on_wake()

    def begin(self, job: Job) -> None:
        """Do a job now, or once more if it is at work."""
        if self.stopping:
            return
        if job.name in self._doing:
            self._once_more.add(job.name)
            return
        # In a context of its own: it is no part of the request that nudged it, and its lines are not that one's.
        task = asyncio.create_task(self._do(job), context=Context())
        self._doing[job.name] = task
        task.add_done_callback(lambda _: self._done(job))

    def stop(self) -> None:
        """Begin nothing more."""
        self.stopping = True
        if self._watch is not None:
            self._watch.cancel()
            self._scheduler.pause()

    async def ended(self, within_s: float) -> None:
        """Wait for the jobs that are at work; what takes longer is cancelled."""
        await drain(self._doing.values(), within_s)
        if self._watch is not None and self._scheduler.running:
            self._scheduler.shutdown(wait=False)
            # The scheduler shuts down in a callback of the loop, which gets its turn here.
            await asyncio.sleep(0)

    def _do_on_wake(self) -> None:
        self._nudged_at, self._next_nudge = time.monotonic(), None
        for job in self._jobs:
            if job.on_wake:
                self.begin(job)

    async def _tick(self, job: Job) -> None:
        if job.name not in self._doing:
            self.begin(job)

    async def _do(self, job: Job) -> None:
        await log_failures(job.name, self._carry_out(job))
        if job.on_wake and self._then is not None and job is not self._then:
            self.begin(self._then)

    async def _carry_out(self, job: Job) -> None:
        if not job.exclusive or await self._work.turns.take(job.name, job.every_s):
            await job.what(self._work)

    def _done(self, job: Job) -> None:
        del self._doing[job.name]
        if job.name in self._once_more:
            self._once_more.remove(job.name)
            self.begin(job)

    async def _watch_time(self) -> None:
        """Start all jobs anew when the wall clock jumps: set back, the scheduler would wait until it caught up."""
        ahead = time.time() - time.monotonic()
        while True:
            await asyncio.sleep(_CLOCK_JUMP_S)
            before, ahead = ahead, time.time() - time.monotonic()
            if abs(ahead - before) > _CLOCK_JUMP_S:
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=utcnow())


async def log_failures(name: str, doing: Awaitable[None]) -> bool:
    """Whether it went well, on behalf of every tenant. Logged without the message, which may hold secrets."""
    try:
        with for_every_tenant():
            await doing
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error("%s failed: %s at %s:%s", name, type(error).__name__, place.filename, place.lineno)
        return False
    return True


async def carried_out(work: Flows, run_id: str) -> bool:
    """Whether the run was carried out; one that failed in a way that no one expected is closed."""
    if await log_failures(run_id, work.runs.execute(run_id)):
        return True
    await log_failures(run_id, work.runs.crashed(run_id))
    return False


async def drain(tasks: Iterable[asyncio.Task[object]], within_s: float) -> None:
    """Wait for tasks; those that take longer are cancelled."""
    waiting = set(tasks)
    if not waiting:
        return
    _, late = await asyncio.wait(waiting, timeout=within_s)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=_LAST_WORDS_S)
