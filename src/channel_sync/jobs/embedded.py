"""Runs the jobs and the queued runs inside one process."""

import asyncio
import time
from collections.abc import Sequence

from channel_sync.domain.runs import Lane
from channel_sync.jobs.clock import Clock, guarded, let_end
from channel_sync.jobs.lanes import seats
from channel_sync.jobs.schedule import Job, Work

_STALLED_AFTER_S = 30.0


class EmbeddedRunner:
    """The jobs of a process without workers, and up to `concurrency` runs at once in each lane."""

    def __init__(self, work: Work, jobs: Sequence[Job], concurrency: int) -> None:
        self._work = work
        self._carry_out_runs = Job("carry_out_runs", 1, lambda _: self._fill(), hasty=True)
        self._clock = Clock(work, jobs, then=self._carry_out_runs)
        self._seats = seats(concurrency)
        self._running: dict[Lane, dict[str, asyncio.Task[bool]]] = {lane: {} for lane in Lane}
        self._progress = time.monotonic()

    @property
    def draining(self) -> bool:
        """Whether `stop` was called."""
        return self._clock.stopping

    def alive(self) -> bool:
        """Whether the queue of runs was looked through lately."""
        return time.monotonic() - self._progress < _STALLED_AFTER_S

    async def start(self) -> None:
        """Take over what an earlier process left, then let the clock tick."""
        await self._work.runs.take_over()
        self._clock.start()

    def nudge(self) -> None:
        """Look for work now instead of at the next tick."""
        self._clock.nudge()

    async def stop(self, grace_s: float = 20.0) -> None:
        """Let runs end at their next page and wait for them up to `grace_s`; then leave them to the next start."""
        self._clock.stop()
        self._work.runs.stop_all()
        running = [task for lane in self._running.values() for task in lane.values()]
        # A renewal under way outlives the run that asked for it: its answer is the only copy of a grant.
        await asyncio.gather(
            let_end(running, grace_s), self._clock.ended(grace_s), self._work.grants.finish(grace_s)
        )

    async def _fill(self) -> None:
        """Start queued runs while there is room in their lane."""
        # Set first: a store that refuses is trouble, but the loop is alive; one that hangs is a stall.
        self._progress = time.monotonic()
        for lane, running in self._running.items():
            if len(running) < self._seats[lane]:
                for run_id in await self._work.runs.queued(lane, self._seats[lane]):
                    if run_id not in running and len(running) < self._seats[lane]:
                        self._carry_out(run_id, running)

    def _carry_out(self, run_id: str, running: dict[str, asyncio.Task[bool]]) -> None:
        task = asyncio.create_task(self._execute(run_id))
        running[run_id] = task
        task.add_done_callback(lambda done: self._ran(run_id, running, done))

    async def _execute(self, run_id: str) -> bool:
        if await guarded(run_id, self._work.runs.execute(run_id)):
            return True
        await guarded(run_id, self._work.runs.crashed(run_id))
        return False

    def _ran(self, run_id: str, running: dict[str, asyncio.Task[bool]], done: asyncio.Task[bool]) -> None:
        del running[run_id]
        # What failed waits for the tick: a store that takes no writes would refuse the same run at once again.
        if not done.cancelled() and done.result():
            self._clock.begin(self._carry_out_runs)
