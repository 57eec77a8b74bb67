import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs
from sqlalchemy import text
from tests.factories import (
    NOW,
    TENANT,
    a_channel_order,
    an_address,
    connected,
    later,
    order_content,
)
from tests.persistence.order_steps import feed, rows, store

from channel_sync.domain.errors import ChannelSyncError, NotFound
from channel_sync.domain.money import Money
from channel_sync.domain.orders import OrderState
from channel_sync.domain.runs import Counts


@pytest.fixture
async def account(database):
    """The account of an active integration."""
    return (await connected(database))[1]


async def test_an_order_comes_back_whole(database, account):
    order = a_channel_order(sanitised=True)

    stored = await store(database, account, order)

    [found] = await feed(database)
    for member in (
        "channel_order_id",
        "transaction_id",
        "state",
        "state_raw",
        "released_at",
        "ship_by",
        "currency",
    ):
        assert getattr(found, member) == getattr(order, member)
    assert (found.merchant_revenue, found.content) == (order.merchant_revenue, order.content)
    assert (found.address, found.tax, found.sanitised) == (order.address, order.tax, True)
    assert (found.channel_updated_at, found.stored_at, found.acknowledged_at) == (order.updated_at, NOW, None)
    assert (found.version, found.position, found.erased) == (1, 1, False)
    assert (found.integration_id, found.currency_defaulted) == (account.integration_id, False)
    assert stored.counts == Counts(created=1)
    assert ([row.id for row in stored.created], stored.updated) == ([found.id], [])


async def test_nothing_is_stored_for_an_account_that_is_not_there(database, account):
    with pytest.raises(ChannelSyncError):
        await store(database, replace(account, id="acc_missing"), a_channel_order())

    assert await rows(database) == []


async def test_an_order_with_nothing_optional_comes_back(database, account):
    nothing = dict.fromkeys(("transaction_id", "released_at", "ship_by", "merchant_revenue", "address", "tax"))
    content = order_content(lines=(), customer_paid=None, tracking=(), refunds=())
    await store(database, account, a_channel_order(**nothing, content=content))

    [found] = await feed(database)
    assert found.content == content
    assert [getattr(found, member) for member in nothing] == [None] * 6


@pytest.mark.parametrize("amount", ["0.1", "-0.01", "100", "1.250", "12345678901234567890.12"])
async def test_money_comes_back_to_the_last_digit(database, account, amount):
    money = Money(Decimal(amount), "KWD")
    await store(
        database, account, a_channel_order(merchant_revenue=money, content=order_content(customer_paid=money))
    )

    [found] = await feed(database)
    assert str(found.merchant_revenue.amount) == str(found.content.customer_paid.amount) == amount


async def test_the_default_currency_counts_only_where_the_order_names_none(database, account):
    await store(database, account, a_channel_order(currency=None), a_channel_order(currency="GBP"))

    assert [(order.currency, order.currency_defaulted) for order in await feed(database)] == [
        ("EUR", True),
        ("GBP", False),
    ]


async def test_a_second_pass_writes_nothing(database, account):
    orders = [a_channel_order(address=None, tax=None), *(a_channel_order() for _ in range(4))]
    await store(database, account, *orders)
    before = await rows(database)

    again = await store(database, account, *orders, now=later(60))

    assert (again.counts, again.created, again.updated) == (Counts(unchanged=5), [], [])
    assert await rows(database) == before


async def test_a_second_pass_makes_no_change_at_all_in_sqlite(sqlite_database):
    _, account = await connected(sqlite_database)
    orders = [a_channel_order() for _ in range(3)]
    await store(sqlite_database, account, *orders)

    async def changes_so_far():
        async with sqlite_database.session() as session:
            return await session.value(text("SELECT total_changes()"))

    before = await changes_so_far()
    await store(sqlite_database, account, *orders)
    assert await changes_so_far() == before


async def test_a_newer_order_replaces_the_stored_one_and_keeps_its_id(database, account):
    order = a_channel_order()
    first = await store(database, account, order)
    newer = structs.replace(
        order, updated_at=later(1), state=OrderState.SHIPPED, address=an_address(city="Leeds"), tax=None
    )

    second = await store(database, account, newer, now=later(2))

    assert second.counts == Counts(updated=1)
    [change] = second.updated
    assert (change.before, change.row.state, second.created) == (OrderState.APPROVED, "shipped", [])
    assert (change.row.id, change.row.version) == (first.created[0].id, 2)
    [found] = await feed(database)
    assert (found.id, found.version, found.position) == (change.row.id, 2, 2)
    assert (found.state, found.stored_at, found.address.city, found.tax) == (
        OrderState.SHIPPED,
        later(2),
        "Leeds",
        None,
    )


async def test_an_older_order_is_ignored(database, account):
    order = a_channel_order(updated_at=later(9))
    await store(database, account, order)
    before = await rows(database)

    older = await store(database, account, structs.replace(order, updated_at=later(8), state=OrderState.SHIPPED))

    assert (older.counts, older.created, older.updated) == (Counts(ignored=1), [], [])
    assert await rows(database) == before


@pytest.mark.parametrize(
    "change",
    [
        {"state_raw": "SHIPPED"},
        {"transaction_id": "t-2"},
        {"ship_by": later(1)},
        {"released_at": None},
        {"currency": None},
        {"merchant_revenue": Money(Decimal("1"), "GBP")},
        {"content": order_content(fulfilled_by="wish")},
        {"address": None},
        {"address": an_address(phone=None)},
        {"tax": b"{}"},
        {"sanitised": True},
    ],
)
async def test_at_the_same_instant_the_content_decides(database, account, change):
    order = a_channel_order(transaction_id="t-1")
    await store(database, account, order)

    assert (await store(database, account, structs.replace(order, **change))).counts == Counts(updated=1)
    assert (await store(database, account, structs.replace(order, **change))).counts == Counts(unchanged=1)


async def test_an_order_twice_in_a_page_is_stored_once_as_its_newest(database, account):
    order = a_channel_order()
    page = (
        structs.replace(order, updated_at=later(2), state_raw="newest"),
        order,
        structs.replace(order, updated_at=later(2), state_raw="the same instant, later in the page"),
    )

    stored = await store(database, account, *page, a_channel_order())

    assert stored.counts == Counts(created=2, ignored=2)
    assert stored.counts.seen == len(page) + 1
    assert [found.state_raw for found in await feed(database)] == [
        "the same instant, later in the page",
        "APPROVED",
    ]


async def test_more_orders_than_a_statement_holds_are_all_stored_in_their_order(database, account):
    orders = [a_channel_order() for _ in range(612)]

    stored = await store(database, account, *orders)

    assert stored.counts == Counts(created=612)
    wanted = [order.channel_order_id for order in orders]
    assert [row.channel_order_id for row in stored.created] == wanted
    found = await feed(database)
    assert [order.channel_order_id for order in found] == wanted
    assert [order.position for order in found] == list(range(1, 613))


async def test_an_empty_page_is_stored(database, account):
    assert (await store(database, account)).counts == Counts()


async def test_two_accounts_may_have_orders_of_one_id(database, account):
    _, other = await connected(database)
    _, foreign = await connected(database, tenant="other")
    order = a_channel_order()

    for one in (account, other, foreign):
        assert (await store(database, one, order)).counts == Counts(created=1)

    assert len(await feed(database)) == 2
    assert [found.position for found in await feed(database, tenant="other")] == [1]


async def test_two_writers_of_one_account_store_each_order_once(database, account):
    orders = [a_channel_order() for _ in range(30)]

    results = await asyncio.gather(*(store(database, account, *orders) for _ in range(4)))

    total = sum((result.counts for result in results), Counts())
    assert total == Counts(created=30, unchanged=90)
    assert len(await feed(database)) == 30


async def test_known_orders_are_told_from_unknown_ones(database, account):
    await store(database, account, a_channel_order(channel_order_id="o1"))
    _, other = await connected(database)

    async with database.read() as work:
        assert await work.order_ids.known(account.id, ["o1", "o2"]) == {"o1"}
        assert await work.order_ids.known(other.id, ["o1", "o2"]) == set()


async def test_open_orders_are_those_still_to_be_sent(database, account):
    await store(database, account, *(a_channel_order(state=state) for state in OrderState))

    async with database.read() as work:
        assert await work.orders.count_open(account.id) == 2


async def test_one_order_is_read_by_its_tenant_only(database, account):
    await store(database, account, a_channel_order())
    [found] = await feed(database)

    async with database.read() as work:
        assert await work.orders.get(TENANT, found.id, personal=True) == found
        assert await work.orders.get(TENANT, found.id, personal=False) == replace(found, address=None, tax=None)
        with pytest.raises(NotFound):
            await work.orders.get("other", found.id, personal=True)


async def test_orders_of_a_removed_integration_show_it_until_another_takes_over(database, account):
    await store(database, account, a_channel_order())
    first = account.integration_id
    async with database.begin() as work:
        await work.accounts.detach(first)
    assert [order.integration_id for order in await feed(database)] == [first]
    assert len(await feed(database, integration_id=first)) == 1

    successor, _ = await connected(database)
    async with database.begin() as work:
        await work.accounts.attach(account.id, successor.id, "client-2", None)
    assert [order.integration_id for order in await feed(database)] == [successor.id]
    assert await feed(database, integration_id=first) == []
