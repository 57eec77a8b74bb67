import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from tests.factories import NOW, a_run, connected
from tests.flows.goods import START, an_order
from tests.flows.scheduling.steps import due_at, runs_of
from tests.flows.workshop import TENANT, Workshop, waiting
from tests.stores import ON_SQLITE

from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import Integration
from channel_sync.domain.runs import Counts, Outcome, Run, RunKind, RunStatus, Trigger
from channel_sync.flows.scheduling.jobs import start_jobs
from channel_sync.flows.scheduling.takeover import take_over
from channel_sync.persistence.database import Database
from channel_sync.persistence.schedules import Schedule

# After this time without a sign of life a run is taken over.
STALE_S = 0.05


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database, stale_after_s=STALE_S)


@asynccontextmanager
async def held_up(workshop: Workshop, run: Run) -> AsyncIterator[None]:
    """A run that stands still in its first call, for too long already; it goes on at the end."""
    gate = workshop.channel.hold("orders")
    running = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    await asyncio.sleep(2 * STALE_S)
    yield
    gate.open.set()
    await running


async def test_a_run_without_signs_of_life_is_closed_and_due_again(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    dead = await workshop.queue(seller)
    async with held_up(workshop, dead):
        later = workshop.another(stale_after_s=STALE_S)
        await later.runs.take_over_silent()
        await later.runs.start_due(RunKind.ORDERS)
        [again] = await waiting(later.runs)
        await later.runs.execute(again)

    assert again != dead.id
    assert (await workshop.look(dead)).status is RunStatus.INTERRUPTED
    assert len(await workshop.orders()) == 1
    assert len(await workshop.events("order.created")) == 1


async def test_a_run_whose_end_was_undone_by_a_crash_of_the_database_is_due_again_at_once(database):
    workshop = Workshop(database, stale_after_s=3600)
    seller = await workshop.connect()
    undone = await workshop.queue(seller, trigger=Trigger.SCHEDULE)
    fresh = await workshop.queue(seller, RunKind.STOCK, trigger=Trigger.SCHEDULE)
    async with database.begin() as work:
        await work.run_batches.claim([undone.id], workshop.owner, utcnow() - timedelta(seconds=5))
        await work.run_batches.claim([fresh.id], workshop.owner, utcnow())

    await workshop.another(stale_after_s=3600).runs.take_over_silent()
    assert (await workshop.look(undone)).status is RunStatus.RUNNING

    await workshop.runs.take_over_silent()
    assert (await workshop.look(undone)).status is RunStatus.INTERRUPTED
    assert (await workshop.look(fresh)).status is RunStatus.RUNNING
    await workshop.runs.start_due(RunKind.ORDERS)
    assert len(await waiting(workshop.runs)) == 1


async def test_a_database_that_crashes_again_and_again_puts_no_work_aside(database):
    workshop = Workshop(database, stale_after_s=3600)
    seller = await connect_due(workshop)
    for _ in range(4):
        undone = await workshop.queue(seller)
        async with workshop.database.begin() as work:
            await work.run_batches.claim([undone.id], workshop.owner, utcnow() - timedelta(seconds=5))
        await workshop.runs.take_over_silent()

    assert (await workshop.look(undone)).error is None
    assert await are_due(workshop, seller)


async def test_a_quiet_run_that_somebody_else_has_closed_meanwhile_ends_without_a_word(workshop: Workshop):
    dead = await workshop.queue(await workshop.connect(), trigger=Trigger.SCHEDULE)
    async with held_up(workshop, dead):
        await workshop.another(stale_after_s=STALE_S).runs.take_over_silent()

    assert (await workshop.look(dead)).status is RunStatus.INTERRUPTED


async def test_a_process_that_stood_still_does_not_close_its_own_runs(workshop: Workshop):
    run = await workshop.queue(await workshop.connect())
    async with held_up(workshop, run):
        await workshop.runs.take_over_silent()

    assert (await workshop.look(run)).outcome is Outcome.NO_CHANGES


async def die_in_a_run(workshop: Workshop, seller: Integration, orders_before: int = 0) -> Run:
    """The run of a process that was killed in it, taken over by another."""
    run = await workshop.queue(seller)
    async with workshop.database.begin() as work:
        await work.run_batches.claim([run.id], "a process that is gone", utcnow())
        await work.runs.beat(run.id, Counts(created=orders_before), utcnow())
    await asyncio.sleep(1.2 * STALE_S)
    await workshop.runs.take_over_silent()
    return await workshop.look(run)


async def connect_due(workshop: Workshop) -> Integration:
    """An integration whose orders are due."""
    seller = await workshop.connect()
    async with workshop.database.begin() as work:
        await work.schedules.hurry(seller.id, RunKind.ORDERS, utcnow())
    return seller


async def orders_of(workshop: Workshop, seller: Integration) -> Schedule:
    async with workshop.database.read() as work:
        return (await work.schedules.of([seller.id]))[seller.id][RunKind.ORDERS]


async def are_due(workshop: Workshop, seller: Integration) -> bool:
    next_at = (await orders_of(workshop, seller)).next_at
    return next_at is not None and next_at <= utcnow()


async def test_work_that_killed_three_processes_is_put_aside_and_says_so(workshop: Workshop):
    seller = await connect_due(workshop)
    died = [await die_in_a_run(workshop, seller) for _ in range(3)]

    assert [run.error.code if run.error else None for run in died] == [None, None, "parked_after_crashes"]
    schedule = await orders_of(workshop, seller)
    assert schedule.last_error_code == "parked_after_crashes"
    assert schedule.next_at is not None
    assert schedule.next_at > utcnow() + timedelta(minutes=59)


async def test_what_was_put_aside_is_not_due_before_its_time_but_runs_for_a_person(workshop: Workshop):
    seller = await connect_due(workshop)
    for _ in range(3):
        await die_in_a_run(workshop, seller)
    async with workshop.database.begin() as work:
        await work.schedules.hurry(seller.id, RunKind.ORDERS, utcnow())
    await workshop.runs.start_due(RunKind.ORDERS)
    assert await waiting(workshop.runs) == []

    assert (await workshop.run(seller)).outcome is Outcome.NO_CHANGES
    assert (await orders_of(workshop, seller)).last_error_code is None
    await die_in_a_run(workshop, seller)
    assert await are_due(workshop, seller)


async def test_a_download_that_gets_on_is_never_put_aside(workshop: Workshop):
    seller = await connect_due(workshop)
    for _ in range(4):
        await die_in_a_run(workshop, seller, orders_before=500)

    assert await are_due(workshop, seller)


async def test_a_run_that_gets_on_makes_good_for_those_that_died_before(workshop: Workshop):
    seller = await connect_due(workshop)
    for orders_before in (0, 0, 500, 0, 0):
        await die_in_a_run(workshop, seller, orders_before)

    assert await are_due(workshop, seller)


@pytest.mark.parametrize(
    ("crashes", "counts", "then"),
    [(0, Counts(), 1), (1, Counts(), 2), (2, Counts(), None), (2, Counts(created=1), 0)],
)
async def test_a_run_aside_counts_its_own_crashes_and_is_put_aside_for_good(database, crashes, counts, then):
    shop = await connected(database)
    members: dict[str, Any] = {"trigger": Trigger.BACKFILL, "window_from": START, "finished_at": NOW}
    died = a_run(*shop, crashes=crashes, counts=counts, **members)
    async with database.begin() as work:
        await work.runs.open(died)
        await take_over(work, [died], NOW)

    runs = {run.id: run for run in await runs_of(database, shop)}
    told = runs.pop(died.id).error
    assert [run.crashes for run in runs.values()] == ([] if then is None else [then])
    assert (told is not None and "when somebody asks" in told.message) is (then is None)
    assert await due_at(database, shop) == {}


async def test_who_switches_an_integration_on_again_gives_it_another_chance(workshop: Workshop):
    seller = await connect_due(workshop)
    for _ in range(3):
        await die_in_a_run(workshop, seller)

    async with workshop.database.begin() as work:
        await start_jobs(work, seller, utcnow())

    assert await are_due(workshop, seller)


async def test_a_backfill_without_signs_of_life_is_done_again_with_its_window(workshop: Workshop):
    seller = await workshop.connect()
    dead = await workshop.queue(seller, window_from=START)
    async with held_up(workshop, dead):
        await workshop.another(stale_after_s=STALE_S).runs.take_over_silent()

    [again] = await waiting(workshop.runs)
    async with workshop.database.read() as work:
        backfill = await work.runs.get(TENANT, again)
    assert (await workshop.look(dead)).status is RunStatus.INTERRUPTED
    assert (backfill.trigger, backfill.window_from) == (Trigger.BACKFILL, START)


async def test_a_store_that_is_away_for_a_moment_does_not_end_a_download(sqlite_file, cipher):
    database = Database(f"sqlite:///{sqlite_file}", cipher, patience_s=0.05)
    workshop = Workshop(database)
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    run = await workshop.queue(seller)
    async with held_up(workshop, run):
        other = sqlite3.connect(sqlite_file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.6, other.close)

    done = await workshop.look(run)
    orders, events = await workshop.orders(), await workshop.events("order.created")
    await database.close()
    assert (done.outcome, done.counts.created) == (Outcome.SUCCESS, 1)
    assert len(orders) == len(events) == 1


async def test_what_a_clock_put_off_that_is_set_back_is_due_at_once(workshop: Workshop):
    seller, other = await workshop.connect("m1"), await workshop.connect("m2")
    with time_machine.travel(utcnow() + timedelta(days=1), tick=True):
        await workshop.due(seller)
    async with workshop.database.begin() as work:
        await work.schedules.set_next(other.id, RunKind.ORDERS, utcnow() + timedelta(minutes=5))

    await workshop.runs.notice_clock()
    await workshop.runs.start_due(RunKind.ORDERS)

    [run_id] = await waiting(workshop.runs)
    async with workshop.database.read() as work:
        assert (await work.runs.get(TENANT, run_id)).integration_id == seller.id


@ON_SQLITE
async def test_what_a_killed_process_left_open_is_done_again_at_the_next_start(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    killed = await workshop.queue(seller, window_from=START)
    async with held_up(workshop, killed):
        later = workshop.another()
        await later.runs.take_over()
        [again] = await waiting(later.runs)
        await later.runs.execute(again)

    async with workshop.database.read() as work:
        backfill = await work.runs.get(TENANT, again)
    assert (await workshop.look(killed)).status is RunStatus.INTERRUPTED
    assert (backfill.window_from, backfill.counts.created) == (START, 1)


async def test_a_stop_of_the_process_leaves_runs_for_the_next_start(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number) for number in range(1, 10)))
    run = await workshop.queue(seller)
    async with held_up(workshop, run):
        workshop.runs.stop_all()
    later = workshop.another()
    await later.runs.start_due(RunKind.ORDERS)
    for run_id in await waiting(later.runs):
        await later.runs.execute(run_id)

    assert (await workshop.look(run)).status is RunStatus.INTERRUPTED
    assert len(await workshop.orders()) == 9
