from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text
from tests.connecting import TENANT, Desk, utc_now
from tests.factories import a_channel_order, a_draft, a_run, an_event, an_integration, an_unreadable_order
from tests.stored import order_rows

from channel_sync.domain.errors import NotFound
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.pkce import hash_of
from channel_sync.persistence.idempotency import Replay
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.runs import RunQuery
from channel_sync.persistence.sql.paging import PageRequest


def ahead(**time):
    return time_machine.travel(utc_now() + timedelta(**time), tick=True)


async def with_orders(desk, integration, number=3):
    account = await desk.account()
    assert account is not None
    async with desk.database.begin() as work:
        await work.orders.store_rows(
            account, order_rows(desk.database, account, [a_channel_order() for _ in range(number)], utc_now())
        )
        await work.held_orders.hold(account, [an_unreadable_order()], utc_now())


async def orders_of(desk, integration_id):
    query, page = OrderFeedQuery(integration_id), PageRequest(2000, None)
    async with desk.database.read() as work:
        return (await work.orders.feed(TENANT, query, page, personal=True)).items


async def held_of(desk, integration_id):
    async with desk.database.read() as work:
        return (await work.held_orders.list(TENANT, integration_id, PageRequest(10, None))).items


async def test_a_draft_goes_an_hour_after_its_last_step(database):
    desk = Desk(database)
    forgotten, _ = await desk.draft()
    active = await desk.active()

    with ahead(minutes=59):
        await desk.prune.run()
        assert await desk.find(forgotten.id) is not None
        touched, _ = await desk.draft()
    with ahead(minutes=61):
        await desk.prune.run()

    assert await desk.find(forgotten.id) is None
    assert await desk.find(touched.id) is not None
    assert await desk.find(active.id) is not None


async def test_however_many_drafts_are_due_none_is_left_with_its_secret(database):
    desk = Desk(database)
    async with database.begin() as work:
        for _ in range(500):
            await work.integrations.add(
                a_draft(tenant=TENANT, draft_expires_at=utc_now()), Secret("kept-for-an-hour")
            )

    with ahead(minutes=1):
        await desk.prune.run()

    async with database.session() as session:
        assert await session.value(text("SELECT count(*) FROM integrations")) == 0


async def test_however_many_removed_integrations_are_due_none_is_left(database):
    desk = Desk(database)
    async with database.begin() as work:
        for _ in range(120):
            removed = an_integration(tenant=TENANT, removed_at=utc_now() - timedelta(days=31))
            await work.integrations.add(removed, Secret("destroyed-long-ago"))

    await desk.prune.run()

    async with database.session() as session:
        assert await session.value(text("SELECT count(*) FROM integrations")) == 0


async def test_a_ticket_of_a_pruned_draft_is_gone_with_it(database):
    desk = Desk(database)
    _, ticket = await desk.draft()

    with ahead(minutes=61):
        await desk.prune.run()

    async with database.read() as work:
        assert await work.attempts.by_ticket(hash_of(ticket)) is None


async def test_a_removed_integration_goes_after_thirty_days_with_its_buyers_data(database):
    desk = Desk(database)
    integration = await desk.active()
    await with_orders(desk, integration)
    await desk.lifecycle.remove(TENANT, integration.id, "My shop")

    with ahead(days=29):
        await desk.prune.run()
        assert all(order.address for order in await orders_of(desk, integration.id))
    with ahead(days=31):
        await desk.prune.run()
        await desk.prune.run()

    assert await desk.find(integration.id) is None
    orders = await orders_of(desk, integration.id)
    assert [(order.erased, order.address, order.tax) for order in orders] == [(True, None, None)] * 3
    assert all(order.merchant_revenue for order in orders)
    assert await held_of(desk, integration.id) == []


async def test_many_orders_are_erased_in_pieces(database):
    desk = Desk(database)
    integration = await desk.active()
    await with_orders(desk, integration, number=1201)
    await desk.lifecycle.remove(TENANT, integration.id, "My shop")

    with ahead(days=31):
        await desk.prune.run()

    orders = await orders_of(desk, integration.id)
    assert len(orders) == 1201
    assert all(order.erased for order in orders)


async def test_a_merchant_that_came_back_keeps_its_orders_as_they_are(database):
    desk = Desk(database)
    old = await desk.active()
    await with_orders(desk, old)
    await desk.lifecycle.remove(TENANT, old.id, "My shop")
    new = await desk.active(name="Again")
    assert len(await orders_of(desk, new.id)) == 3

    with ahead(days=31):
        await desk.prune.run()

    assert await desk.find(old.id) is None
    orders = await orders_of(desk, new.id)
    assert len(orders) == 3
    assert all(order.address and order.integration_id == new.id for order in orders)
    assert len(await held_of(desk, new.id)) == 1


async def test_events_and_runs_are_kept_thirty_days(database):
    desk = Desk(database)
    integration = await desk.active()
    account = await desk.account()
    assert account is not None
    now = utc_now()
    async with database.begin() as work:
        await work.runs.open(a_run(integration, account, created_at=now, heartbeat_at=now, finished_at=now))

    async def left():
        async with database.read() as work:
            runs = await work.runs.list(TENANT, RunQuery(integration_id=integration.id), PageRequest(10, None))
        return len(await desk.told()), len(runs.items)

    with ahead(days=29):
        await desk.prune.run()
        assert await left() == (2, 1)
    with ahead(days=31):
        await desk.prune.run()
        assert await left() == (0, 0)


async def test_a_backlog_of_history_goes_in_pieces_until_none_is_left(database):
    desk = Desk(database)
    await desk.active()
    now = utc_now()
    async with database.begin() as work:
        await work.events.add([an_event(tenant=TENANT, created_at=now) for _ in range(2001)])

    with ahead(days=31):
        await desk.prune.run()

    assert await desk.told() == []


async def test_answers_kept_for_retries_go_after_a_day(database):
    desk = Desk(database)
    now = utc_now()
    async with database.begin() as work:
        assert await work.idempotency.begin(TENANT, "key", "print", now) is None
        await work.idempotency.complete(TENANT, "key", 201, {}, b"{}")

    async def replayed():
        async with database.begin() as work:
            return await work.idempotency.begin(TENANT, "key", "print", utc_now())

    with ahead(hours=23):
        await desk.prune.run()
        assert isinstance(await replayed(), Replay)
    with ahead(hours=25):
        await desk.prune.run()
        assert await replayed() is None


async def test_an_account_without_an_integration_is_found_again(database):
    desk = Desk(database)
    integration = await desk.active()
    await with_orders(desk, integration)
    await desk.lifecycle.remove(TENANT, integration.id, "My shop")
    with ahead(days=31):
        await desk.prune.run()
        with pytest.raises(NotFound):
            await desk.lifecycle.restore(TENANT, integration.id)

        again = await desk.active(name="Again")

    assert len(await orders_of(desk, again.id)) == 3
