"""What was bought of listings lately."""

import pytest
from tests.factories import (
    NOW,
    a_channel_order,
    an_order_line,
    an_unreadable_order,
    connected,
    later,
    order_content,
)
from tests.persistence.order_steps import store
from tests.persistence.plans import plans_of, postgres_plans_of

from channel_sync.persistence.sales import STORED_LATER


@pytest.fixture
async def account(database):
    """The account of an active integration."""
    return (await connected(database))[1]


def a_sale(variation_id: str | None, quantity: int):
    line = an_order_line(channel_listing_id=variation_id, quantity=quantity)
    return a_channel_order(content=order_content(lines=(line,)))


async def sold(database, account, since, most=1_000):
    async with database.read() as work:
        found, whole_from = await work.sales.since(account, since, most)
    return {variation: [units for _, units in each] for variation, each in found.items()}, whole_from


async def test_orders_are_added_up_by_what_was_bought(database, account):
    await store(database, account, a_sale("a", 2), a_sale("b", 1), a_sale("a", 1), a_sale(None, 9))

    assert await sold(database, account, NOW) == ({"a": [1, 2], "b": [1]}, NOW)


async def test_orders_of_another_shop_are_not_among_them(database, account):
    _, other = await connected(database)
    await store(database, other, a_sale("a", 2))

    assert await sold(database, account, NOW) == ({}, NOW)


async def test_of_too_many_orders_it_is_said_from_when_on_all_are_there(database, account):
    for minute in range(4):
        await store(database, account, *(a_sale("a", 1) for _ in range(250)), now=later(3600 * minute))

    found, whole_from = await sold(database, account, NOW, most=500)

    assert sum(found["a"]) == 500
    assert whole_from == later(3600 * 2) + STORED_LATER
    assert (await sold(database, account, later(3600 * 3)))[1] == later(3600 * 3)


async def test_the_last_order_that_cannot_be_read_is_dated(database, account):
    async with database.begin() as work:
        assert await work.sales.last_unread_at(account) is None
        for at in (NOW, later(60)):
            await work.held_orders.hold(account, [an_unreadable_order()], at)
        assert await work.sales.last_unread_at(account) == later(60)


QUESTIONS = {
    "what was sold": lambda account: lambda work: work.sales.since(account, NOW, 1_000),
    "what cannot be read": lambda account: lambda work: work.sales.last_unread_at(account),
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_sqlite_asks_an_index(sqlite_database, question):
    account = (await connected(sqlite_database))[1]

    plans = await plans_of(sqlite_database, QUESTIONS[question](account))

    assert not [step for step in plans if step.startswith("SCAN") or "TEMP B-TREE" in step], plans


@pytest.mark.unused_store
@pytest.mark.parametrize("question", QUESTIONS)
async def test_postgresql_asks_an_index(postgres_database, question):
    account = (await connected(postgres_database))[1]

    plan = await postgres_plans_of(postgres_database, QUESTIONS[question](account))

    assert not [step for step in plan if "Seq Scan" in step], plan
