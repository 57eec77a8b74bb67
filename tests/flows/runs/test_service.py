import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.flows.goods import START, an_order
from tests.flows.workshop import TENANT, Workshop, waiting
from tests.stored import newest_run

from channel_sync.domain.calls import Call
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import (
    AccessTokenRejected,
    ChannelUnavailable,
    Conflict,
    GrantRejected,
    Invalid,
    NoAnswer,
    NotFound,
    RateLimited,
    ReplyNotUnderstood,
)
from channel_sync.domain.runs import Counts, Outcome, RunKind, RunRequest, RunStatus, Trigger
from channel_sync.flows.runs.session import RunSession
from channel_sync.persistence.runs import RunQuery
from channel_sync.persistence.sql.paging import PageRequest


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def all_runs(workshop: Workshop) -> list[RunStatus]:
    async with workshop.database.read() as work:
        return [run.status for run in (await work.runs.list(TENANT, RunQuery(), PageRequest(100, None))).items]


async def test_a_second_request_gets_the_run_that_is_open(workshop: Workshop):
    seller = await workshop.connect()
    request = RunRequest(seller.id, RunKind.ORDERS, Trigger.MANUAL)

    first, is_old = await workshop.runs.request(TENANT, request)
    second, is_same = await workshop.runs.request(TENANT, request)

    assert (is_old, is_same) == (False, True)
    assert second.id == first.id
    assert workshop.nudges == 1


async def test_a_scheduled_run_that_a_person_was_given_stays_to_be_read(workshop: Workshop):
    seller = await workshop.connect()
    await workshop.due(seller)
    gate = workshop.channel.hold("orders")
    running = asyncio.create_task(workshop.due(seller))
    await gate.reached.wait()

    given, is_same = await workshop.runs.request(TENANT, RunRequest(seller.id, RunKind.ORDERS, Trigger.MANUAL))
    gate.open.set()
    await running
    await workshop.due(seller)

    read_again = await workshop.look(given)
    assert is_same
    assert (read_again.status, read_again.trigger, read_again.repeats) == (RunStatus.FINISHED, Trigger.MANUAL, 0)


async def test_a_disabled_integration_starts_nothing(workshop: Workshop):
    seller = await workshop.connect(enabled=False)

    with pytest.raises(Conflict) as refused:
        await workshop.queue(seller)
    due = await workshop.due(seller)

    assert refused.value.code == "integration_disabled"
    assert due is None
    assert workshop.channel.calls["orders"] == 0


async def test_another_tenants_integration_is_not_there(workshop: Workshop):
    seller = await workshop.connect()

    with pytest.raises(NotFound):
        await workshop.runs.request("other", RunRequest(seller.id, RunKind.ORDERS, Trigger.MANUAL))


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"kind": RunKind.LISTINGS, "dry_run": True}, "not_for_this_kind"),
        ({"kind": RunKind.LISTINGS, "window_from": START}, "not_for_this_kind"),
        ({"kind": RunKind.ORDERS, "window_to": START}, "window_invalid"),
        ({"kind": RunKind.ORDERS, "window_from": START, "window_to": START}, "window_invalid"),
    ],
)
async def test_a_request_that_makes_no_sense_is_invalid(workshop: Workshop, members: dict, code: str):
    seller = await workshop.connect()

    with pytest.raises(Invalid) as refused:
        await workshop.queue(seller, **members)

    assert refused.value.code == code


async def test_a_due_run_moves_the_next_one_by_about_the_interval(workshop: Workshop):
    seller = await workshop.connect()
    await workshop.due(seller)

    async with workshop.database.read() as work:
        schedule = (await work.schedules.of([seller.id]))[seller.id][RunKind.ORDERS]
    assert schedule.next_at is not None
    assert schedule.last_success_at is not None
    assert timedelta(seconds=55) < schedule.next_at - utcnow() < timedelta(seconds=64)


async def test_missed_times_are_made_up_by_one_run(workshop: Workshop):
    seller = await workshop.connect()
    async with workshop.database.begin() as work:
        await work.schedules.set_next(seller.id, RunKind.ORDERS, utcnow() - timedelta(days=7))

    for _ in range(3):
        await workshop.runs.start_due(RunKind.ORDERS)

    assert len(await waiting(workshop.runs)) == 1


async def test_scheduled_runs_without_news_are_one_row_and_no_event(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    for _ in range(5):
        await workshop.due(seller)

    async with workshop.database.read() as work:
        newest = await newest_run(work, seller.id, RunKind.ORDERS)
    assert len(await all_runs(workshop)) == 2
    assert newest is not None
    assert newest.repeats == 3
    assert len(await workshop.events("run.finished")) == 1


async def test_a_run_that_a_person_started_is_told_even_without_news(workshop: Workshop):
    seller = await workshop.connect()

    run = await workshop.run(seller)

    [event] = await workshop.events("run.finished")
    assert event.members["run_id"] == run.id
    assert event.members["outcome"] == "no_changes"


async def test_the_calls_of_a_run_are_kept_with_it(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number) for number in range(1, 6)))

    run = await workshop.run(seller)

    async with workshop.database.read() as work:
        calls = await work.runs.calls(TENANT, run.id, PageRequest(100, None))
    assert len(calls.items) == workshop.channel.calls["orders"] > 2


class PagesSideBySide:
    """A walk that keeps three pages at once, each with a call of its own."""

    async def run(self, session: RunSession) -> None:
        await asyncio.gather(*(self._page(session) for _ in range(3)))

    async def _page(self, session: RunSession) -> None:
        async with session.transaction() as page:
            session.context.calls.append(Call(utcnow(), "PUT", "/products/1", 200, 0, 1, None))
            page.counts = Counts(updated=1)


async def test_pages_kept_side_by_side_do_not_hinder_each_other(database):
    workshop = Workshop(database, walks={RunKind.RECONCILE: PagesSideBySide()})
    seller = await workshop.connect()

    run = await workshop.run(seller, RunKind.RECONCILE)

    async with database.read() as work:
        calls = await work.runs.calls(TENANT, run.id, PageRequest(100, None))
    assert (run.outcome, run.error, run.counts.updated, len(calls.items)) == (Outcome.SUCCESS, None, 3, 3)


@pytest.mark.parametrize(
    ("error", "kind", "is_retryable"),
    [
        (RateLimited("Slow down.", 120), "rate_limit", True),
        (NoAnswer("timeout", "No answer."), "network", True),
        (ChannelUnavailable("server_error", "Down."), "channel_outage", True),
        (GrantRejected("refresh_token_rejected", "No."), "auth", False),
        (ReplyNotUnderstood("no_envelope", "Not JSON."), "data", False),
    ],
)
async def test_a_failed_run_says_who_has_to_act(workshop: Workshop, error, kind: str, is_retryable: bool):
    seller = await workshop.connect()
    workshop.channel.fail("orders", error)

    run = await workshop.run(seller)

    assert run.outcome is Outcome.FAILED
    assert run.error is not None
    assert (run.error.code, run.error.kind, run.error.retryable) == (error.code, kind, is_retryable)


async def test_failures_are_tried_again_later_and_later_but_within_a_quarter_of_an_hour(workshop: Workshop):
    seller = await workshop.connect()
    workshop.channel.break_down("orders", ChannelUnavailable("server_error", "Down."))
    waits = []
    for _ in range(9):
        await workshop.due(seller)
        waits.append(await until_next(workshop, seller.id))

    assert waits[0] < 20
    assert waits[2] > 2 * waits[0]
    assert 600 < waits[-1] < 950


async def test_a_wait_that_the_marketplace_asks_for_is_kept(workshop: Workshop):
    seller = await workshop.connect()
    workshop.channel.fail("orders", RateLimited("Slow down.", 300))

    run = await workshop.due(seller)

    assert await until_next(workshop, seller.id) >= 299
    assert run is not None
    assert run.error is not None
    assert run.error.retry_at is not None
    assert 290 < (run.error.retry_at - utcnow()).total_seconds() <= 300


async def test_a_rejected_grant_takes_the_integration_off_the_schedule(workshop: Workshop):
    seller = await workshop.connect()
    workshop.channel.break_down("orders", AccessTokenRejected("access_token_rejected", "No."))
    workshop.channel.break_down("renew", GrantRejected("refresh_token_rejected", "No."))

    run = await workshop.due(seller)
    await workshop.runs.start_due(RunKind.ORDERS)

    assert run is not None
    assert run.error is not None
    assert run.error.kind == "auth"
    assert await waiting(workshop.runs) == []


async def test_a_queued_run_that_is_cancelled_never_starts(workshop: Workshop):
    seller = await workshop.connect()
    run = await workshop.queue(seller)

    cancelled = await workshop.runs.cancel(TENANT, run.id)
    await workshop.runs.execute(run.id)

    assert cancelled.status is RunStatus.CANCELLED
    assert workshop.channel.calls["orders"] == 0


async def test_a_queued_run_of_an_integration_disabled_since_is_cancelled(workshop: Workshop):
    seller = await workshop.connect()
    run = await workshop.queue(seller)
    async with workshop.database.begin() as work:
        await work.integrations.save(replace(seller, enabled=False))

    await workshop.runs.execute(run.id)

    assert (await workshop.look(run)).status is RunStatus.CANCELLED
    assert workshop.channel.calls["orders"] == 0


async def test_an_idle_shop_opens_no_stock_run(workshop: Workshop):
    seller = await workshop.connect()

    assert await workshop.due(seller, RunKind.STOCK) is None
    assert await until_next(workshop, seller.id, RunKind.STOCK) > 50


async def until_next(workshop: Workshop, integration_id: str, kind: RunKind = RunKind.ORDERS) -> float:
    """Seconds until the kind is due."""
    async with workshop.database.read() as work:
        next_at = (await work.schedules.of([integration_id]))[integration_id][kind].next_at
    assert next_at is not None
    return (next_at - utcnow()).total_seconds()
