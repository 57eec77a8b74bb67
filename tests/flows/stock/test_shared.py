"""Units of a product in several warehouses: ours is told its stock, the others keep what they have."""

import asyncio
from dataclasses import replace

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, listing_of, push, state_of
from tests.flows.workshop import Workshop

from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import Omitted, PushState
from channel_sync.domain.runs import RunKind

KEPT, RESET = Omitted.KEPT, Omitted.RESET


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def a_shop_that(workshop: Workshop, does: Omitted, products: int = 1) -> Integration:
    """A shop with seven units of each product in its second warehouse, which nobody tells us of later."""
    seller = await a_shop(workshop, *(a_listing(number) for number in range(1, products + 1)))
    workshop.shop().omitted = does
    return seller


def set_elsewhere(workshop: Workshop, units: int, number: int = 1) -> None:
    """What the seller, or a sale, does to the second warehouse."""
    listing = workshop.shop().listings[f"var-{number}"]
    changed = dict(listing.quantities) | {"wh2": units}
    workshop.shop().listings[f"var-{number}"] = replace(listing, quantities=tuple(changed.items()))


async def known_of(workshop: Workshop, seller: Integration) -> Omitted | None:
    async with workshop.database.read() as work:
        return (await work.accounts.get(seller.account_id or "")).omitted


async def put(workshop: Workshop, seller: Integration, units: int, products: int = 1) -> None:
    await workshop.put(*((f"sku-{number}", units) for number in range(1, products + 1)))
    await push(workshop, seller)


@pytest.mark.parametrize("does", [KEPT, RESET])
async def test_the_other_warehouse_keeps_what_was_changed_there_since_the_catalogue(workshop: Workshop, does):
    seller = await a_shop_that(workshop, does)
    for ours, elsewhere in ((9, 11), (4, 0), (6, 3)):
        set_elsewhere(workshop, elsewhere)

        await put(workshop, seller, ours)

        assert workshop.shop().units("var-1") == {"wh1": ours, "wh2": elsewhere}
        assert dict((await listing_of(workshop, "sku-1")).quantities) == {"wh1": ours, "wh2": elsewhere}


@pytest.mark.parametrize("does", [KEPT, RESET])
async def test_the_first_write_shows_what_becomes_of_other_warehouses(workshop: Workshop, does):
    seller = await a_shop_that(workshop, does)

    await put(workshop, seller, 9)

    assert await known_of(workshop, seller) is does
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED
    assert workshop.channel.calls["set_stock"] == (1 if does is KEPT else 2)


async def test_where_others_keep_theirs_ours_alone_is_sent_and_nothing_is_read(workshop: Workshop):
    seller = await a_shop_that(workshop, KEPT)
    await put(workshop, seller, 9)
    reads = workshop.channel.calls["product"]

    await put(workshop.another(), seller, 4)

    assert (workshop.channel.calls["product"], workshop.channel.calls["set_stock"]) == (reads, 2)


async def test_where_others_are_reset_the_product_is_read_right_before(workshop: Workshop):
    seller = await a_shop_that(workshop, RESET)
    await put(workshop, seller, 9)
    before = workshop.channel.calls.copy()

    await put(workshop.another(), seller, 4)

    made = workshop.channel.calls - before
    assert (made["product"], made["set_stock"]) == (1, 1)
    assert workshop.shop().units("var-1") == {"wh1": 4, "wh2": 7}


async def test_a_change_between_our_read_and_our_write_stays(workshop: Workshop):
    seller = await a_shop_that(workshop, KEPT)
    await workshop.put(("sku-1", 9))
    gate = workshop.channel.hold("set_stock")
    running = asyncio.create_task(push(workshop, seller))
    await gate.reached.wait()
    set_elsewhere(workshop, 2)
    gate.open.set()
    await running

    assert workshop.shop().units("var-1") == {"wh1": 9, "wh2": 2}
    assert dict((await listing_of(workshop, "sku-1")).quantities)["wh2"] == 2


async def test_what_is_restated_was_read_a_moment_ago_and_never_remembered(workshop: Workshop):
    seller = await a_shop_that(workshop, RESET)
    await put(workshop, seller, 9)
    set_elsewhere(workshop, 3)
    await workshop.put(("sku-1", 8))
    gate = workshop.channel.hold("set_stock")
    running = asyncio.create_task(push(workshop, seller))
    await gate.reached.wait()
    gate.open.set()
    await running

    assert workshop.shop().units("var-1") == {"wh1": 8, "wh2": 3}


async def test_in_a_job_others_keep_theirs_once_one_write_has_shown_it(workshop: Workshop):
    seller = await a_shop_that(workshop, KEPT, products=10)
    for number in range(1, 11):
        set_elsewhere(workshop, number, number)

    await put(workshop, seller, 9, products=10)

    assert (workshop.channel.calls["set_stock"], workshop.channel.calls["start_stock_job"]) == (1, 1)
    for number in range(1, 11):
        assert workshop.shop().units(f"var-{number}") == {"wh1": 9, "wh2": number}


async def test_what_would_be_reset_goes_in_no_job(workshop: Workshop):
    seller = await a_shop_that(workshop, RESET, products=5)
    alone = [a_listing(number, quantities=(("wh1", 5),)) for number in range(6, 12)]
    workshop.shop().put_up(*alone)
    await workshop.run(seller, RunKind.LISTINGS)
    for number in range(1, 6):
        set_elsewhere(workshop, number, number)

    await put(workshop, seller, 9, products=11)

    [sent] = workshop.shop().sent_in_jobs
    assert {product.product_id for product in sent} == {f"pro-{number}" for number in range(6, 12)}
    for number in range(1, 6):
        assert workshop.shop().units(f"var-{number}") == {"wh1": 9, "wh2": number}


async def test_where_nothing_lies_elsewhere_nothing_is_learnt(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1, quantities=(("wh1", 5), ("wh2", 0))))
    workshop.shop().omitted = RESET

    await put(workshop, seller, 9)

    assert await known_of(workshop, seller) is None
    assert workshop.shop().units("var-1") == {"wh1": 9, "wh2": 0}


async def test_others_that_are_all_empty_at_once_make_us_look_again(workshop: Workshop):
    seller = await a_shop_that(workshop, KEPT)
    await put(workshop, seller, 9)
    workshop.shop().omitted = RESET

    await put(workshop, seller, 8)
    assert await known_of(workshop, seller) is None

    set_elsewhere(workshop, 5)
    await put(workshop, seller, 7)
    assert await known_of(workshop, seller) is RESET
    assert workshop.shop().units("var-1") == {"wh1": 7, "wh2": 5}
