"""Levels that callers set while orders hold units back: which of these they count."""

import pytest
from tests.flows.stock.reservation_steps import (
    HERE,
    THERE,
    acknowledge,
    level_of,
    push_all,
    sell,
    settle,
    told,
    two_shops,
)
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.orders import OrderContent, OrderLine
from channel_sync.domain.stock import CountedOrders, StockItem, StockResult


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_a_level_that_is_set_counts_what_was_sold_before(workshop: Workshop):
    here, there = await two_shops(workshop, 9)
    await sell(workshop, here)
    await settle(workshop)

    [answer] = await workshop.put(("sku-1", 8))

    assert answer.result is StockResult.ACCEPTED
    await push_all(workshop, here, there)
    level = await level_of(workshop)
    assert (level.available, level.reserved) == (8, 0)
    assert told(workshop, THERE)[-1] == 8


async def test_the_same_level_set_again_counts_too_and_is_another_version(workshop: Workshop):
    here, there = await two_shops(workshop, 9)
    await sell(workshop, here)
    await settle(workshop)
    before = await level_of(workshop)

    [answer] = await workshop.put(("sku-1", 9))
    await push_all(workshop, here, there)

    assert (answer.result, answer.version) == (StockResult.ACCEPTED, before.version + 1)
    assert (told(workshop, HERE)[-1], told(workshop, THERE)[-1]) == (9, 9)
    assert [one.result for one in await workshop.put(("sku-1", 9))] == [StockResult.UNCHANGED]


async def test_a_repeated_revision_was_said_before_the_order_came(workshop: Workshop):
    here, _ = await two_shops(workshop, 9)
    item = StockItem("sku-1", 9, revision=4)
    await workshop.put_stock.put(TENANT, [item])
    await sell(workshop, here)
    await settle(workshop)

    [answer] = await workshop.put_stock.put(TENANT, [item])

    assert (answer.result, (await level_of(workshop)).reserved) == (StockResult.UNCHANGED, 1)
    await workshop.put_stock.put(TENANT, [item._replace(revision=5)])
    assert (await level_of(workshop)).reserved == 0


async def test_a_caller_that_counts_what_it_acknowledged_keeps_the_rest_held_back(workshop: Workshop):
    here, there = await two_shops(workshop, 9)
    await sell(workshop, here, 1)
    await acknowledge(workshop)
    await sell(workshop, here, 2, quantity=3)
    await settle(workshop)

    await workshop.put(("sku-1", 8), counted=CountedOrders.ACKNOWLEDGED)
    await push_all(workshop, here, there)

    assert ((await level_of(workshop)).reserved, told(workshop, THERE)[-1]) == (3, 5)


async def test_a_level_set_before_an_order_is_settled_counts_it(workshop: Workshop):
    here, there = await two_shops(workshop, 9)
    await sell(workshop, here)

    await workshop.put(("sku-1", 8))
    await settle(workshop)
    await push_all(workshop, here, there)

    assert ((await level_of(workshop)).reserved, told(workshop, THERE)[-1]) == (0, 8)


async def test_an_order_not_acknowledged_is_settled_after_a_level_that_does_not_count_it(workshop: Workshop):
    here, _ = await two_shops(workshop, 9)
    await sell(workshop, here)

    await workshop.put(("sku-1", 9), counted=CountedOrders.ACKNOWLEDGED)
    await settle(workshop)

    assert (await level_of(workshop)).reserved == 1


async def test_the_first_level_of_a_sku_counts_what_was_sold_before(workshop: Workshop):
    here, _ = await two_shops(workshop, 3)
    line = OrderLine("sku-2", "var-2", "pro-2", "Jug", {}, 1, None, None)
    await sell(workshop, here, content=OrderContent((line,), None, "merchant", (), ()))
    await settle(workshop)

    await workshop.put(("sku-2", 5))

    async with workshop.database.read() as work:
        assert (await work.stock.get(TENANT, "sku-2")).reserved == 0
    assert (await level_of(workshop)).reserved == 0
