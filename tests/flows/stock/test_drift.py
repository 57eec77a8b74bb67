"""What the marketplace shows beside what it was told."""

from datetime import timedelta

import pytest
from tests.flows.goods import a_listing
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
from channel_sync.domain.listings import PushState
from channel_sync.domain.runs import Outcome, RunKind
from channel_sync.domain.stock import PushResult


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_more_units_than_were_told_are_drift_and_told_once(workshop: Workshop):
    seller = await told(workshop, 7)
    set_by_hand(workshop, 40)

    for _ in range(3):
        await look(workshop, seller)

    listing = await listing_of(workshop, "sku-1")
    assert await state_of(workshop, "sku-1") is PushState.DRIFTED
    assert (listing.units_seen, listing.sent_quantity) == (40, 7)
    told_of = {"listing_id": listing.id, "version": 1, "quantity": 7, "at_channel": 40, "action": "reported"}
    assert await drifts(workshop) == [told_of]


async def test_several_drifts_are_told_at_once(workshop: Workshop):
    numbers = range(1, 26)
    seller = await a_shop(workshop, *(a_listing(n, quantities=(("wh1", 5),)) for n in numbers))
    await workshop.put(*((f"sku-{n}", 7) for n in numbers))
    await push(workshop, seller)
    workshop.shop().put_up(*(a_listing(n, quantities=(("wh1", 9),)) for n in numbers))

    await look(workshop, seller)

    assert len(await drifts(workshop)) == 25
    assert {await state_of(workshop, f"sku-{n}") for n in numbers} == {PushState.DRIFTED}


async def test_drift_changes_nothing_at_the_marketplace_by_itself(workshop: Workshop):
    seller = await told(workshop)
    set_by_hand(workshop, 40)
    await look(workshop, seller)

    await workshop.put(("sku-1", 7))
    run = await push(workshop, seller)

    assert run.outcome is Outcome.NO_CHANGES
    assert workshop.shop().units("var-1") == {"wh1": 40}


async def test_what_is_right_again_is_confirmed_and_its_next_drift_is_told_again(workshop: Workshop):
    seller = await told(workshop)
    for units, state in ((40, PushState.DRIFTED), (7, PushState.CONFIRMED), (9, PushState.DRIFTED)):
        set_by_hand(workshop, units)
        await look(workshop, seller)
        assert await state_of(workshop, "sku-1") is state

    assert [members["at_channel"] for members in await drifts(workshop)] == [40, 9]


async def test_a_person_can_send_a_level_again(workshop: Workshop):
    seller = await told(workshop)
    set_by_hand(workshop, 40)
    await look(workshop, seller)
    await workshop.put(("unlisted", 1))

    answers = await workshop.put_stock.push_again(TENANT, ["sku-1", "unlisted", "never-put"])
    await workshop.due(seller, RunKind.STOCK)

    assert [(answer.result, answer.listings) for answer in answers] == [
        (PushResult.QUEUED, 1),
        (PushResult.NO_LISTING, 0),
        (PushResult.UNKNOWN_SKU, 0),
    ]
    assert workshop.shop().units("var-1") == {"wh1": 7}
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


async def test_a_new_level_ends_the_drift(workshop: Workshop):
    seller = await told(workshop)
    set_by_hand(workshop, 40)
    await look(workshop, seller)

    await workshop.put(("sku-1", 6))
    assert await state_of(workshop, "sku-1") is PushState.PENDING
    await push(workshop, seller)
    await look(workshop, seller)

    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED
    assert len(await drifts(workshop)) == 1


async def test_fewer_units_that_an_order_explains_are_no_drift(workshop: Workshop):
    seller = await told(workshop, 7)
    set_by_hand(workshop, 5)
    await look(workshop, seller)
    assert await drifts(workshop) == []

    await sell(workshop, seller, 2)
    await look(workshop, seller)

    assert await drifts(workshop) == []
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


async def test_fewer_units_that_no_order_explains_are_drift_once_the_orders_have_come(workshop: Workshop):
    seller = await told(workshop, 7)
    set_by_hand(workshop, 3)
    await look(workshop, seller)
    assert await drifts(workshop) == []

    await sell(workshop, seller, 2)
    await let_orders_come(workshop, seller)
    await look(workshop, seller)

    assert [members["at_channel"] for members in await drifts(workshop)] == [3]


async def test_a_catalogue_from_before_the_push_says_nothing_about_it(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1, quantities=(("wh1", 5),)))
    async with workshop.database.read() as work:
        before = utcnow()
    await workshop.put(("sku-1", 7))
    await push(workshop, seller)

    async with workshop.database.begin() as work:
        old = [a_listing(1, quantities=(("wh1", 5),))]
        await work.listings.replace(seller.account_id or "", old, utcnow(), before)

    listing = await listing_of(workshop, "sku-1")
    assert (listing.units_seen, await state_of(workshop, "sku-1")) == (7, PushState.CONFIRMED)


async def test_when_a_number_was_last_seen_moves_on_with_catalogues_in_which_nothing_is_new(workshop: Workshop):
    seller = await told(workshop)
    first = (await listing_of(workshop, "sku-1")).last_seen_at

    await look(workshop, seller)

    second = (await listing_of(workshop, "sku-1")).last_seen_at
    assert first is not None
    assert second is not None
    assert second > first
    assert utcnow() - second < timedelta(minutes=1)
