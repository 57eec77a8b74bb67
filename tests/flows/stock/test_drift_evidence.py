"""What may be taken for a foreign hand at the marketplace, and what may be a customer's purchase."""

import asyncio
from dataclasses import replace

import pytest
from tests.flows.goods import a_listing, an_order, an_unreadable_order
from tests.flows.stock_steps import (
    a_shop,
    drifts,
    let_orders_come,
    listing_of,
    look,
    push,
    sell,
    set_by_hand,
    state_of,
    told,
)
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelRefused
from channel_sync.domain.integrations import IntegrationSettings, OrderSettings
from channel_sync.domain.listings import PushState, StockOutcome
from channel_sync.domain.orders import OrderContent, OrderLine
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import StockItem, StockSettings


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_an_order_may_show_some_minutes_after_it_was_made(workshop: Workshop):
    seller = await told(workshop, 7)
    set_by_hand(workshop, 5)
    await look(workshop, seller)
    await workshop.due(seller, RunKind.ORDERS)
    await look(workshop, seller)
    assert await drifts(workshop) == []

    await sell(workshop, seller, 2)
    await let_orders_come(workshop, seller)
    await look(workshop, seller)

    assert await drifts(workshop) == []
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


async def test_a_second_purchase_waits_for_its_own_order(workshop: Workshop):
    seller = await told(workshop, 7)
    set_by_hand(workshop, 5)
    await look(workshop, seller)
    await let_orders_come(workshop, seller)
    set_by_hand(workshop, 3)
    await look(workshop, seller)
    assert await drifts(workshop) == []

    await let_orders_come(workshop, seller)
    await look(workshop, seller)

    assert [members["at_channel"] for members in await drifts(workshop)] == [3]


async def test_what_orders_explained_once_stays_explained_however_many_follow(workshop: Workshop):
    seller = await told(workshop, 7)
    set_by_hand(workshop, 5)
    await sell(workshop, seller, 2)
    await look(workshop, seller)
    elsewhere = OrderContent((OrderLine("s", "var-9", "p", "Cup", {}, 1, None, None),), None, "merchant", (), ())
    workshop.shop().place(*(an_order(n, updated_at=utcnow(), content=elsewhere) for n in range(2, 700)))

    await let_orders_come(workshop, seller)
    await look(workshop, seller)

    assert await drifts(workshop) == []
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


async def test_an_order_explains_its_units_only_once(workshop: Workshop):
    seller = await told(workshop, 7)
    await sell(workshop, seller, 2)
    set_by_hand(workshop, 5)
    await look(workshop, seller)
    assert await drifts(workshop) == []

    set_by_hand(workshop, 4)
    await look(workshop, seller)
    await let_orders_come(workshop, seller)
    await look(workshop, seller)

    assert [members["at_channel"] for members in await drifts(workshop)] == [4]


async def test_what_comes_back_after_a_sale_is_no_drift_up_to_what_was_told(workshop: Workshop):
    seller = await told(workshop, 7)
    await sell(workshop, seller, 3)
    for units in (4, 6, 7):
        set_by_hand(workshop, units)
        await look(workshop, seller)
    assert await drifts(workshop) == []

    set_by_hand(workshop, 8)
    await look(workshop, seller)

    assert [members["at_channel"] for members in await drifts(workshop)] == [8]


async def test_an_order_that_came_before_the_answer_to_a_call_explains(workshop: Workshop):
    seller = await told(workshop, 7)
    await sell(workshop, seller, 2)
    async with workshop.database.begin() as work:
        # The job was seen to be done only after that.
        (listing,) = (await work.listings.by_skus(TENANT, ["sku-1"]))["sku-1"]
        await work.pushes.settle([StockOutcome(listing.id, listing.sent_version, True)], utcnow())
    set_by_hand(workshop, 5)

    await look(workshop, seller)
    await let_orders_come(workshop, seller)
    await look(workshop, seller)

    assert await drifts(workshop) == []


async def test_while_an_order_cannot_be_read_fewer_units_are_no_drift(workshop: Workshop):
    seller = await told(workshop, 7)
    workshop.shop().place(an_unreadable_order(1, updated_at=utcnow()))
    set_by_hand(workshop, 5)
    await look(workshop, seller)
    await let_orders_come(workshop, seller)

    await look(workshop, seller)

    assert await drifts(workshop) == []


async def test_where_no_orders_are_fetched_fewer_units_are_no_drift_and_more_are(workshop: Workshop):
    settings = IntegrationSettings(orders=OrderSettings(enabled=False))
    seller = await a_shop(workshop, a_listing(1, quantities=(("wh1", 5),)), settings=settings)
    await workshop.put(("sku-1", 7))
    await push(workshop, seller)
    set_by_hand(workshop, 5)
    await look(workshop, seller)
    await let_orders_come(workshop, seller)
    await look(workshop, seller)
    assert await drifts(workshop) == []

    set_by_hand(workshop, 9)
    await look(workshop, seller)

    assert [members["at_channel"] for members in await drifts(workshop)] == [9]


async def test_units_moved_to_another_warehouse_are_a_drift(workshop: Workshop):
    mapped = StockSettings(warehouse_id="wh1", warehouses={"london": "wh1", "leeds": "wh2"})
    seller = await a_shop(workshop, a_listing(1), settings=IntegrationSettings(stock=mapped))
    items = [StockItem("sku-1", 3, None, "london"), StockItem("sku-1", 4, None, "leeds")]
    await workshop.put_stock.put(TENANT, items)
    await push(workshop, seller)
    moved = replace(workshop.shop().listings["var-1"], quantities=(("wh1", 5), ("wh2", 2)))
    workshop.shop().put_up(moved)

    await look(workshop, seller)

    assert [(one["quantity"], one["at_channel"]) for one in await drifts(workshop)] == [(7, 7)]


async def test_a_difference_that_is_gone_when_it_is_looked_at_again_is_not_told(workshop: Workshop):
    seller = await told(workshop, 7)
    set_by_hand(workshop, 9)
    gate = workshop.channel.hold("product")
    looked = workshop.run(seller, RunKind.LISTINGS)

    async def put_right() -> None:
        await gate.reached.wait()
        set_by_hand(workshop, 7)
        gate.open.set()

    await asyncio.gather(looked, put_right())

    assert await drifts(workshop) == []
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


async def test_a_difference_that_cannot_be_looked_at_again_is_told_later(workshop: Workshop):
    seller = await told(workshop, 7)
    set_by_hand(workshop, 9)
    workshop.channel.fail("product", ChannelRefused("90002", "Not now."))
    await look(workshop, seller)
    assert await drifts(workshop) == []

    await look(workshop, seller)

    assert [members["at_channel"] for members in await drifts(workshop)] == [9]


async def test_looking_again_counts_no_listing_twice(workshop: Workshop):
    seller = await told(workshop, 7)
    set_by_hand(workshop, 9)

    run = await workshop.run(seller, RunKind.LISTINGS)

    assert (run.counts.seen, run.counts.updated) == (1, 1)


async def test_while_a_newer_level_waits_what_is_shown_is_no_drift(workshop: Workshop):
    seller = await told(workshop, 7)
    set_by_hand(workshop, 40)
    await workshop.put(("sku-1", 6))

    await look(workshop, seller)
    assert await drifts(workshop) == []
    await push(workshop, seller)
    await look(workshop, seller)

    assert await drifts(workshop) == []
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


@pytest.mark.parametrize("operation", ["set_stock", "start_stock_job"])
async def test_while_a_call_of_ours_is_under_way_what_is_shown_is_no_drift(workshop: Workshop, operation):
    numbers = range(1, 2 if operation == "set_stock" else 6)
    seller = await a_shop(workshop, *(a_listing(n, quantities=(("wh1", 5),)) for n in numbers))
    await workshop.put(*((f"sku-{n}", 7) for n in numbers))
    await push(workshop, seller)
    await workshop.put_stock.push_again(TENANT, [f"sku-{n}" for n in numbers])
    set_by_hand(workshop, 40)
    gate = workshop.channel.hold(operation)

    async def look_meanwhile() -> None:
        await gate.reached.wait()
        await look(workshop, seller)
        gate.open.set()

    await asyncio.gather(push(workshop, seller), look_meanwhile())
    await look(workshop, seller)

    assert await drifts(workshop) == []
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


async def test_while_a_call_is_in_doubt_what_is_shown_is_no_drift(workshop: Workshop):
    seller = await told(workshop, 7)
    await workshop.put(("sku-1", 9))
    workshop.channel.lose_answer("set_stock")
    await push(workshop, seller)
    # The lost call has landed, and the newest level may not have followed yet.
    set_by_hand(workshop, 40)

    await look(workshop, seller)

    assert await drifts(workshop) == []


async def test_a_new_level_is_measured_from_itself(workshop: Workshop):
    seller = await told(workshop, 7)
    await sell(workshop, seller, 2)
    set_by_hand(workshop, 5)
    await look(workshop, seller)

    await workshop.put(("sku-1", 5))
    await push(workshop, seller)
    set_by_hand(workshop, 4)
    await look(workshop, seller)
    await let_orders_come(workshop, seller)
    await look(workshop, seller)

    assert (await listing_of(workshop, "sku-1")).sent_quantity == 5
    assert [members["at_channel"] for members in await drifts(workshop)] == [4]
