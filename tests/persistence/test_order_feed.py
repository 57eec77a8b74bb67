import asyncio

import pytest
from msgspec import structs
from sqlalchemy import text
from tests.factories import NOW, TENANT, a_channel_order, connected, later
from tests.persistence.plans import plans_of
from tests.stored import order_rows

from channel_sync.domain.order_filters import Fulfilment
from channel_sync.domain.orders import OrderState
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.sql.paging import PageRequest

MANY_ACCOUNTS = f"""
    INSERT INTO accounts (id, tenant, channel, environment, merchant_id, client_id, attached)
    SELECT 'acc_' || n, '{TENANT}', 'wish', 'sandbox', 'm' || n, 'app', false FROM generate_series(1, 32768) AS n
"""


async def store(database, account, *orders):
    async with database.begin() as work:
        return await work.orders.store_rows(account, order_rows(database, account, orders, NOW))


async def read(database, query=None, limit=100, after=None, tenant=TENANT):
    async with database.read() as work:
        return await work.orders.feed(tenant, query or OrderFeedQuery(), PageRequest(limit, after), personal=False)


def ids(page):
    return [order.channel_order_id for order in page.items]


async def test_pages_follow_each_other_and_the_last_has_no_next(database):
    _, account = await connected(database)
    await store(database, account, *(a_channel_order(channel_order_id=f"o{number}") for number in range(5)))

    first = await read(database, limit=2)
    second = await read(database, limit=2, after=first.next)
    third = await read(database, limit=2, after=second.next)

    assert [ids(page) for page in (first, second, third)] == [["o0", "o1"], ["o2", "o3"], ["o4"]]
    assert (first.next, second.next, third.next) == ((2,), (4,), None)


async def test_an_updated_order_stands_at_the_end(database):
    _, account = await connected(database)
    orders = [a_channel_order(channel_order_id=f"o{number}") for number in range(3)]
    await store(database, account, *orders)
    seen = await read(database)

    await store(database, account, structs.replace(orders[0], updated_at=later(1)))

    assert ids(await read(database)) == ["o1", "o2", "o0"]
    assert ids(await read(database, after=(seen.items[-1].position,))) == ["o0"]


async def test_the_feed_is_without_personal_parts_unless_asked(database):
    _, account = await connected(database)
    await store(database, account, a_channel_order())

    [order] = (await read(database)).items

    assert (order.address, order.tax) == (None, None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": OrderState.SHIPPED}, ["o2"]),
        ({"updated_after": NOW}, ["o2", "o3"]),
        ({"updated_after": later(9)}, []),
        ({"acknowledged": True}, ["o1"]),
        ({"acknowledged": False}, ["o2", "o3", "x1"]),
        ({"channel_order_id": "o3"}, ["o3"]),
        ({"transaction_id": "t1"}, ["o1", "x1"]),
        ({"transaction_id": "t1", "acknowledged": False}, ["x1"]),
        ({"channel_order_id": "none"}, []),
        ({"integration_id": "int_none"}, []),
    ],
)
async def test_the_feed_is_narrowed_by_what_is_asked(database, query, expected):
    (_, account), (_, second) = await connected(database), await connected(database)
    first = await store(
        database,
        account,
        a_channel_order(channel_order_id="o1", transaction_id="t1"),
        a_channel_order(channel_order_id="o2", transaction_id=None, state=OrderState.SHIPPED, updated_at=later(1)),
        a_channel_order(channel_order_id="o3", transaction_id="t3", updated_at=later(2)),
    )
    await store(database, second, a_channel_order(channel_order_id="x1", transaction_id="t1"))
    async with database.begin() as work:
        await work.orders.acknowledge(TENANT, [first.created[0].id], NOW)

    assert ids(await read(database, OrderFeedQuery(**query))) == expected


async def test_a_marketplaces_id_is_found_among_more_accounts_than_a_statement_has_parameters(postgres_database):
    _, account = await connected(postgres_database)
    await store(postgres_database, account, a_channel_order(channel_order_id="o1"))
    async with postgres_database.session() as session:
        await session.execute(text(MANY_ACCOUNTS))

    assert ids(await read(postgres_database, OrderFeedQuery(channel_order_id="o1"))) == ["o1"]


async def test_one_integration_has_its_own_part_of_the_feed(database):
    (shop, account), (other_shop, other) = await connected(database), await connected(database)
    for number in range(4):
        await store(database, (account, other)[number % 2], a_channel_order(channel_order_id=f"o{number}"))

    assert ids(await read(database, OrderFeedQuery(integration_id=shop.id))) == ["o0", "o2"]
    assert ids(await read(database, OrderFeedQuery(integration_id=other_shop.id))) == ["o1", "o3"]


async def test_a_tenant_sees_nothing_of_another(database):
    shop, account = await connected(database)
    await store(database, account, a_channel_order(channel_order_id="o1", transaction_id="t1"))

    queries = [
        OrderFeedQuery(),
        OrderFeedQuery(integration_id=shop.id),
        OrderFeedQuery(channel_order_id="o1"),
        OrderFeedQuery(transaction_id="t1"),
    ]
    for query in queries:
        assert ids(await read(database, query, tenant="other")) == []


@pytest.mark.parametrize(("after", "seen"), [((-1,), ["o1"]), ((2**80,), []), (("x",), ["o1"])])
async def test_a_cursor_with_odd_values_breaks_nothing(database, after, seen):
    _, account = await connected(database)
    await store(database, account, a_channel_order(channel_order_id="o1"))

    assert ids(await read(database, after=after)) == seen


async def test_a_reader_misses_no_order_of_many_writers(database):
    accounts = [(await connected(database))[1] for _ in range(4)]

    async def write(account):
        for _ in range(6):
            async with database.begin() as work:
                await work.orders.store_rows(
                    account, order_rows(database, account, [a_channel_order(), a_channel_order()], NOW)
                )
                await asyncio.sleep(0.001)

    writing = asyncio.gather(*map(write, accounts))
    seen: list[int] = []
    after: tuple[int] | None = None
    while not writing.done() or len(seen) < 48:
        page = await read(database, after=after)
        seen += [order.position for order in page.items]
        after = (seen[-1],) if seen else None
        await asyncio.sleep(0)
        assert not writing.done() or writing.exception() is None

    assert seen == list(range(1, 49))


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "ix_orders_feed (tenant=?)"),
        ({"state": OrderState.DECLINED}, "ix_orders_feed (tenant=?)"),
        ({"state": OrderState.APPROVED}, "ix_orders_open (tenant=? AND state=?)"),
        ({"state": OrderState.IN_REVIEW, "fulfilment": Fulfilment.OTHER}, "ix_orders_open (tenant=? AND state=?)"),
        ({"state": OrderState.APPROVED, "integration_id": "int_1"}, "ix_orders_open (tenant=? AND state=?)"),
        ({"updated_after": NOW}, "ix_orders_feed (tenant=?)"),
        ({"acknowledged": False}, "ix_orders_unacknowledged (tenant=?)"),
        ({"channel_order_id": "o1"}, "uq_orders_of_account (account_id=? AND channel_order_id=?)"),
        ({"transaction_id": "t1"}, "ix_orders_transaction (tenant=? AND transaction_id=?)"),
        ({"integration_id": "int_1"}, "ix_orders_account_feed (account_id=? AND tenant=?)"),
        ({"integration_id": "int_1", "acknowledged": False}, "ix_orders_account_feed (account_id=? AND tenant=?)"),
    ],
)
async def test_a_page_of_the_feed_comes_from_the_index_made_for_it(sqlite_database, query, index):
    await connected(sqlite_database, id="int_1")

    plans = await plans_of(
        sqlite_database,
        lambda work: work.orders.feed(TENANT, OrderFeedQuery(**query), PageRequest(50), personal=False),
    )

    assert [plan for plan in plans if plan.endswith(f" INDEX {index}")]
    assert not [plan for plan in plans if "SCAN" in plan]
    assert "channel_order_id" in query or not [plan for plan in plans if "TEMP B-TREE" in plan]
