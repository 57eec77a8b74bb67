from dataclasses import replace

import pytest
from msgspec import structs
from sqlalchemy import text
from tests.factories import NOW, TENANT, an_unreadable_order, connected, later
from tests.persistence.plans import plans_of, postgres_plans_of

from channel_sync.domain.errors import NotFound
from channel_sync.domain.held_orders import HeldOrder
from channel_sync.persistence.sql.paging import PageRequest


@pytest.fixture
async def account(database):
    """The account of an active integration."""
    return (await connected(database))[1]


async def hold(database, account, *orders, now=NOW):
    async with database.begin() as work:
        return await work.held_orders.hold(account, orders, now)


async def listed(database, integration_id=None, tenant=TENANT, limit=2):
    found, after = [], None
    async with database.read() as work:
        while True:
            page = await work.held_orders.list(tenant, integration_id, PageRequest(limit, after))
            found += page.items
            if page.next is None:
                return found
            after = page.next


async def rows(database):
    async with database.session() as session:
        return [tuple(row) for row in await session.rows(text("SELECT * FROM held_orders ORDER BY id"))]


async def test_a_held_order_comes_back_with_its_reply(database, account):
    order = an_unreadable_order(raw=b'{"id": "bad"}\x00')

    [held] = await hold(database, account, order)

    expected = (
        account.integration_id,
        order.channel_order_id,
        "wrong_type",
        "/product_information/price",
        "request-1",
    )
    assert held == HeldOrder(held.id, *expected, NOW, 1)
    assert await listed(database) == [held]
    async with database.read() as work:
        assert await work.held_orders.get(TENANT, held.id) == held
        assert await work.held_orders.raw(held.id) == order.raw


async def test_the_same_content_again_is_no_news_and_writes_nothing(database, account):
    orders = [an_unreadable_order(), an_unreadable_order(channel_order_id=None, raw=b"nameless")]
    await hold(database, account, *orders)
    before = await rows(database)

    assert await hold(database, account, *orders, now=later(60)) == []
    assert await rows(database) == before


async def test_other_content_of_the_same_order_is_news(database, account):
    order = an_unreadable_order()
    [first] = await hold(database, account, order)

    [second] = await hold(database, account, structs.replace(order, raw=b"{}", reason="missing"), now=later(60))

    assert second == replace(first, reason="missing", attempts=2)
    assert await listed(database) == [second]
    async with database.read() as work:
        assert await work.held_orders.raw(first.id) == b"{}"


async def test_replies_without_an_order_id_are_held_apart(database, account):
    held = await hold(
        database,
        account,
        an_unreadable_order(channel_order_id=None, raw=b"one"),
        an_unreadable_order(channel_order_id=None, raw=b"two"),
        an_unreadable_order(channel_order_id=None, raw=b"one"),
    )

    assert len(held) == len(await listed(database)) == 2


async def test_stored_orders_are_released(database, account):
    held = await hold(
        database, account, *(an_unreadable_order(channel_order_id=f"o{number}") for number in range(3))
    )
    _, other = await connected(database)

    async with database.begin() as work:
        await work.held_orders.release(other.id, ["o0"])
        await work.held_orders.release(account.id, ["o0", "o2", "o9"])

    assert await listed(database) == [held[1]]


async def test_one_is_released_by_its_own_id(database, account):
    held = await hold(database, account, an_unreadable_order(channel_order_id=None), an_unreadable_order())

    async with database.begin() as work:
        await work.held_orders.release_one(held[0].id)
        with pytest.raises(NotFound):
            await work.held_orders.raw(held[0].id)

    assert await listed(database) == [held[1]]


async def test_held_orders_are_listed_newest_first_per_integration_and_tenant(database, account):
    other_shop, other = await connected(database)
    _, foreign = await connected(database, tenant="other")
    held = [(await hold(database, account, an_unreadable_order(), now=later(second)))[0] for second in range(3)]
    [of_other] = await hold(database, other, an_unreadable_order(), now=later(5))
    [hidden] = await hold(database, foreign, an_unreadable_order())

    assert await listed(database) == [of_other, *held[::-1]]
    assert await listed(database, account.integration_id) == held[::-1]
    assert await listed(database, other_shop.id) == [of_other]
    assert await listed(database, tenant="other") == [hidden]
    async with database.read() as work:
        with pytest.raises(NotFound):
            await work.held_orders.get(TENANT, hidden.id)


async def test_the_held_orders_of_one_order_are_found_in_every_shop_of_the_tenant(database, account):
    _, other = await connected(database)
    _, foreign = await connected(database, tenant="other")
    orders = [an_unreadable_order(channel_order_id=id_) for id_ in ("o1", "o2")]
    mine = await hold(database, account, *orders)
    others = await hold(database, other, *orders, now=later(5))
    await hold(database, foreign, *orders)

    async with database.read() as work:
        found = await work.held_orders.list(TENANT, None, PageRequest(10), "o1")
        of_one = await work.held_orders.list(TENANT, account.integration_id, PageRequest(10), "o1")

    assert found.items == [others[0], mine[0]]
    assert of_one.items == [mine[0]]


BY_ORDER = "ix_held_orders_channel_order_id"


def of_one_order(work):
    return work.held_orders.list(TENANT, None, PageRequest(50), "o1")


async def test_one_order_is_looked_up_and_not_looked_for(sqlite_database):
    plans = await plans_of(sqlite_database, of_one_order)

    assert f"SEARCH held_orders USING INDEX {BY_ORDER} (tenant=? AND channel_order_id=?)" in plans


async def test_a_look_for_untried_ones_goes_through_no_reply(sqlite_database):
    plans = await plans_of(sqlite_database, lambda work: work.held_orders.untried("wish", "reader-2", "", 100))

    assert [step for step in plans if "held_orders USING COVERING INDEX ix_held_orders_tried" in step], plans


@pytest.mark.unused_store
async def test_one_order_is_looked_up_and_not_looked_for_on_postgresql(postgres_database):
    plan = await postgres_plans_of(postgres_database, of_one_order)

    assert any(BY_ORDER in step for step in plan), plan
