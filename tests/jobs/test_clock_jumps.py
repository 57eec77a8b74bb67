import asyncio
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from tests.flows.workshop import Workshop
from tests.jobs.waiting import until

from channel_sync.domain.clock import utcnow
from channel_sync.jobs.distributed import Worker
from channel_sync.jobs.embedded import EmbeddedRunner
from channel_sync.jobs.queue_connection import QueueConnection
from channel_sync.jobs.schedule import Job

FAR = timedelta(days=40)
JUMPS = [FAR, -FAR, timedelta(seconds=1.5), -timedelta(seconds=1.5)]
RECOVERED_S = 1


class Rounds:
    """A job, and how often it was done."""

    def __init__(self) -> None:
        self.done = 0

    async def __call__(self, _work: object) -> None:
        self.done += 1

    async def are(self, number: int) -> bool:
        return self.done >= number


class Pulse:
    """The longest time that the event loop stood still."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def take(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self.longest_s = max(self.longest_s, time.monotonic() - before)


def embedded(workshop: Workshop, *jobs: Job) -> EmbeddedRunner:
    return EmbeddedRunner(workshop.work, jobs, 8)


async def goes_on_after(jump: timedelta, runner: EmbeddedRunner | Worker, rounds: Rounds) -> None:
    """The clock jumps while the runner is at work: it begins the job again and again, and nothing stands."""
    async with AsyncExitStack() as held:
        await runner.start()
        held.push_async_callback(runner.stop, 1)
        await until(partial(rounds.are, 2))
        pulse = Pulse()
        held.callback(asyncio.create_task(pulse.take()).cancel)
        held.enter_context(time_machine.travel(utcnow() + jump, tick=True))
        await until(partial(rounds.are, rounds.done + 2), within_s=RECOVERED_S)
        await asyncio.sleep(RECOVERED_S)
    assert pulse.longest_s < RECOVERED_S


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_an_embedded_runner_goes_on_when_the_clock_jumps(sqlite_database, jump):
    rounds = Rounds()
    await goes_on_after(jump, embedded(Workshop(sqlite_database), Job("count", 0.1, rounds)), rounds)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_a_worker_goes_on_when_the_clock_jumps(postgres_database, app_url, jump):
    rounds = Rounds()
    work, jobs = Workshop(postgres_database).work, (Job("count", 0.1, rounds),)
    worker = Worker(work, jobs, 8, QueueConnection(app_url), lease_s=5)
    await goes_on_after(jump, worker, rounds)


@pytest.mark.parametrize("jump", [FAR, -FAR], ids=str)
async def test_what_is_done_rarely_is_done_once_more(sqlite_database, jump):
    rounds = Rounds()
    runner = embedded(Workshop(sqlite_database), Job("count", 3600, rounds))
    await runner.start()
    await until(partial(rounds.are, 1))
    with time_machine.travel(utcnow() + jump, tick=True):
        await asyncio.sleep(RECOVERED_S)
        await runner.stop(1)
    assert rounds.done == 2


async def test_a_chore_is_done_again_after_the_clock_was_set_back(database):
    turns = Workshop(database).work.turns
    with time_machine.travel(utcnow() + FAR, tick=True):
        assert await turns.take("exclusive", 60)
    assert await turns.take("exclusive", 60)


async def test_a_chore_is_done_once_by_two_whose_clocks_differ_by_little(postgres_database):
    turns = Workshop(postgres_database).work.turns
    with time_machine.travel(utcnow() + timedelta(seconds=20), tick=True):
        assert await turns.take("exclusive", 60)
    assert not await turns.take("exclusive", 60)
