from dataclasses import replace

import pytest
from tests.factories import NOW, TENANT, a_run, connected, later
from tests.persistence.run_steps import a_call, finish, get, listed, opened, queued

from channel_sync.domain.errors import NotFound
from channel_sync.domain.ids import new_id
from channel_sync.domain.runs import Outcome, RunKind, RunStatus, Trigger


@pytest.fixture
async def shop(database):
    """An active integration with its account."""
    return await connected(database)


async def without_news(database, shop, second, trigger=Trigger.SCHEDULE, outcome=Outcome.NO_CHANGES):
    run = await opened(database, shop, id=new_id("run", later(second)), trigger=trigger)
    async with database.begin() as work:
        await work.run_batches.add_calls({run.id: [a_call("/orders")]})
    await finish(database, run, outcome, later(second))
    async with database.begin() as work:
        return run, await work.run_batches.compact([run.id]) == {run.id}


async def test_scheduled_runs_without_news_fold_into_the_first(database, shop):
    first, folded_first = await without_news(database, shop, 1)
    folded = [(await without_news(database, shop, second))[1] for second in (2, 3)]

    assert (folded_first, folded) == (False, [True, True])
    [left] = await listed(database)
    assert (left.id, left.repeats, left.heartbeat_at) == (first.id, 2, later(3))


@pytest.mark.parametrize(
    ("trigger", "outcome"), [(Trigger.MANUAL, Outcome.NO_CHANGES), (Trigger.SCHEDULE, Outcome.SUCCESS)]
)
async def test_a_run_that_says_something_is_not_folded_nor_folded_into(database, shop, trigger, outcome):
    assert not (await without_news(database, shop, 1))[1]
    assert not (await without_news(database, shop, 2, trigger, outcome))[1]
    assert not (await without_news(database, shop, 3))[1]

    assert len(await listed(database)) == 3


async def test_a_cancelled_run_is_marked_and_a_closed_one_is_not(database, shop):
    run = await opened(database, shop)
    async with database.begin() as work:
        assert (await work.runs.request_cancel(TENANT, run.id)).cancel_requested
        with pytest.raises(NotFound):
            await work.runs.request_cancel("other", run.id)
        assert await work.runs.to_stop("process-1") == [run.id]
        assert await work.runs.to_stop("process-2") == []
    await finish(database, run)

    other = await opened(database, shop)
    await finish(database, other)
    async with database.begin() as work:
        assert not (await work.runs.request_cancel(TENANT, other.id)).cancel_requested
        assert await work.runs.to_stop("process-1") == []


async def test_the_runs_of_an_integration_are_cancelled_by_kind(database, shop):
    orders, stock = await opened(database, shop), await opened(database, shop, kind=RunKind.STOCK)

    async with database.begin() as work:
        await work.runs.cancel_for(shop[0].id, [RunKind.STOCK])
        assert await work.runs.to_stop("process-1") == [stock.id]
        await work.runs.cancel_for(shop[0].id)
        assert set(await work.runs.to_stop("process-1")) == {orders.id, stock.id}


@pytest.mark.parametrize(
    ("change", "stops"),
    [
        ({}, False),
        ({"paused_reason": "p"}, False),
        ({"enabled": False}, True),
        ({"removed_at": NOW}, True),
        ({"rejected_reason": "r"}, True),
    ],
)
async def test_runs_of_an_integration_that_shall_not_work_are_to_stop(database, shop, change, stops):
    run = await opened(database, shop)
    async with database.begin() as work:
        await work.integrations.save(replace(shop[0], **change))

    async with database.read() as work:
        assert await work.runs.to_stop("process-1") == ([run.id] if stops else [])


async def test_a_silent_run_is_interrupted_for_the_next(database, shop):
    run = await opened(database, shop)

    async with database.begin() as work:
        assert not await work.runs.interrupt_silent(NOW, [], later(9))
        assert not await work.runs.interrupt_silent(later(1), [run.id], later(9))
        assert await work.runs.interrupt_silent(later(1), [], later(9))
        assert not await work.runs.interrupt_silent(later(1), [], later(9))
        await work.runs.open(a_run(*shop))

    interrupted = await get(database, run)
    assert (interrupted.status, interrupted.finished_at) == (RunStatus.INTERRUPTED, later(9))


async def test_a_queued_run_is_never_interrupted(database, shop):
    run = await queued(database, shop)

    async with database.begin() as work:
        assert not await work.runs.interrupt_silent(later(1), [], later(9))
        assert await work.runs.interrupt_others("process-2", later(9)) == []

    assert await get(database, run) == run


async def test_runs_of_processes_that_are_gone_are_interrupted_at_the_start(database, shop):
    gone, mine = await opened(database, shop), await opened(database, shop, kind=RunKind.STOCK, owner="process-2")

    async with database.begin() as work:
        interrupted = await work.runs.interrupt_others("process-2", later(9))

    assert interrupted == [replace(gone, status=RunStatus.INTERRUPTED, finished_at=later(9))]
    assert await get(database, mine) == mine
