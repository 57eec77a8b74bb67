import pytest
from msgspec import structs
from sqlalchemy import text
from tests.factories import NOW, TENANT, a_channel_order, connected, later
from tests.persistence.order_steps import feed, store
from tests.persistence.plans import plans_of
from tests.stored import order_rows

from channel_sync.domain.errors import NotFound, RunStopped
from channel_sync.domain.order_versions import OrderVersion
from channel_sync.domain.orders import OrderState
from channel_sync.persistence.sql.paging import PageRequest

ORDER = a_channel_order(channel_order_id="o1", state=OrderState.APPROVED, state_raw="APPROVED")


@pytest.fixture
async def account(database):
    """The account of an active integration."""
    return (await connected(database))[1]


async def timeline(database, order_id, limit=50, after=None, tenant=TENANT):
    async with database.read() as work:
        return await work.order_versions.timeline(tenant, order_id, PageRequest(limit, after))


async def store_versions(database, account, count):
    """The id of an order that was stored so many times, each time as another."""
    for number in range(count):
        await store(database, account, structs.replace(ORDER, updated_at=later(number)), now=later(number))
    return (await feed(database))[0].id


async def test_every_version_tells_how_the_order_stood_and_who_took_it_over(database, account):
    await store(database, account, ORDER)
    [order] = await feed(database)
    async with database.begin() as work:
        await work.orders.acknowledge(TENANT, [order.id], later(5), "key_1")
    shipped = structs.replace(ORDER, state=OrderState.SHIPPED, state_raw="SHIPPED", updated_at=later(9))
    await store(database, account, shipped, now=later(10))

    found = await timeline(database, order.id)

    assert found.versions == [
        OrderVersion(1, OrderState.APPROVED, "APPROVED", ORDER.updated_at, NOW, later(5), "key_1"),
        OrderVersion(2, OrderState.SHIPPED, "SHIPPED", later(9), later(10), None, None),
    ]
    assert (found.next, found.erased_at) == (None, None)


async def test_a_first_version_takes_no_row_of_its_own_nor_does_what_is_no_news(database, account):
    await store(database, account, ORDER, a_channel_order())
    await store(database, account, ORDER)

    async with database.session() as session:
        assert await session.value(text("SELECT count(*) FROM order_versions")) == 0


async def test_a_version_comes_with_the_page_that_ends_it_or_not_at_all(database, account):
    order_id = await store_versions(database, account, 1)
    newer = order_rows(database, account, [structs.replace(ORDER, updated_at=later(1))], later(1))

    async def store_and_fail():
        async with database.begin() as work:
            await work.orders.store_rows(account, newer)
            raise RunStopped

    with pytest.raises(RunStopped):
        await store_and_fail()

    assert [version.version for version in (await timeline(database, order_id)).versions] == [1]


async def test_a_long_history_is_read_in_pages_whose_last_has_no_next(database, account):
    order_id = await store_versions(database, account, 5)

    pages = [await timeline(database, order_id, 2, after) for after in (None, (2,), (4,), (5,), (2**80,), (-1,))]

    numbers = [[version.version for version in page.versions] for page in pages]
    assert numbers == [[1, 2], [3, 4], [5], [], [], [1, 2]]
    assert [page.next for page in pages] == [2, 4, None, None, None, 2]


async def test_an_erasure_has_its_moment_and_keeps_the_history(database, account):
    order_id = await store_versions(database, account, 2)
    for seconds in (60, 90):
        async with database.begin() as work:
            await work.orders.erase(TENANT, [order_id], later(seconds))
    await store(database, account, structs.replace(ORDER, updated_at=later(99)), now=later(99))

    found = await timeline(database, order_id)

    assert found.erased_at == later(60)
    assert [version.version for version in found.versions] == [1, 2, 3]


async def test_a_foreign_order_has_no_timeline(database, account):
    order_id = await store_versions(database, account, 2)

    for tenant, asked in (("bolt", order_id), (TENANT, "ord_none")):
        with pytest.raises(NotFound):
            await timeline(database, asked, tenant=tenant)


async def test_a_timeline_comes_from_the_keys_of_both_tables(sqlite_database):
    _, account = await connected(sqlite_database)
    order_id = await store_versions(sqlite_database, account, 2)

    plans = await plans_of(
        sqlite_database, lambda work: work.order_versions.timeline(TENANT, order_id, PageRequest(50, (0,)))
    )

    assert "SEARCH order_versions USING PRIMARY KEY (order_id=? AND version>?)" in plans
    assert not [plan for plan in plans if "SCAN" in plan or "TEMP B-TREE" in plan]
