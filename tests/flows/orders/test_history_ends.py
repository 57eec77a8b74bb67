"""Long histories that are cancelled, left lying or only counted."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.flows.orders.history_steps import (
    BY_PAGE,
    COUNT,
    WINDOW,
    a_long_history,
    age,
    all_ids,
    calls,
    cut_off,
    download_of,
    finish,
    ids,
)
from tests.flows.workshop import Workshop

from channel_sync.domain.channel_rules import PollWaits
from channel_sync.domain.runs import Outcome, RunStatus
from channel_sync.flows.prune import Prune

PATIENT = PollWaits(30, 60, (30,), 900)


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


@pytest.mark.parametrize("at", ["start_order_job", "order_job", "order_file"])
async def test_a_cancel_ends_it_wherever_it_is(workshop: Workshop, at: str):
    seller = await a_long_history(workshop)
    run = await workshop.queue(seller, **WINDOW)
    gate = workshop.channel.hold(at)
    working = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    await workshop.runs.cancel(run.tenant, run.id)
    gate.open.set()
    await asyncio.wait_for(working, 5)

    done, seen = await workshop.look(run), calls(workshop)
    assert (done.status, len(await ids(workshop))) == (RunStatus.CANCELLED, BY_PAGE)
    again = await workshop.run(seller, **WINDOW)
    assert (again.outcome, await ids(workshop)) == (Outcome.SUCCESS, all_ids())
    assert calls(workshop)["start_order_job"] == seen["start_order_job"] == 1


async def test_a_cancel_ends_the_wait_for_a_job_at_once(database):
    workshop = Workshop(database, waits=PATIENT)
    seller = await a_long_history(workshop)
    run = await workshop.queue(seller, **WINDOW)
    gate = workshop.channel.hold("start_order_job")
    working = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    gate.open.set()
    await asyncio.sleep(0.2)
    await workshop.runs.cancel(run.tenant, run.id)
    await asyncio.wait_for(working, 5)

    assert (await workshop.look(run)).status is RunStatus.CANCELLED
    assert calls(workshop)["order_job"] == 0


@pytest.mark.parametrize("at", ["order_job", "order_file"])
async def test_one_whose_process_is_killed_goes_on_with_the_same_job(database, at: str):
    workshop = Workshop(database)
    seller = await a_long_history(workshop)
    run = await workshop.queue(seller, **WINDOW)
    gate = workshop.channel.hold(at)
    working = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    working.cancel()
    await asyncio.wait([working])
    next_process = workshop.another(stale_after_s=0.05)
    await asyncio.sleep(0.06)
    await next_process.runs.take_over_silent()

    done = await finish(next_process)

    assert (done.outcome, await ids(workshop)) == (Outcome.SUCCESS, all_ids())
    assert calls(workshop)["start_order_job"] == 1
    assert len(await workshop.events("order.created")) == COUNT


async def test_one_whose_process_is_killed_while_it_asks_goes_on_by_page(database):
    workshop = Workshop(database)
    seller = await a_long_history(workshop)
    run = await workshop.queue(seller, **WINDOW)
    gate = workshop.channel.hold("start_order_job")
    working = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    working.cancel()
    await asyncio.wait([working])
    next_process = workshop.another(stale_after_s=0.05)
    await asyncio.sleep(0.06)
    await next_process.runs.take_over_silent()

    done = await finish(next_process)

    assert (done.outcome, await ids(workshop)) == (Outcome.SUCCESS, all_ids())
    assert calls(workshop)["start_order_job"] == 1


async def test_one_that_is_taken_up_again_looks_before_it_waits(database):
    workshop = Workshop(database)
    seller = await a_long_history(workshop)
    next_process = await cut_off(workshop, await workshop.queue(seller, **WINDOW), "order_job")
    await age(workshop, timedelta(seconds=40))
    jobs = replace(workshop.channel.rules.order_jobs, polls=PATIENT)
    workshop.channel.rules = replace(workshop.channel.rules, order_jobs=jobs)

    done = await asyncio.wait_for(finish(next_process), 10)

    assert (done.outcome, await ids(workshop)) == (Outcome.SUCCESS, all_ids())


async def test_a_download_of_long_ago_is_asked_for_anew(workshop: Workshop):
    seller = await a_long_history(workshop)
    next_process = await cut_off(workshop, await workshop.queue(seller, **WINDOW), "order_job")
    await age(workshop, timedelta(hours=7))

    await finish(next_process)

    assert await ids(workshop) == all_ids()
    assert workshop.channel.calls["start_order_job"] == 2


async def test_downloads_of_days_ago_are_forgotten(workshop: Workshop):
    seller = await a_long_history(workshop)
    run = await workshop.queue(seller, **WINDOW)
    await cut_off(workshop, run, "order_job")
    await age(workshop, timedelta(hours=23))
    await Prune(workshop.database).run()
    kept = await download_of(workshop, run)
    await age(workshop, timedelta(hours=2))
    await Prune(workshop.database).run()

    assert kept is not None
    assert await download_of(workshop, run) is None


async def test_a_dry_run_that_is_cut_off_goes_on_with_the_same_job(workshop: Workshop):
    seller = await a_long_history(workshop)
    workshop.shop().polls_until_ready = 2
    run = await workshop.queue(seller, dry_run=True, **WINDOW)
    next_process = await cut_off(workshop, run, "order_job")

    done = await finish(next_process)
    after = await download_of(workshop, done)

    assert done.estimate is not None
    assert (done.estimate.orders, workshop.channel.calls["start_order_job"], after) == (COUNT, 1, None)


async def test_a_dry_run_whose_job_fails_says_so_and_asks_again_the_next_time(workshop: Workshop):
    seller = await a_long_history(workshop)
    workshop.shop().failing_jobs = {"orders-1"}

    failed = await workshop.run(seller, dry_run=True, **WINDOW)
    again = await workshop.run(seller, dry_run=True, **WINDOW)

    assert failed.error is not None
    assert (failed.error.code, failed.error.retryable) == ("order_download_failed", True)
    assert again.estimate is not None


async def test_a_dry_run_whose_answer_was_lost_asks_for_no_second_job(workshop: Workshop):
    seller = await a_long_history(workshop)
    workshop.channel.lose_answer("start_order_job")

    runs = [await workshop.run(seller, dry_run=True, **WINDOW) for _ in range(2)]

    assert [run.error and run.error.code for run in runs] == ["timeout", "order_download_lost"]
    assert workshop.channel.calls["start_order_job"] == 1
