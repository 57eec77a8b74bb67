from dataclasses import replace
from datetime import timedelta

import pytest
from tests.factories import NOW, connected, later
from tests.flows.scheduling.steps import due_at, make_due, runs_of, schedules_of

from channel_sync.domain.integrations import IntegrationSettings, OrderSettings
from channel_sync.domain.runs import CRASHES_ALLOWED, RunKind, RunRequest, RunStatus, Trigger
from channel_sync.domain.stock import StockSettings
from channel_sync.flows.scheduling.jobs import catch_up, follow_settings, start_jobs, stop_jobs
from channel_sync.flows.scheduling.opening import queued_run

NO_ORDERS = IntegrationSettings(orders=OrderSettings(enabled=False))
NO_STOCK = IntegrationSettings(stock=StockSettings(enabled=False))
A_DAY = NOW + timedelta(days=1)
EVERY_JOB = {RunKind.LISTINGS: NOW, RunKind.ORDERS: NOW, RunKind.RECONCILE: A_DAY, RunKind.STOCK: NOW}


async def do(database, flow, *given):
    async with database.begin() as work:
        await flow(work, *given)


async def open_runs(database, shop):
    """Open runs of orders and of stock."""
    for kind in (RunKind.ORDERS, RunKind.RECONCILE, RunKind.STOCK):
        async with database.begin() as work:
            await work.runs.open(queued_run(shop[0], RunRequest(shop[0].id, kind, Trigger.SCHEDULE), NOW))


async def stopped(database, shop):
    """The kinds whose open run was asked to stop."""
    return {run.kind for run in await runs_of(database, shop) if run.cancel_requested}


@pytest.mark.parametrize(
    ("settings", "off"),
    [
        (IntegrationSettings(), ()),
        (NO_ORDERS, (RunKind.ORDERS, RunKind.RECONCILE)),
        (NO_STOCK, (RunKind.STOCK,)),
    ],
)
async def test_every_job_is_due_that_the_seller_has_not_switched_off(sqlite_database, settings, off):
    shop = await connected(sqlite_database, settings=settings)

    await do(sqlite_database, start_jobs, shop[0], NOW)

    due = {kind: at for kind, at in EVERY_JOB.items() if kind not in off}
    assert await due_at(sqlite_database, shop) == due
    assert await runs_of(sqlite_database, shop) == []


async def test_what_was_put_aside_for_its_crashes_has_another_chance(database):
    shop = await connected(database)
    await make_due(database, shop, RunKind.ORDERS, at=later(900))
    async with database.begin() as work:
        for _ in range(CRASHES_ALLOWED):
            await work.schedules.crashed(shop[0].id, RunKind.ORDERS)

    await do(database, start_jobs, shop[0], NOW)

    assert await due_at(database, shop) == EVERY_JOB


@pytest.mark.parametrize("flow", [start_jobs, catch_up])
async def test_no_job_is_due_of_an_integration_that_may_not_run(sqlite_database, flow):
    shop = await connected(sqlite_database, enabled=False)

    await do(sqlite_database, flow, shop[0], NOW)

    assert (await due_at(sqlite_database, shop), await runs_of(sqlite_database, shop)) == ({}, [])


async def test_after_a_pause_the_orders_of_the_gap_are_asked_for_first(database):
    shop = await connected(database)

    for _ in range(2):
        await do(database, catch_up, shop[0], NOW)

    assert await due_at(database, shop) == EVERY_JOB
    [run] = await runs_of(database, shop)
    assert (run.kind, run.trigger, run.status) == (RunKind.ORDERS, Trigger.CATCH_UP, RunStatus.QUEUED)


async def test_where_orders_are_switched_off_there_is_no_gap_to_fill(sqlite_database):
    shop = await connected(sqlite_database, settings=NO_ORDERS)

    await do(sqlite_database, catch_up, shop[0], NOW)

    assert set(await due_at(sqlite_database, shop)) == {RunKind.LISTINGS, RunKind.STOCK}
    assert await runs_of(sqlite_database, shop) == []


@pytest.mark.parametrize(
    ("settings", "kinds"), [(NO_ORDERS, {RunKind.ORDERS, RunKind.RECONCILE}), (NO_STOCK, {RunKind.STOCK})]
)
async def test_jobs_that_are_switched_off_stop_and_start_again_when_they_are_on(database, settings, kinds):
    shop = await connected(database)
    await do(database, start_jobs, shop[0], NOW)
    await open_runs(database, shop)
    off = replace(shop[0], settings=settings)

    await do(database, follow_settings, shop[0], off, NOW)
    due = await due_at(database, shop)
    assert {kind for kind, at in due.items() if at is None} == await stopped(database, shop) == kinds

    await do(database, follow_settings, off, shop[0], NOW)
    assert await due_at(database, shop) == EVERY_JOB


async def test_settings_that_did_not_change_start_nothing(sqlite_database):
    shop = await connected(sqlite_database)

    await do(sqlite_database, follow_settings, shop[0], replace(shop[0], name="Another"), NOW)

    assert await due_at(sqlite_database, shop) == {}


async def is_to_be_gone_through(database, shop):
    """Whether the next stock run goes through every listing of the shop."""
    async with database.read() as work:
        return (await work.accounts.get(shop[1].id)).resend_after is not None


@pytest.mark.parametrize(
    ("changed", "is_news"),
    [
        (StockSettings(buffer=1), True),
        (StockSettings(warehouse_id="wh2"), True),
        (StockSettings(interval_s=60), False),
    ],
)
async def test_changed_rules_of_stock_are_the_next_runs_to_follow(database, changed, is_news):
    shop = await connected(database)
    after = replace(shop[0], settings=IntegrationSettings(stock=changed))

    await do(database, follow_settings, shop[0], after, NOW)

    assert await is_to_be_gone_through(database, shop) is is_news


async def test_a_draft_has_no_listing_to_be_told_changed_rules(sqlite_database):
    shop = await connected(sqlite_database)
    alone = replace(shop[0], account_id=None)
    buffered = replace(alone, settings=IntegrationSettings(stock=StockSettings(buffer=1)))

    await do(sqlite_database, follow_settings, alone, buffered, NOW)

    assert set(await due_at(sqlite_database, shop)) == set(EVERY_JOB)


async def test_what_stops_has_no_job_due_and_its_open_runs_are_asked_to_stop(database):
    shop, other = await connected(database), await connected(database)
    for one in (shop, other):
        await make_due(database, one, RunKind.ORDERS, RunKind.STOCK)
        await open_runs(database, one)

    await do(database, stop_jobs, shop[0])

    assert {schedule.next_at for schedule in (await schedules_of(database, shop)).values()} == {None}
    assert await stopped(database, shop) == {RunKind.ORDERS, RunKind.RECONCILE, RunKind.STOCK}
    assert await stopped(database, other) == set()
