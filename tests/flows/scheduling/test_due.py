from datetime import timedelta

import pytest
from tests.factories import NOW, a_draft, connected, later
from tests.flows.scheduling.steps import doubt_stock, due_at, make_due, runs_of, schedules_of, wait_for_stock

from channel_sync.domain.integrations import IntegrationSettings, OrderSettings
from channel_sync.domain.runs import RunKind, RunStatus, Trigger
from channel_sync.domain.secrets import Secret
from channel_sync.domain.stock import StockSettings
from channel_sync.flows.scheduling.due import next_stock_at, open_due_runs
from channel_sync.flows.scheduling.intervals import RunPace
from channel_sync.persistence.doubts import FIRST_LOOK
from channel_sync.persistence.stock_jobs import OpenStockJob

PACE = RunPace(orders_s=100, stock_s=10, listings_s=1000, reconcile_s=10_000)
ALL_OFF = IntegrationSettings(OrderSettings(enabled=False), StockSettings(enabled=False))


async def start_due(database, kind=RunKind.ORDERS, limit=10):
    async with database.begin() as work:
        return await open_due_runs(work, kind, PACE, limit, NOW)


async def stock_at(database, *shops):
    async with database.read() as work:
        return await next_stock_at(work, [integration for integration, _ in shops], NOW)


@pytest.mark.parametrize(
    ("kind", "trigger", "seconds"),
    [
        (RunKind.ORDERS, Trigger.SCHEDULE, 100),
        (RunKind.RECONCILE, Trigger.RECONCILE, 10_000),
        (RunKind.LISTINGS, Trigger.SCHEDULE, 1000),
    ],
)
async def test_a_run_is_queued_and_the_next_one_is_due_at_the_usual_pace(database, kind, trigger, seconds):
    shop = await connected(database)
    await make_due(database, shop, kind)

    await start_due(database, kind)

    [run] = await runs_of(database, shop)
    assert (run.kind, run.trigger, run.status, run.created_at) == (kind, trigger, RunStatus.QUEUED, NOW)
    schedule = (await schedules_of(database, shop))[kind]
    assert schedule.last_attempt_at == NOW
    assert schedule.next_at is not None
    assert (schedule.next_at - NOW).total_seconds() == pytest.approx(seconds, rel=0.05)


async def test_what_is_not_due_yet_and_what_is_of_another_kind_waits(database):
    soon, other = await connected(database), await connected(database)
    await make_due(database, soon, RunKind.ORDERS, at=later(1))
    await make_due(database, other, RunKind.LISTINGS)

    await start_due(database)

    assert await runs_of(database, soon) == await runs_of(database, other) == []
    assert await due_at(database, soon) == {RunKind.ORDERS: later(1)}


@pytest.mark.parametrize(("limit", "are_more"), [(1, True), (2, True), (3, False)])
async def test_only_so_many_are_opened_at_once_and_it_is_said_whether_there_may_be_more(
    sqlite_database, limit, are_more
):
    shops = [await connected(sqlite_database) for _ in range(2)]
    for shop in shops:
        await make_due(sqlite_database, shop, RunKind.ORDERS)

    assert await start_due(sqlite_database, limit=limit) is are_more

    assert sum([len(await runs_of(sqlite_database, shop)) for shop in shops]) == min(limit, 2)


async def test_a_run_that_is_open_already_is_not_opened_twice_and_counts_as_no_attempt(database):
    shop = await connected(database)
    for _ in range(2):
        await make_due(database, shop, RunKind.ORDERS)
        await start_due(database)
    async with database.begin() as work:
        await work.schedules.hurry(shop[0].id, RunKind.ORDERS, NOW)
        await open_due_runs(work, RunKind.ORDERS, PACE, 10, later(5))

    assert len(await runs_of(database, shop)) == 1
    schedule = (await schedules_of(database, shop))[RunKind.ORDERS]
    assert schedule.last_attempt_at == NOW
    assert schedule.next_at is not None
    assert schedule.next_at > later(5)


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        (RunKind.ORDERS, {"enabled": False}),
        (RunKind.ORDERS, {"rejected_reason": "client_rejected"}),
        (RunKind.ORDERS, {"settings": ALL_OFF}),
        (RunKind.RECONCILE, {"settings": ALL_OFF}),
        (RunKind.STOCK, {"settings": ALL_OFF}),
    ],
)
async def test_a_shop_that_is_not_to_be_called_goes_off_the_schedule(sqlite_database, kind, members):
    shop = await connected(sqlite_database, **members)
    await make_due(sqlite_database, shop, kind)

    await start_due(sqlite_database, kind)

    assert await runs_of(sqlite_database, shop) == []
    assert await due_at(sqlite_database, shop) == {kind: None}


async def test_an_integration_without_an_account_goes_off_the_schedule(sqlite_database):
    shop = await connected(sqlite_database)
    alone = a_draft(activated_at=NOW, access_token_last4="aaaa")
    async with sqlite_database.begin() as work:
        await work.integrations.add(alone, Secret("a-secret-of-the-app"))
    await make_due(sqlite_database, (alone, shop[1]), RunKind.LISTINGS)

    await start_due(sqlite_database, RunKind.LISTINGS)

    assert await due_at(sqlite_database, (alone, shop[1])) == {RunKind.LISTINGS: None}


async def test_listings_are_read_whatever_is_switched_off(sqlite_database):
    shop = await connected(sqlite_database, settings=ALL_OFF)
    await make_due(sqlite_database, shop, RunKind.LISTINGS)

    await start_due(sqlite_database, RunKind.LISTINGS)

    assert len(await runs_of(sqlite_database, shop)) == 1


async def test_a_paused_integration_is_looked_at_again_at_the_usual_pace(sqlite_database):
    shop = await connected(sqlite_database, paused_reason="account_disabled_at_wish")
    await make_due(sqlite_database, shop, RunKind.ORDERS)

    await start_due(sqlite_database)

    assert await runs_of(sqlite_database, shop) == []
    next_at = (await due_at(sqlite_database, shop))[RunKind.ORDERS]
    assert next_at is not None
    assert (next_at - NOW).total_seconds() == pytest.approx(100, rel=0.05)


async def test_a_shop_without_stock_to_send_is_put_off_by_a_minute(database):
    shop = await connected(database)
    await make_due(database, shop, RunKind.STOCK)

    await start_due(database, RunKind.STOCK)

    assert await runs_of(database, shop) == []
    next_at = (await due_at(database, shop))[RunKind.STOCK]
    assert next_at is not None
    assert (next_at - NOW).total_seconds() == pytest.approx(60, rel=0.05)
    assert await stock_at(database, shop) == {}


async def test_a_stock_run_is_opened_where_a_listing_lacks_its_newest_level(database):
    shop, other = await connected(database), await connected(database)
    await wait_for_stock(database, shop)
    await make_due(database, shop, RunKind.STOCK)

    await start_due(database, RunKind.STOCK)

    assert [run.kind for run in await runs_of(database, shop)] == [RunKind.STOCK]
    assert await stock_at(database, shop, other) == {shop[1].id: NOW}


async def test_a_stock_run_is_opened_where_a_job_is_open_at_the_marketplace(sqlite_database):
    shop = await connected(sqlite_database)
    async with sqlite_database.begin() as work:
        await work.stock_jobs.add(OpenStockJob("sjb_1", shop[1].id, None, NOW))

    assert await stock_at(sqlite_database, shop) == {shop[1].id: NOW}


@pytest.mark.parametrize(("look_in_s", "next_in_s"), [(7, 7), (600, 60)])
async def test_a_shop_in_doubt_is_looked_at_when_it_is_time(database, look_in_s, next_in_s):
    shop = await connected(database)
    await doubt_stock(database, shop, NOW + timedelta(seconds=look_in_s) - FIRST_LOOK)
    await make_due(database, shop, RunKind.STOCK)

    await start_due(database, RunKind.STOCK)

    assert await stock_at(database, shop) == {shop[1].id: later(look_in_s)}
    assert await runs_of(database, shop) == []
    next_at = (await due_at(database, shop))[RunKind.STOCK]
    assert next_at is not None
    assert (next_at - NOW).total_seconds() == pytest.approx(next_in_s, rel=0.05)


async def test_a_look_whose_time_has_come_is_a_run(sqlite_database):
    shop = await connected(sqlite_database)
    await doubt_stock(sqlite_database, shop, NOW - FIRST_LOOK)
    await make_due(sqlite_database, shop, RunKind.STOCK)

    await start_due(sqlite_database, RunKind.STOCK)

    assert len(await runs_of(sqlite_database, shop)) == 1
