"""Backfills and dry runs have a lane of their own, beside the ordinary run of orders."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.flows.goods import START, an_order
from tests.flows.workshop import TENANT, Workshop, waiting

from channel_sync.domain.calls import Priority
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import Conflict
from channel_sync.domain.integrations import Integration
from channel_sync.domain.runs import (
    OPEN_ASIDE,
    Counts,
    Lane,
    Outcome,
    Run,
    RunKind,
    RunRequest,
    RunStatus,
    Trigger,
)
from channel_sync.flows.runs.session import RunSession

END = START + timedelta(minutes=10)
STALE_S = 0.05


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database, stale_after_s=STALE_S)


async def ask(workshop: Workshop, seller: Integration, hours: int = 0, dry_run: bool = False) -> tuple[Run, bool]:
    start = START + timedelta(hours=hours)
    request = RunRequest(seller.id, RunKind.ORDERS, Trigger.BACKFILL, start, end_of(start), dry_run)
    return await workshop.runs.request(TENANT, request)


def end_of(start):
    return start + (END - START)


@pytest.mark.parametrize("members", [{"window_from": START, "window_to": END}, {"dry_run": True}])
async def test_what_is_asked_for_while_an_order_run_is_open_is_done_beside_it(workshop: Workshop, members: dict):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), an_order(2), an_order(40))
    gate = workshop.channel.hold("orders")
    ordinary = await workshop.queue(seller, trigger=Trigger.SCHEDULE)
    running = asyncio.create_task(workshop.runs.execute(ordinary.id))
    await gate.reached.wait()

    aside = await workshop.run(seller, **members)
    assert await workshop.cursor(seller) is None
    gate.open.set()
    await running

    assert aside.id != ordinary.id
    assert (aside.status, aside.counts.created) == (RunStatus.FINISHED, 3 if aside.dry_run else 2)
    done = await workshop.look(ordinary)
    assert (done.trigger, done.outcome) == (Trigger.SCHEDULE, Outcome.SUCCESS)
    assert done.counts.created == (3 if aside.dry_run else 1)
    assert len(await workshop.orders()) == len(await workshop.events("order.created")) == 3


async def test_the_clock_starts_order_runs_while_a_backfill_is_open(workshop: Workshop):
    seller = await workshop.connect()
    await ask(workshop, seller)
    async with workshop.database.begin() as work:
        await work.schedules.hurry(seller.id, RunKind.ORDERS, utcnow())
    await workshop.runs.start_due(RunKind.ORDERS)

    lanes = {lane: len(await workshop.runs.queued(lane, 10)) for lane in Lane}

    assert lanes == {Lane.URGENT: 0, Lane.ORDERS: 1, Lane.GOODS: 0, Lane.BACKFILL: 1}


async def test_a_second_backfill_of_the_same_window_is_the_same_one(workshop: Workshop):
    seller = await workshop.connect()
    first, is_old = await ask(workshop, seller)
    again, is_same = await ask(workshop, seller)
    dry, is_dry_same = await ask(workshop, seller, dry_run=True)
    later, is_later_same = await ask(workshop, seller, hours=1)

    assert (is_old, is_same, is_dry_same, is_later_same) == (False, True, False, False)
    assert again.id == first.id
    assert len({first.id, dry.id, later.id}) == 3


async def test_so_many_are_open_for_an_integration_and_no_more(workshop: Workshop):
    seller, other = await workshop.connect("m1"), await workshop.connect("m2")
    opened = [await ask(workshop, seller, hours) for hours in range(OPEN_ASIDE)]

    with pytest.raises(Conflict) as refused:
        await ask(workshop, seller, OPEN_ASIDE)
    same, is_same = await ask(workshop, seller, 0)
    await ask(workshop, other)
    await workshop.queue(seller)

    assert refused.value.code == "too_many_backfills"
    assert (same.id, is_same) == (opened[0][0].id, True)
    assert len(await workshop.runs.queued(Lane.BACKFILL, 100)) == OPEN_ASIDE + 1


async def test_so_many_are_open_however_many_ask_at_once(workshop: Workshop):
    seller = await workshop.connect()
    async with workshop.database.begin() as work:
        await work.schedules.hurry(seller.id, RunKind.ORDERS, utcnow())

    asked = await asyncio.gather(
        *(ask(workshop, seller, hours) for hours in range(2 * OPEN_ASIDE)), return_exceptions=True
    )

    assert sum(isinstance(one, Conflict) for one in asked) == OPEN_ASIDE
    assert len(await workshop.runs.queued(Lane.BACKFILL, 100)) == OPEN_ASIDE


class Note:
    """A walk that notes with which priority its calls would go."""

    priority: Priority | None = None

    async def run(self, session: RunSession) -> None:
        self.priority = session.context.priority


@pytest.mark.parametrize(
    ("members", "priority"),
    [({"window_from": START}, Priority.BACKFILL), ({"dry_run": True}, Priority.ORDERS), ({}, Priority.ORDERS)],
)
async def test_calls_of_a_backfill_come_after_all_others_of_its_shop(database, members: dict, priority: Priority):
    note = Note()
    workshop = Workshop(database, walks={RunKind.ORDERS: note})
    await workshop.run(await workshop.connect(), **members)

    assert note.priority is priority


async def die_in(workshop: Workshop, run: Run, orders_before: int = 0) -> Run:
    """The run, taken over after its process was killed in it."""
    async with workshop.database.begin() as work:
        await work.run_batches.claim([run.id], "a process that is gone", utcnow())
        await work.runs.beat(run.id, Counts(created=orders_before), utcnow())
    await asyncio.sleep(1.2 * STALE_S)
    await workshop.runs.take_over_silent()
    return await workshop.look(run)


async def the_next(workshop: Workshop) -> Run:
    [run_id] = await waiting(workshop.runs)
    async with workshop.database.read() as work:
        return await work.runs.get(TENANT, run_id)


@pytest.mark.parametrize("members", [{"window_from": START, "window_to": END}, {"dry_run": True}])
async def test_one_that_was_cut_off_is_done_again_as_what_it_was(workshop: Workshop, members: dict):
    seller = await workshop.connect()
    died = await die_in(workshop, await workshop.queue(seller, **members))

    again = await the_next(workshop)

    assert died.status is RunStatus.INTERRUPTED
    assert (again.trigger, again.window_from, again.window_to, again.dry_run) == (
        died.trigger,
        died.window_from,
        died.window_to,
        died.dry_run,
    )


async def test_one_that_kills_three_processes_is_put_aside_and_holds_no_order_run_up(workshop: Workshop):
    seller = await workshop.connect()
    run, _ = await ask(workshop, seller)
    for _ in range(2):
        assert (await die_in(workshop, run)).error is None
        run = await the_next(workshop)
    died = await die_in(workshop, run)

    assert died.error is not None
    assert died.error.code == "parked_after_crashes"
    assert await waiting(workshop.runs) == []
    ordinary = await workshop.due(seller)
    assert ordinary is not None
    assert ordinary.outcome is Outcome.NO_CHANGES
    assert not (await ask(workshop, seller))[1]


async def test_one_that_gets_on_is_never_put_aside(workshop: Workshop):
    seller = await workshop.connect()
    run, _ = await ask(workshop, seller)
    for _ in range(4):
        await die_in(workshop, run, orders_before=500)
        run = await the_next(workshop)

    assert run.crashes == 0


async def test_one_that_is_cut_off_goes_on_at_the_page_it_was_at(workshop: Workshop):
    seller = await workshop.connect(orders_from=utcnow())
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number) for number in range(1, 9)))
    run = await workshop.queue(seller, window_from=START, window_to=END)
    gate = workshop.channel.hold("orders")
    working = asyncio.create_task(workshop.runs.execute(run.id))
    for _ in range(3):
        await gate.reached.wait()
        following = workshop.channel.hold("orders")
        gate.open.set()
        gate = following
    await gate.reached.wait()
    workshop.runs.stop_all()
    gate.open.set()
    await working

    next_process = workshop.another()
    again = await the_next(next_process)
    stored = len(await workshop.orders())
    await next_process.runs.execute(again.id)

    done = await workshop.look(again)
    assert (again.window_from, again.window_to, again.dry_run) == (START, END, False)
    assert again.walked_to == START + timedelta(minutes=stored - 1)
    assert done.counts.created == 8 - stored > 0
    assert len(await workshop.orders()) == len(await workshop.events("order.created")) == 8
    assert await workshop.cursor(seller) is None


async def test_a_dry_run_says_what_the_run_comes_to_for_less(workshop: Workshop):
    seller = await workshop.connect(orders_from=utcnow())
    workshop.shop().page_size = 10
    rules = workshop.channel.rules
    workshop.channel.rules = replace(rules, order_jobs=replace(rules.order_jobs, orders_a_page=9))
    workshop.shop().place(*(an_order(number) for number in range(1, 61)))
    end = START + timedelta(minutes=60)

    dry = await workshop.run(seller, dry_run=True, window_from=START, window_to=end)
    dry_calls = workshop.channel.calls.total()
    run = await workshop.run(seller, window_from=START, window_to=end)
    calls = workshop.channel.calls.total() - dry_calls

    assert dry.estimate is not None
    assert (dry.estimate.orders, dry_calls, dry.counts.created) == (run.counts.created, 3, 10)
    assert abs(dry.estimate.calls - calls) <= 1 < dry_calls < calls
    assert len(await workshop.orders()) == 60


async def test_a_dry_run_of_a_short_window_is_one_call_and_exact(workshop: Workshop):
    seller = await workshop.connect(orders_from=utcnow())
    workshop.shop().place(an_order(1), an_order(2))

    dry = await workshop.run(seller, dry_run=True, window_from=START, window_to=END)

    assert dry.estimate is not None
    assert (dry.estimate.orders, dry.estimate.calls, dry.counts.created) == (2, 2, 2)
    assert workshop.channel.calls == {"orders": 1}
    assert await workshop.orders() == []
