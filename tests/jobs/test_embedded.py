import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from functools import partial

import pytest
import structlog
import time_machine
from tests.flows.goods import a_listing, an_order
from tests.flows.workshop import Workshop
from tests.jobs.waiting import has_orders, has_units, is_finished, until

from channel_sync.domain.runs import Outcome, Run, RunKind, RunStatus, Trigger
from channel_sync.flows.runs.session import RunSession
from channel_sync.jobs.embedded import EmbeddedRunner
from channel_sync.jobs.schedule import JOBS, Job
from channel_sync.persistence.database import Database


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


@asynccontextmanager
async def running(workshop: Workshop, *jobs: Job, concurrency: int = 8) -> AsyncIterator[EmbeddedRunner]:
    runner = EmbeddedRunner(workshop.work, jobs, concurrency)
    await runner.start()
    try:
        yield runner
    finally:
        await runner.stop(1)


class Counter:
    """A job that counts how often it ran, and how many of it at once."""

    def __init__(self, takes_s: float = 0) -> None:
        self.times = 0
        self.at_once = 0
        self.most_at_once = 0
        self._takes_s = takes_s

    async def __call__(self, _work: object) -> None:
        self.times += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self._takes_s)
        self.at_once -= 1


async def test_times_missed_while_the_loop_was_blocked_are_made_up_once(workshop: Workshop):
    counter = Counter()
    async with running(workshop, Job("count", 0.1, counter)):
        await asyncio.sleep(0.05)
        before = counter.times
        time.sleep(1.5)
        await asyncio.sleep(0.05)
        made_up = counter.times - before

    assert before == 1
    assert 1 <= made_up <= 2


async def test_a_slow_job_is_never_at_work_twice(workshop: Workshop):
    counter = Counter(takes_s=0.2)
    async with running(workshop, Job("count", 0.02, counter)):
        await asyncio.sleep(0.5)

    assert counter.most_at_once == 1
    assert counter.times >= 2


async def test_a_nudge_runs_hasty_jobs_at_once_and_a_nudge_meanwhile_once_more(workshop: Workshop):
    on_wake, patient = Counter(takes_s=0.05), Counter()
    jobs = Job("on_wake", 3600, on_wake, on_wake=True), Job("patient", 3600, patient)
    async with running(workshop, *jobs) as runner:
        await asyncio.sleep(0.1)
        runner.nudge()
        await asyncio.sleep(0)
        for _ in range(10):
            runner.nudge()
        await asyncio.sleep(0.3)

    assert (on_wake.times, patient.times) == (3, 1)


async def test_many_nudges_in_a_row_are_a_few_rounds_and_the_last_one_counts(workshop: Workshop):
    on_wake = Counter()
    async with running(workshop, Job("on_wake", 3600, on_wake, on_wake=True)) as runner:
        await asyncio.sleep(0.05)
        for _ in range(100):
            runner.nudge()
            await asyncio.sleep(0.003)
        before_the_last = on_wake.times
        await asyncio.sleep(0.2)

    assert 2 <= before_the_last <= 20
    assert on_wake.times == before_the_last + 1


async def test_a_job_that_explodes_stops_no_other_and_its_words_are_not_logged(workshop: Workshop, caplog):
    async def explode(_work: object) -> None:
        raise RuntimeError("a secret")

    counter = Counter()
    with caplog.at_level(logging.ERROR, "channel_sync"):
        async with running(workshop, Job("explode", 0.02, explode), Job("count", 0.02, counter)):
            await asyncio.sleep(0.2)

    assert counter.times >= 3
    assert "explode failed: RuntimeError" in caplog.text
    assert "a secret" not in caplog.text


class ExplodingWalk:
    """A walk with a bug."""

    async def run(self, session: RunSession) -> None:
        raise RuntimeError("unexpected")


async def test_a_walk_that_explodes_fails_its_run_and_stops_no_other(database):
    workshop = Workshop(database, walks={RunKind.RECONCILE: ExplodingWalk()})
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    broken = await workshop.queue(seller, RunKind.RECONCILE)
    good = await workshop.queue(seller, RunKind.ORDERS)
    async with running(workshop):
        await until(lambda: is_finished(workshop, broken.id))
        await until(lambda: is_finished(workshop, good.id))

    failed = await workshop.look(broken)
    assert (failed.outcome, failed.error and failed.error.code) == (Outcome.FAILED, "internal_error")
    assert (await workshop.look(good)).outcome is Outcome.SUCCESS


async def test_a_store_that_takes_no_writes_is_asked_once_a_tick(sqlite_file, cipher, caplog):
    workshop = Workshop(Database(f"sqlite:///{sqlite_file}", cipher, patience_s=0.01))
    seller = await workshop.connect()
    async with running(workshop) as runner:
        run = await workshop.queue(seller)
        with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            runner.nudge()
            await asyncio.sleep(0.7)
        refusals = caplog.text.count("StorageUnavailable")
        await until(lambda: is_finished(workshop, run.id))
    await workshop.database.close()

    assert 1 <= refusals <= 3


async def test_a_stock_level_is_at_the_shop_soon_after_a_nudge(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1))
    await workshop.run(seller, RunKind.LISTINGS)
    hourly = tuple(Job(job.name, 3600, job.what, job.on_wake) for job in JOBS)
    async with running(workshop, *hourly) as runner:
        await workshop.put(("sku-1", 3))
        runner.nudge()
        await until(lambda: has_units(workshop, 3), within_s=1)

    assert workshop.shop().units("var-1") == {"wh1": 3, "wh2": 7}


async def test_due_runs_start_by_the_clock(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    async with workshop.database.begin() as work:
        await work.schedules.hurry(seller.id, RunKind.ORDERS, seller.created_at)
    async with running(workshop, *JOBS):
        await until(lambda: has_orders(workshop, 1))

    assert [order.channel_order_id for order in await workshop.orders()] == ["o-1"]


async def test_orders_come_soon_after_the_clock_was_set_back(workshop: Workshop):
    seller = await workshop.connect()
    with time_machine.travel(seller.created_at + timedelta(days=40), tick=True):
        await workshop.due(seller)
    workshop.shop().place(an_order(1))
    async with running(workshop, *JOBS):
        await until(lambda: has_orders(workshop, 1))

    assert [order.channel_order_id for order in await workshop.orders()] == ["o-1"]


async def test_runs_at_once_are_bounded(workshop: Workshop):
    workshop.channel.delays["orders"] = 0.05
    runs = [await queue_by_the_clock(workshop, f"m-{number}") for number in range(6)]
    async with running(workshop, concurrency=2):
        for run in runs:
            await until(partial(is_finished, workshop, run.id))

    assert workshop.channel.most_at_once["orders"] == 2


async def test_shops_that_are_slow_at_their_stock_hold_up_nobodys_orders(workshop: Workshop):
    workshop.channel.delays["catalogue"] = 1
    slow = [await queue_by_the_clock(workshop, f"m-{number}", RunKind.LISTINGS) for number in range(3)]
    quick = await queue_by_the_clock(workshop, "m-9")
    async with running(workshop, concurrency=2):
        await until(partial(is_finished, workshop, quick.id))
        assert not any([await is_finished(workshop, run.id) for run in slow])


async def test_who_waits_in_person_finds_a_seat_among_busy_ones(workshop: Workshop):
    sellers = [await workshop.connect(f"m-{number}") for number in range(3)]
    workshop.channel.delays["orders"] = 1
    busy = [await workshop.queue(seller, trigger=Trigger.SCHEDULE) for seller in sellers[:2]]
    async with running(workshop, concurrency=2) as runner:
        await asyncio.sleep(0.05)
        person = await workshop.queue(sellers[2], RunKind.STOCK)
        runner.nudge()
        await until(partial(is_finished, workshop, person.id))
        assert not any([await is_finished(workshop, run.id) for run in busy])


async def test_a_stop_waits_for_the_page_in_flight(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number) for number in range(1, 10)))
    run = await workshop.queue(seller)
    gate = workshop.channel.hold("orders")
    runner = EmbeddedRunner(workshop.work, (), 8)
    await runner.start()
    await gate.reached.wait()
    asyncio.get_running_loop().call_later(0.1, gate.open.set)

    await runner.stop(5)

    assert (await workshop.look(run)).status is RunStatus.INTERRUPTED
    assert len(await workshop.orders()) == 2
    assert runner.draining


async def test_a_stop_does_not_wait_longer_than_its_grace(workshop: Workshop):
    seller = await workshop.connect()
    await workshop.queue(seller)
    gate = workshop.channel.hold("orders")
    runner = EmbeddedRunner(workshop.work, (), 8)
    await runner.start()
    await gate.reached.wait()

    started = time.monotonic()
    await runner.stop(0.2)

    assert time.monotonic() - started < 2


async def test_a_runner_that_looks_through_its_queue_is_alive(workshop: Workshop):
    async with running(workshop) as runner:
        await asyncio.sleep(0.05)
        assert runner.alive()


async def queue_by_the_clock(workshop: Workshop, merchant_id: str, kind: RunKind = RunKind.ORDERS) -> Run:
    return await workshop.queue(await workshop.connect(merchant_id), kind, trigger=Trigger.SCHEDULE)


async def has_run(counter: Counter, times: int) -> bool:
    return counter.times >= times


async def test_what_a_request_nudges_is_logged_as_no_part_of_it(workshop: Workshop):
    found: list[dict[str, object]] = []

    async def look(_work: object) -> None:
        found.append(structlog.contextvars.get_contextvars())

    async with running(workshop, Job("look", 3600, look, on_wake=True)) as runner:
        await asyncio.sleep(0.05)
        with structlog.contextvars.bound_contextvars(request_id="req_1"):
            runner.nudge()
            await asyncio.sleep(0.3)

    assert found == [{}, {}]
