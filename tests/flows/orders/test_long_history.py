"""A backfill of a long history: some pages, then one job at the marketplace, whatever happens to it."""

import asyncio
from datetime import timedelta

import pytest
from tests.flows.goods import START, an_order, an_unreadable_order
from tests.flows.orders.history_steps import (
    BY_PAGE,
    COUNT,
    END,
    WINDOW,
    a_long_history,
    all_ids,
    calls,
    cut_off,
    download_of,
    finish,
    ids,
)
from tests.flows.workshop import IMPATIENT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelRefused, NoAnswer, ReplyNotUnderstood
from channel_sync.domain.order_files import HistoryDownload
from channel_sync.domain.runs import Outcome


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_a_long_history_is_some_pages_and_one_job(workshop: Workshop):
    seller = await a_long_history(workshop)
    workshop.shop().polls_until_ready = 3

    run = await workshop.run(seller, **WINDOW)

    assert (run.outcome, run.counts.created, run.walked_to) == (Outcome.SUCCESS, COUNT, END)
    assert await ids(workshop) == all_ids()
    assert len(await workshop.events("order.created")) == COUNT
    assert calls(workshop) == {"orders": 2, "start_order_job": 1, "order_job": 3, "order_file": 1}
    assert await download_of(workshop, run) is None
    assert await workshop.cursor(seller) is None


async def test_a_short_history_comes_by_page_alone(workshop: Workshop):
    seller = await a_long_history(workshop, BY_PAGE - 1)

    await workshop.run(seller, **WINDOW)

    assert await ids(workshop) == all_ids(BY_PAGE - 1)
    assert workshop.channel.calls["start_order_job"] == 0


async def test_what_changes_while_the_files_are_made_comes_by_page(workshop: Workshop):
    seller = await a_long_history(workshop)
    run = await workshop.queue(seller, window_from=START)
    gate = workshop.channel.hold("order_file")
    working = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    workshop.shop().place(an_order(COUNT + 1, updated_at=utcnow()))
    gate.open.set()
    await working

    done = await workshop.look(run)
    assert (done.outcome, done.counts.created) == (Outcome.SUCCESS, COUNT + 1)
    assert await ids(workshop) == all_ids(COUNT + 1)
    assert done.walked_to is not None
    assert utcnow() - done.walked_to < timedelta(minutes=11)


@pytest.mark.parametrize("at", ["order_job", "order_file"])
async def test_one_that_is_cut_off_goes_on_with_the_same_job(workshop: Workshop, at: str):
    seller = await a_long_history(workshop)
    next_process = await cut_off(workshop, await workshop.queue(seller, **WINDOW), at)

    done = await finish(next_process)

    assert (done.outcome, await ids(workshop)) == (Outcome.SUCCESS, all_ids())
    assert workshop.channel.calls["start_order_job"] == 1
    assert len(await workshop.events("order.created")) == COUNT


async def test_one_that_is_killed_between_the_values_of_a_file_goes_on_behind_them(workshop: Workshop):
    seller = await a_long_history(workshop)
    run = await workshop.queue(seller, **WINDOW)
    await workshop.runs.execute(run.id)
    stored = await workshop.rows("orders")
    again = await workshop.queue(seller, **WINDOW)
    async with workshop.database.begin() as work:
        since = START + timedelta(minutes=BY_PAGE)
        job_id = next(iter(workshop.shop().order_files))
        await work.order_downloads.add(again, HistoryDownload(since, utcnow(), job_id, 0, 6, 6))

    await workshop.runs.execute(again.id)

    done = await workshop.look(again)
    # The job has eighteen; of those six are passed over.
    assert (done.counts.unchanged, done.counts.created) == (COUNT - BY_PAGE + 1 - 6, 0)
    assert await workshop.rows("orders") == stored
    assert calls(workshop)["orders"] == 2


async def test_a_lost_answer_asks_for_no_second_job(workshop: Workshop):
    seller = await a_long_history(workshop)
    workshop.channel.lose_answer("start_order_job")

    done = await workshop.run(seller, **WINDOW)
    again = await workshop.run(seller, **WINDOW)

    assert (done.outcome, done.counts.created) == (Outcome.SUCCESS, COUNT)
    assert (again.outcome, again.counts.news) == (Outcome.NO_CHANGES, 0)
    assert await ids(workshop) == all_ids()
    assert workshop.channel.calls["start_order_job"] == 1


@pytest.mark.parametrize(
    "error",
    [ChannelRefused("90001", "no"), ReplyNotUnderstood("no_envelope", "?"), ChannelRefused("http_403", "no")],
)
async def test_a_job_that_is_refused_costs_pages_and_no_order(workshop: Workshop, error):
    seller = await a_long_history(workshop)
    workshop.channel.break_down("start_order_job", error)

    done = await workshop.run(seller, **WINDOW)

    assert (done.outcome, done.error, await ids(workshop)) == (Outcome.SUCCESS, None, all_ids())
    assert workshop.channel.calls["start_order_job"] == 1


async def test_a_job_that_fails_costs_pages_and_no_order(workshop: Workshop):
    seller = await a_long_history(workshop)
    workshop.shop().failing_jobs = {"orders-1"}

    done = await workshop.run(seller, **WINDOW)

    assert (done.outcome, await ids(workshop)) == (Outcome.SUCCESS, all_ids())
    assert calls(workshop)["order_file"] == 0


async def test_a_job_without_an_end_is_given_up(database):
    workshop = Workshop(database, waits=IMPATIENT)
    seller = await a_long_history(workshop)
    workshop.shop().polls_until_ready = 10_000

    done = await workshop.run(seller, **WINDOW)
    await workshop.run(seller, **WINDOW)

    assert (done.outcome, await ids(workshop)) == (Outcome.SUCCESS, all_ids())
    assert workshop.channel.calls["start_order_job"] == 1


async def test_a_job_that_cannot_be_asked_after_for_a_while_is_waited_for(workshop: Workshop):
    seller = await a_long_history(workshop)
    workshop.channel.fail("order_job", *[NoAnswer("timeout", "…")] * 3)

    done = await workshop.run(seller, **WINDOW)

    assert (done.outcome, await ids(workshop)) == (Outcome.SUCCESS, all_ids())
    assert calls(workshop) == {"orders": 2, "start_order_job": 1, "order_job": 4, "order_file": 1}


@pytest.mark.parametrize("error", [ChannelRefused("http_403", "expired"), NoAnswer("connection_failed", "cut")])
async def test_a_file_that_cannot_be_had_is_asked_for_where_it_is_now(workshop: Workshop, error):
    seller = await a_long_history(workshop)
    workshop.channel.fail("order_file", error, error)

    done = await workshop.run(seller, **WINDOW)

    assert (done.outcome, await ids(workshop)) == (Outcome.SUCCESS, all_ids())
    assert calls(workshop) == {"orders": 2, "start_order_job": 1, "order_job": 3, "order_file": 3}


@pytest.mark.parametrize(
    "error",
    [
        ChannelRefused("http_403", "gone"),
        NoAnswer("timeout", "slow"),
        ReplyNotUnderstood("reply_too_large", "large"),
    ],
)
async def test_a_file_that_is_never_had_costs_pages_and_no_order(workshop: Workshop, error):
    seller = await a_long_history(workshop)
    workshop.channel.break_down("order_file", error)

    done = await workshop.run(seller, **WINDOW)

    assert (done.outcome, await ids(workshop)) == (Outcome.SUCCESS, all_ids())
    assert calls(workshop)["order_file"] == (1 if isinstance(error, ReplyNotUnderstood) else 3)


async def test_what_cannot_be_read_of_a_file_is_held(workshop: Workshop):
    seller = await a_long_history(workshop)
    workshop.shop().place(an_unreadable_order(9), an_unreadable_order(15))

    done = await workshop.run(seller, **WINDOW)

    assert (done.outcome, done.counts.created, done.counts.held) == (Outcome.PARTIAL, COUNT - 2, 2)
    async with workshop.database.read() as work:
        account_id = seller.account_id or ""
        assert await work.held_orders.known(account_id, ["o-9", "o-15"]) == {"o-9", "o-15"}


async def test_orders_of_a_file_may_come_twice_in_any_order_and_older_than_they_are(workshop: Workshop):
    seller = await a_long_history(workshop)
    run = await workshop.queue(seller, **WINDOW)
    gate = workshop.channel.hold("order_job")
    working = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    [job_id] = workshop.shop().order_files
    listed = workshop.shop().order_files[job_id]
    newer = an_order(10, minute=12)
    workshop.shop().order_files[job_id] = [newer, *reversed(listed), *listed[:5], an_order(10)]
    gate.open.set()
    await working

    done = await workshop.look(run)
    assert (done.outcome, await ids(workshop)) == (Outcome.SUCCESS, all_ids())
    assert {order.channel_updated_at for order in await workshop.orders() if order.channel_order_id == "o-10"} == {
        newer.updated_at
    }
    assert workshop.channel.calls["order"] == 0
    assert len(await workshop.events("order.upstream_regression")) == 0


async def test_files_with_fewer_orders_than_they_should_have_cost_pages_and_no_order(workshop: Workshop):
    seller = await a_long_history(workshop)
    run = await workshop.queue(seller, **WINDOW)
    gate = workshop.channel.hold("order_file")
    working = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    [job_id] = workshop.shop().order_files
    del workshop.shop().order_files[job_id][4:]
    gate.open.set()
    await working

    assert (await workshop.look(run)).outcome is Outcome.SUCCESS
    assert await ids(workshop) == all_ids()
