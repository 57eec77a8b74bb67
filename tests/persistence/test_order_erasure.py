from dataclasses import replace

import pytest
from msgspec import structs
from sqlalchemy import text
from tests.factories import (
    NOW,
    TENANT,
    a_channel_order,
    an_address,
    an_unreadable_order,
    connected,
    later,
)
from tests.persistence.order_steps import feed, store

from channel_sync.domain.runs import Counts


@pytest.fixture
async def account(database):
    """The account of an active integration."""
    return (await connected(database))[1]


async def erase(database, *ids, tenant=TENANT):
    async with database.begin() as work:
        return await work.orders.erase(tenant, ids, NOW)


async def test_erasing_wipes_what_is_personal_and_keeps_the_rest(database, account):
    order = a_channel_order()
    await store(database, account, order)
    async with database.begin() as work:
        await work.held_orders.hold(
            account, [an_unreadable_order(channel_order_id=order.channel_order_id), an_unreadable_order()], NOW
        )
    [found] = await feed(database)

    assert await erase(database, found.id, "ord_none") == 1

    assert await feed(database) == [replace(found, address=None, tax=None, erased=True)]
    async with database.session() as session:
        left = await session.row(text("SELECT raw, tax, address FROM orders"))
        assert tuple(left) == (None, None, None)
        assert await session.value(text("SELECT count(*) FROM held_orders")) == 1


async def test_a_foreign_order_is_not_erased(database, account):
    await store(database, account, a_channel_order())
    [found] = await feed(database)

    assert await erase(database, found.id, tenant="other") == 0
    assert await feed(database) == [found]


async def test_an_erased_order_stays_unchanged_on_the_next_pass_and_never_gets_its_person_back(database, account):
    order, nameless = a_channel_order(), a_channel_order(address=None, tax=None)
    await store(database, account, order, nameless)
    await erase(database, *(found.id for found in await feed(database)))

    moved = structs.replace(order, address=an_address(city="Leeds"))
    assert (await store(database, account, moved, nameless)).counts == Counts(unchanged=2)
    assert (await store(database, account, structs.replace(moved, updated_at=later(1)))).counts == Counts(
        updated=1
    )

    found = (await feed(database))[-1]
    assert (found.version, found.erased, found.address, found.tax) == (2, True, None, None)
    async with database.session() as session:
        assert await session.value(text("SELECT count(raw) FROM orders")) == 0
