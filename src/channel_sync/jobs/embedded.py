"""Runs the jobs and the queued runs inside one process."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from channel_sync.jobs.clock import Clock, carried_out, drain
from channel_sync.jobs.lanes import slots
from channel_sync.jobs.schedule import Flows, Job
from channel_sync.persistence.engine.tenancy import for_every_tenant

_STALLED_AFTER_S = 30.0
# Runs read from the queue at once; each is claimed when its turn comes, if it is still there then.
_LOOK_AHEAD = 500


class EmbeddedRunner:
    """The jobs of a process without workers, and up to `concurrency` runs at once in each lane."""

    def __init__(self, work: Flows, jobs: Sequence[Job], concurrency: int) -> None:
        self._work = work
        self._carry_out_runs = Job("carry_out_runs", 1, lambda _: self._fill(), on_wake=True)
        self._clock = Clock(work, jobs, then=self._carry_out_runs)
        self._lanes = {lane: _Lane(places) for lane, places in slots(concurrency).items()}
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
        with for_every_tenant():
            await self._work.runs.take_over()
            await self._work.grants.take_over()
        self._clock.start()

    def nudge(self) -> None:
        """Look for work now instead of at the next tick."""
        self._clock.nudge()

    async def stop(self, grace_s: float = 20.0) -> None:
        """Let runs end at their next page and wait for them up to `grace_s`; then leave them to the next start."""
        self._clock.stop()
        self._work.runs.stop_all()
        running = [task for lane in self._lanes.values() for task in lane.running.values()]
        # A renewal under way outlives the run that asked for it: its answer is the only copy of a grant.
        await asyncio.gather(
            drain(running, grace_s), self._clock.ended(grace_s), self._work.grants.finish(grace_s)
        )

    async def _fill(self) -> None:
        """Start queued runs while there is room in their lane."""
        # Set first: a store that refuses is trouble, but the loop is alive; one that hangs is a stall.
        self._progress = time.monotonic()
        for name, lane in self._lanes.items():
            if not lane.waiting and lane.has_room():
                lane.waiting.extend(await self._work.runs.queued(name, _LOOK_AHEAD))
            self._start(lane)

    def _start(self, lane: "_Lane") -> None:
        while lane.waiting and lane.has_room() and not self._clock.stopping:
            run_id = lane.waiting.popleft()
            if run_id not in lane.running:
                task = asyncio.create_task(carried_out(self._work, run_id))
                lane.running[run_id] = task
                task.add_done_callback(partial(self._ran, run_id, lane))

    def _ran(self, run_id: str, lane: "_Lane", done: asyncio.Task[bool]) -> None:
        del lane.running[run_id]
        # What failed waits for the tick: a store that takes no writes would refuse the same run at once again.
        if self._clock.stopping or done.cancelled() or not done.result():
            return
        if lane.waiting:
            self._start(lane)
        else:
            self._clock.begin(self._carry_out_runs)


@dataclass(slots=True)
class _Lane:
    """The seats of a lane, and runs seen in the queue that wait for one."""

    places: int
    running: dict[str, asyncio.Task[bool]] = field(default_factory=dict)
    waiting: deque[str] = field(default_factory=deque)

    def has_room(self) -> bool:
        return len(self.running) < self.places
