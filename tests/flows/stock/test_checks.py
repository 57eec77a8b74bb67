"""Looking for what a late call did: to many listings at once, by jobs that may or may not be carried out."""

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock.test_doubt import go_on, lands
from tests.flows.stock_steps import a_shop, push, state_of
from tests.flows.workshop import IMPATIENT, Workshop

from channel_sync.domain.errors import ChannelRefused, NoAnswer, RateLimited
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import PushState

TIMEOUT = NoAnswer("timeout", "No answer.")


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def a_shop_of(workshop: Workshop, products: int) -> Integration:
    return await a_shop(
        workshop, *(a_listing(number, quantities=(("wh1", 5),)) for number in range(1, products + 1))
    )


async def put(workshop: Workshop, units: int, products: int) -> None:
    await workshop.put(*((f"sku-{number}", units) for number in range(1, products + 1)))


async def lost_job(workshop: Workshop, products: int) -> Integration:
    """A shop whose products were told one unit each by a job without an answer, then two by another."""
    seller = await a_shop_of(workshop, products)
    await put(workshop, 1, products)
    workshop.channel.fail("start_stock_job", TIMEOUT)
    await push(workshop, seller)
    await put(workshop, 2, products)
    await go_on(workshop, 1)
    return seller


def all_land(workshop: Workshop, products: int, seconds: float) -> None:
    for number in range(1, products + 1):
        lands(workshop, 1, number, seconds)


def units(workshop: Workshop, products: int) -> set[int]:
    return {workshop.shop().units(f"var-{number}")["wh1"] for number in range(1, products + 1)}


@pytest.mark.parametrize("products", [6, 60])
async def test_a_job_without_an_answer_that_is_carried_out_late_is_overwritten(workshop: Workshop, products: int):
    await lost_job(workshop, products)
    for seconds in (6, 16, 31, 62):
        await go_on(workshop, seconds)
    assert units(workshop, products) == {2}

    all_land(workshop, products, 70)
    for seconds in (92, 93):
        await go_on(workshop, seconds)

    assert units(workshop, products) == {2}


async def test_of_many_products_only_those_that_changed_are_read_again(workshop: Workshop):
    await lost_job(workshop, 60)
    for seconds in (6, 16, 61):
        await go_on(workshop, seconds)
    assert await state_of(workshop, "sku-60") is PushState.CONFIRMED
    reads = workshop.channel.calls["product"]

    for seconds in (92, 122, 152):
        await go_on(workshop, seconds)

    assert workshop.channel.calls["product"] == reads


async def test_what_a_late_job_did_to_many_is_undone_without_reading_them_all(workshop: Workshop):
    await lost_job(workshop, 100)
    for seconds in (6, 16, 61):
        await go_on(workshop, seconds)
    reads = workshop.channel.calls["product"]
    all_land(workshop, 100, 70)

    await go_on(workshop, 92)

    assert units(workshop, 100) == {2}
    assert workshop.channel.calls["product"] == reads + 20


async def test_a_job_that_never_ends_is_in_doubt(database):
    workshop = Workshop(database)
    seller = await a_shop_of(workshop, 5)
    await put(workshop, 9, 5)
    workshop.shop().polls_until_ready = 10_000

    await push(workshop.another(waits=IMPATIENT), seller)

    assert units(workshop, 5) == {9}
    assert await state_of(workshop, "sku-1") is PushState.SENT


async def test_a_job_that_the_marketplace_does_not_know_any_more_is_in_doubt(workshop: Workshop):
    seller = await a_shop_of(workshop, 5)
    await put(workshop, 9, 5)
    workshop.channel.fail("stock_job", ChannelRefused("90001", "No such job."))

    await push(workshop, seller)

    assert units(workshop, 5) == {9}
    assert await state_of(workshop, "sku-1") is PushState.SENT


async def test_a_job_that_was_turned_away_leaves_no_doubt(workshop: Workshop):
    seller = await a_shop_of(workshop, 5)
    await put(workshop, 9, 5)
    workshop.channel.fail("start_stock_job", RateLimited("Slower."))
    await push(workshop, seller)

    await push(workshop, seller)

    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED
