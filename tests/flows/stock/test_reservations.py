"""An order that arrives: what it takes is told to the other listings of its SKU before the caller counts it."""

from datetime import timedelta

import pytest
from tests.flows.goods import a_listing, an_order
from tests.flows.stock.reservation_steps import (
    HERE,
    THERE,
    content,
    due_at,
    level_of,
    push_all,
    sell,
    settle,
    told,
    two_shops,
)
from tests.flows.workshop import TENANT, Workshop
from tests.stored import fed_by

from channel_sync.domain.clock import utcnow
from channel_sync.domain.orders import OrderState
from channel_sync.domain.push_states import push_state, why
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import DriftPolicy


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_the_last_one_sold_in_one_shop_is_no_longer_offered_in_the_other(workshop: Workshop):
    here, there = await two_shops(workshop, 1)

    await sell(workshop, here)
    await settle(workshop)

    due = await due_at(workshop, there)
    assert due is not None
    assert due <= utcnow()
    assert workshop.nudges
    await push_all(workshop, here, there)
    assert (told(workshop, HERE), told(workshop, THERE)) == ([1], [1, 0])
    assert (await level_of(workshop)).reserved == 1


async def test_a_shop_that_sold_is_not_told_what_it_shows_already(workshop: Workshop):
    here, there = await two_shops(workshop, 9)

    await sell(workshop, here, quantity=2)
    await settle(workshop)
    await push_all(workshop, here, there)

    async with workshop.database.read() as work:
        mine, theirs = await fed_by(work, "sku-1")
        level = await work.stock.get(TENANT, "sku-1")
    listing = mine if mine.integration_id == here.id else theirs
    state = push_state(listing, level.version)
    assert (told(workshop, HERE), told(workshop, THERE)) == ([9], [9, 7])
    assert (state, why(listing, state).code, listing.sent_quantity) == ("confirmed", "sold_here", 7)


async def test_a_shop_told_its_stock_after_the_sale_is_told_anew(workshop: Workshop):
    here, there = await two_shops(workshop, 9)

    await sell(workshop, here, released_at=here.created_at)
    await settle(workshop)
    await push_all(workshop, here, there)

    assert (told(workshop, HERE), told(workshop, THERE)) == ([9, 8], [9, 8])


async def test_a_shop_with_a_maximum_shows_as_many_again_after_a_sale(workshop: Workshop):
    here, there = await two_shops(workshop, 9, maximum=5)

    await sell(workshop, here)
    await settle(workshop)
    await push_all(workshop, here, there)

    assert (told(workshop, HERE), workshop.shop(HERE).units("var-1")) == ([5, 5], {"wh1": 5})


@pytest.mark.parametrize("state", [OrderState.REFUNDED, OrderState.DECLINED])
async def test_an_order_given_up_gives_its_units_back(workshop: Workshop, state: OrderState):
    here, there = await two_shops(workshop, 1)
    await sell(workshop, here)
    await settle(workshop)
    await push_all(workshop, here, there)

    now = utcnow()
    workshop.shop(HERE).place(
        an_order(1, updated_at=now, released_at=now, content=content(), state=state, state_raw="X")
    )
    await workshop.run(here)
    await settle(workshop)
    await push_all(workshop, here, there)

    assert ((await level_of(workshop)).reserved, told(workshop, THERE)) == (0, [1, 0, 1])


async def test_an_order_shipped_and_then_refunded_gives_nothing_back(workshop: Workshop):
    here, _ = await two_shops(workshop, 3)
    await sell(workshop, here)
    await settle(workshop)

    for state in (OrderState.SHIPPED, OrderState.REFUNDED):
        now = utcnow()
        workshop.shop(HERE).place(
            an_order(1, updated_at=now, released_at=now, content=content(), state=state, state_raw="X")
        )
        await workshop.run(here)
    await settle(workshop)

    assert (await level_of(workshop)).reserved == 1


async def test_an_order_released_again_takes_its_units_again(workshop: Workshop):
    here, _ = await two_shops(workshop, 3)
    for state in (OrderState.APPROVED, OrderState.REFUNDED, OrderState.APPROVED):
        now = utcnow()
        workshop.shop(HERE).place(
            an_order(1, updated_at=now, released_at=now, content=content(), state=state, state_raw="X")
        )
        await workshop.run(here)
        await settle(workshop)

    assert (await level_of(workshop)).reserved == 1


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"released_at": utcnow() - timedelta(days=1)}, id="sold before the shop was connected"),
        pytest.param({"content": content(fulfilled_by="channel")}, id="shipped by the marketplace"),
        pytest.param({"state": OrderState.SHIPPED, "state_raw": "SHIPPED"}, id="shipped already"),
    ],
)
async def test_an_order_that_takes_nothing_from_the_caller_holds_nothing_back(workshop: Workshop, changes):
    here, there = await two_shops(workshop, 3)

    await sell(workshop, here, **changes)
    await settle(workshop)
    await push_all(workshop, here, there)

    assert ((await level_of(workshop)).reserved, told(workshop, THERE)) == (0, [3])


async def test_an_order_downloaded_twice_holds_back_once(workshop: Workshop):
    here, _ = await two_shops(workshop, 3)
    await sell(workshop, here)
    for _ in range(2):
        await settle(workshop)
        await workshop.run(here)

    assert (await level_of(workshop)).reserved == 1
    assert (await workshop.rows("reservations"))["reservations"]


async def test_what_is_under_review_is_sold_as_well(workshop: Workshop):
    here, _ = await two_shops(workshop, 3)

    await sell(workshop, here, state=OrderState.IN_REVIEW, state_raw="REQUIRE_REVIEW", released_at=None)
    await settle(workshop)

    assert (await level_of(workshop)).reserved == 1


async def test_a_listing_mapped_by_hand_takes_from_the_sku_that_feeds_it(workshop: Workshop):
    here, there = await two_shops(workshop, 3)
    await workshop.put(("sku-2", 5))
    async with workshop.database.begin() as work:
        [mine] = [one for one in await fed_by(work, "sku-1") if one.integration_id == here.id]
        await work.listings.set_mapped_skus(TENANT, {mine.id: "sku-2"}, utcnow())

    await sell(workshop, here)
    await settle(workshop)

    async with workshop.database.read() as work:
        levels = await work.stock.levels(TENANT, ["sku-1", "sku-2"])
    assert {sku: level.reserved for sku, level in levels.items()} == {"sku-1": 0, "sku-2": 1}
    await push_all(workshop, there)
    assert told(workshop, THERE) == [3]


async def test_what_is_held_back_may_be_more_than_there_is(workshop: Workshop):
    here, there = await two_shops(workshop, 2)

    await sell(workshop, here, quantity=9)
    await settle(workshop)
    await push_all(workshop, here, there)

    assert told(workshop, THERE) == [2, 0]


async def test_looking_again_writes_nothing(workshop: Workshop):
    here, _ = await two_shops(workshop, 3)
    await sell(workshop, here)
    await settle(workshop)
    before = await workshop.rows("reservations", "stock_levels", "listings")

    await settle(workshop)

    assert await workshop.rows("reservations", "stock_levels", "listings") == before


async def test_a_sale_that_was_followed_explains_no_second_difference(workshop: Workshop):
    here, _ = await two_shops(workshop, 9)
    await sell(workshop, here)
    await settle(workshop)
    workshop.shop(HERE).put_up(a_listing(1, quantities=(("wh1", 7),)))

    await workshop.run(here, RunKind.LISTINGS)

    async with workshop.database.read() as work:
        suspects = await work.drifts.suspects(here.account_id or "", DriftPolicy.REPORT, "", 9)
    assert [(one.quantity, one.at_channel, one.missing) for one in suspects] == [(8, 7, 1)]
