"""Receipts for orders, each for the version that stood there."""

import pytest
from msgspec import structs
from tests.factories import NOW, TENANT, a_channel_order, connected, later
from tests.persistence.order_steps import feed, store


@pytest.fixture
async def account(database):
    """The account of an active integration."""
    return (await connected(database))[1]


async def test_acknowledging_keeps_the_first_moment_and_answers_what_there_is(database, account):
    _, foreign = await connected(database, tenant="other")
    mine, other = a_channel_order(), a_channel_order()
    await store(database, account, mine)
    await store(database, foreign, other)
    [found], [hidden] = await feed(database), await feed(database, tenant="other")

    async with database.begin() as work:
        assert await work.orders.acknowledge(TENANT, [found.id, hidden.id, "ord_none"], NOW) == [found.id]
        assert await work.orders.acknowledge(TENANT, [found.id], later(5)) == [found.id]

    assert (await feed(database))[0].acknowledged_at == NOW
    assert (await feed(database, tenant="other"))[0].acknowledged_at is None


async def test_an_order_that_changes_is_unacknowledged_again(database, account):
    order = a_channel_order()
    await store(database, account, order)
    [found] = await feed(database)
    async with database.begin() as work:
        await work.orders.acknowledge(TENANT, [found.id], NOW)
    assert await feed(database, acknowledged=False) == []

    await store(database, account, structs.replace(order, updated_at=later(1)))

    [changed] = await feed(database, acknowledged=False)
    assert await feed(database, acknowledged=True) == []
    assert (changed.acknowledged_at, changed.acknowledged_version, changed.version) == (None, 1, 2)


async def test_an_order_that_did_not_change_keeps_its_acknowledgement(database, account):
    order = a_channel_order()
    await store(database, account, order)
    [found] = await feed(database)
    async with database.begin() as work:
        await work.orders.acknowledge(TENANT, [found.id], NOW)

    await store(database, account, order, now=later(60))

    [same] = await feed(database, acknowledged=True)
    assert (same.acknowledged_at, same.acknowledged_version) == (NOW, 1)


async def test_only_the_version_that_was_read_is_acknowledged(database, account):
    _, foreign = await connected(database, tenant="other")
    read, changed = a_channel_order(), a_channel_order()
    await store(database, account, read, changed)
    await store(database, foreign, a_channel_order())
    first, second = await feed(database)
    [theirs] = await feed(database, tenant="other")
    await store(database, account, structs.replace(changed, updated_at=later(1)))
    versions = [(first.id, 1), (second.id, 1), (theirs.id, 1), ("ord_none", 1)]

    for _ in range(2):
        async with database.begin() as work:
            done = await work.orders.acknowledge_versions(TENANT, versions, NOW)
        assert done == ([first.id], [second.id])

    assert [order.id for order in await feed(database, acknowledged=False)] == [second.id]
    assert (await feed(database, tenant="other"))[0].acknowledged_at is None
    async with database.begin() as work:
        assert await work.orders.acknowledge_versions(TENANT, [(second.id, 2)], NOW) == ([second.id], [])
