import asyncio

import pytest
from tests.flows.goods import START, an_order
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.runs import RunKind, RunStatus


@pytest.fixture
def workshop(sqlite_database) -> Workshop:
    return Workshop(sqlite_database)


async def test_a_run_without_signs_of_life_is_closed_by_the_next_starter(sqlite_database):
    workshop = Workshop(sqlite_database, stale_after_s=0.05)
    seller = await workshop.connect()
    gate = workshop.channel.hold("orders")
    dead = await workshop.queue(seller)
    running = asyncio.create_task(workshop.runs.execute(dead.id))
    await gate.reached.wait()
    await asyncio.sleep(0.1)

    fresh = await workshop.queue(seller)
    gate.open.set()
    await running

    assert fresh.id != dead.id
    assert (await workshop.look(dead)).status is RunStatus.INTERRUPTED


async def test_a_run_that_waits_long_shows_signs_of_life(sqlite_database):
    workshop = Workshop(sqlite_database, heartbeat_s=0.02)
    seller = await workshop.connect()
    gate = workshop.channel.hold("orders")
    run = await workshop.queue(seller)
    running = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    before = (await workshop.look(run)).heartbeat_at
    await asyncio.sleep(0.1)
    after = (await workshop.look(run)).heartbeat_at
    gate.open.set()
    await running

    assert after > before


async def test_what_a_killed_process_left_open_is_done_again_at_the_next_start(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    gate = workshop.channel.hold("orders")
    killed = await workshop.queue(seller, window_from=START)
    running = asyncio.create_task(workshop.runs.execute(killed.id))
    await gate.reached.wait()

    later = workshop.another()
    await later.runs.take_over()
    [again] = await later.runs.queued(10)
    await later.runs.execute(again)
    gate.open.set()
    await running

    async with workshop.database.read() as work:
        backfill = await work.runs.get(TENANT, again)
    assert (await workshop.look(killed)).status is RunStatus.INTERRUPTED
    assert (backfill.window_from, backfill.counts.created) == (START, 1)


async def test_a_stop_of_the_process_leaves_runs_for_the_next_start(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number) for number in range(1, 10)))
    gate = workshop.channel.hold("orders")
    run = await workshop.queue(seller)
    running = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()

    workshop.runs.stop_all()
    gate.open.set()
    await running
    later = workshop.another()
    await later.runs.start_due(RunKind.ORDERS)
    for run_id in await later.runs.queued(10):
        await later.runs.execute(run_id)

    assert (await workshop.look(run)).status is RunStatus.INTERRUPTED
    assert len(await workshop.orders()) == 9
