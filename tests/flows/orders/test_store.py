from dataclasses import replace

import pytest
from tests.factories import NOW, TENANT, a_channel_order, an_unreadable_order, connected, later
from tests.persistence.order_steps import feed

from channel_sync.domain.clock import utcnow
from channel_sync.domain.orders import OrderPage, OrderState
from channel_sync.domain.runs import Counts
from channel_sync.flows.orders.prepare import not_storable, ready
from channel_sync.flows.orders.store import as_held, context_of, count_page, store_page
from channel_sync.persistence.sql.paging import PageRequest


def a_page(database, shop, *orders, unreadable=()):
    return ready(OrderPage(orders, unreadable, None, True), context_of(*shop), database.personal)


async def store(database, shop, *orders, unreadable=()):
    page = a_page(database, shop, *orders, unreadable=unreadable)
    async with database.begin() as work:
        return await store_page(work, shop[0], shop[1], page)


async def told(database):
    """Every event of the tenant, the oldest first."""
    async with database.read() as work:
        return await work.events.after(TENANT, None, (), 100)


async def held(database, shop):
    async with database.read() as work:
        return (await work.held_orders.list(TENANT, shop[0].id, PageRequest(100))).items


async def test_a_page_is_for_the_account_and_came_just_now(sqlite_database):
    shop = await connected(sqlite_database)

    context = context_of(*shop)

    assert (context.channel, context.tenant) == ("wish", TENANT)
    assert (context.account_id, context.integration_id) == (shop[1].id, shop[0].id)
    assert context.default_currency == "GBP"
    assert abs((utcnow() - context.now).total_seconds()) < 5
    assert context_of(replace(shop[0], default_currency=None), shop[1]).default_currency == ""


async def test_a_new_order_is_stored_and_told_once(database):
    shop = await connected(database)
    order = a_channel_order(channel_order_id="o1")

    counts = [await store(database, shop, order) for _ in range(2)]

    assert counts == [Counts(created=1), Counts(unchanged=1)]
    [stored] = await feed(database)
    [event] = await told(database)
    assert (event.type, event.integration_id) == ("order.created", shop[0].id)
    assert event.members["order_id"] == stored.id


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        (OrderState.APPROVED, OrderState.SHIPPED, ["order.updated"]),
        (OrderState.IN_REVIEW, OrderState.APPROVED, ["order.updated", "order.released"]),
        (OrderState.SHIPPED, OrderState.REFUNDED, ["order.updated", "order.refunded"]),
    ],
)
async def test_a_changed_order_is_told_and_a_turning_point_beside(sqlite_database, before, after, events):
    shop = await connected(sqlite_database)
    await store(sqlite_database, shop, a_channel_order(channel_order_id="o1", state=before))
    changed = a_channel_order(channel_order_id="o1", state=after, updated_at=later(1))

    counts = await store(sqlite_database, shop, changed)

    assert counts == Counts(updated=1)
    news = (await told(sqlite_database))[1:]
    assert [event.type for event in news] == events
    assert {(event.members["version"], event.members["state"]) for event in news} == {(2, after.value)}


async def test_an_order_that_cannot_be_used_is_held_and_counts_and_is_told_once(database):
    shop = await connected(database)
    bad = an_unreadable_order(channel_order_id="o1", reason="price_invalid")

    counts = [await store(database, shop, unreadable=(bad,)) for _ in range(2)]

    assert counts == [Counts(held=1), Counts(unchanged=1)]
    [kept] = await held(database, shop)
    [event] = await told(database)
    assert (event.type, event.integration_id, event.tenant) == ("order.held", shop[0].id, TENANT)
    assert event.members == {"held_order_id": kept.id, "channel_order_id": "o1", "reason": "price_invalid"}


async def test_an_order_that_can_be_read_again_is_held_no_more_and_others_stay(database):
    shop = await connected(database)
    bad = [an_unreadable_order(channel_order_id=f"o{number}") for number in (1, 2)]
    await store(database, shop, unreadable=tuple(bad))

    await store(database, shop, a_channel_order(channel_order_id="o1"))

    assert [one.channel_order_id for one in await held(database, shop)] == ["o2"]


async def test_good_and_bad_orders_of_a_page_count_together(sqlite_database):
    shop = await connected(sqlite_database)
    known = a_channel_order()
    await store(sqlite_database, shop, known)

    counts = await store(sqlite_database, shop, known, a_channel_order(), unreadable=(an_unreadable_order(),))

    assert counts == Counts(created=1, unchanged=1, held=1)
    assert [event.type for event in await told(sqlite_database)] == [
        "order.created",
        "order.created",
        "order.held",
    ]


async def test_an_empty_page_comes_to_nothing(sqlite_database):
    shop = await connected(sqlite_database)

    assert await store(sqlite_database, shop) == Counts()
    assert await told(sqlite_database) == []


async def test_what_is_only_counted_is_not_stored(database):
    shop = await connected(database)
    known = a_channel_order()
    await store(database, shop, known)
    page = a_page(database, shop, known, a_channel_order(), a_channel_order(), unreadable=(an_unreadable_order(),))

    async with database.begin() as work:
        counts = await count_page(work, shop[1], page)

    assert counts == Counts(created=2, unchanged=1, held=1)
    assert (len(await feed(database)), await held(database, shop)) == (1, [])


async def test_a_row_that_the_database_refuses_is_held_with_its_reply(sqlite_database):
    shop = await connected(sqlite_database)
    order = a_channel_order(channel_order_id="o1", raw=b'{"id": "o1"}', updated_at=NOW)
    [row] = a_page(sqlite_database, shop, order).rows

    assert as_held(row, sqlite_database.personal) == not_storable("o1", NOW, b'{"id": "o1"}')
