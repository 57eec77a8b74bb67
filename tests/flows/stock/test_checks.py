"""Looking for what a late call did: to many listings at once, by jobs that may or may not be carried out."""

import pytest
from tests.flows.goods import a_listing
from tests.flows.runs.steps import at_work
from tests.flows.stock.doubt_steps import TIMEOUT, go_on, in_one_warehouse, lands, lost, shown
from tests.flows.stock_steps import a_shop, listing_of, push, state_of
from tests.flows.workshop import IMPATIENT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelRefused, RateLimited
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import Omitted, PushState, StockOutcome
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import Arithmetic, StockSettings
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.stock.checks import look_at_doubts
from channel_sync.flows.stock.plan import plan
from channel_sync.persistence.doubts import FIRST_LOOK


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


async def doubtful(workshop: Workshop, products: int) -> RunSession:
    """A stock run in a shop whose products were told two units each by calls whose answers got lost."""
    session = await at_work(workshop, await a_shop_of(workshop, products), kind=RunKind.STOCK)
    await put(workshop, 2, products)
    async with session.database.begin() as work:
        stale = await work.pushes.stale(session.account.id, 100)
        told = [stock for product in plan(stale, Arithmetic(StockSettings()), "wh1") for stock in product.listings]
        await work.pushes.mark_sent(told, utcnow(), run_id="run_lost")
        await work.pushes.settle([StockOutcome(one.listing_id, one.version, True) for one in told], utcnow())
        await work.doubts.unanswered("run_lost", [one.listing_id for one in told], utcnow() - FIRST_LOOK)
    return session


async def show(workshop: Workshop, *units: int) -> None:
    """Let the first products have these units in the shop."""
    for number, one in enumerate(units, 1):
        workshop.shop().put_up(a_listing(number, quantities=(("wh1", one),)))


async def waiting_again(session: RunSession) -> set[str | None]:
    async with session.database.read() as work:
        return {listing.sku for listing, _ in await work.pushes.stale(session.account.id, 100)}


async def due_products(session: RunSession) -> list[str]:
    """The variations that are in doubt, in the order of their looks."""
    async with session.database.read() as work:
        return [doubt.variation_id for doubt in await work.doubts.due(session.account.id, utcnow(), 100)]


async def show_of(workshop: Workshop, wrong: list[str], units: int) -> None:
    """Let every product have the two units that it was told, and these others."""
    for number in range(1, 31):
        shown = units if f"var-{number}" in wrong else 2
        workshop.shop().put_up(a_listing(number, quantities=(("wh1", shown),)))


async def test_what_a_look_finds_wrong_waits_to_be_sent_and_the_rest_does_not(workshop: Workshop):
    session = await doubtful(workshop, 3)
    await show(workshop, 2, 9, 2)

    assert await look_at_doubts(session)

    assert await waiting_again(session) == {"sku-2"}
    assert (await listing_of(workshop, "sku-2")).quantities == (("wh1", 9),)
    assert workshop.channel.calls["product"] == 3
    # The next look at them is planned.
    assert not await look_at_doubts(session)


async def test_a_product_that_is_gone_from_the_shop_is_left_to_the_catalogue(workshop: Workshop):
    session = await doubtful(workshop, 1)
    workshop.channel.fail("product", ChannelRefused("1004", "Gone."))

    assert await look_at_doubts(session)

    assert await waiting_again(session) == set()


async def test_where_half_of_those_read_are_wrong_all_others_are_taken_for_wrong(workshop: Workshop):
    session = await doubtful(workshop, 30)
    order = await due_products(session)
    await show_of(workshop, order[:10], 9)

    await look_at_doubts(session)

    assert workshop.channel.calls["product"] == 20
    assert len(await waiting_again(session)) == 10 + 10


async def test_where_fewer_are_wrong_the_others_wait_for_their_look(workshop: Workshop):
    session = await doubtful(workshop, 30)
    order = await due_products(session)
    await show_of(workshop, order[:9], 9)

    await look_at_doubts(session)

    assert len(await waiting_again(session)) == 9
    assert await look_at_doubts(session)


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


async def test_a_shop_is_looked_at_for_ten_minutes_and_no_longer(workshop: Workshop):
    await lost(workshop)
    for seconds in range(0, 660, 10):
        await go_on(workshop, seconds)
    looks = workshop.channel.calls["product"]

    await go_on(workshop, 700)

    assert 20 <= looks <= 22
    assert workshop.channel.calls["product"] == looks
    assert (await listing_of(workshop, "sku-1")).doubted_at is None


async def test_without_doubt_nothing_is_looked_at(workshop: Workshop):
    seller = await a_shop(workshop, in_one_warehouse(1))
    await workshop.put(("sku-1", 1))
    await push(workshop, seller)

    for seconds in range(0, 120, 10):
        await go_on(workshop, seconds)

    assert workshop.channel.calls["product"] == 0
    assert await shown(workshop) == (PushState.CONFIRMED, None)


async def test_a_newest_value_that_is_refused_is_not_sent_again_by_a_look(workshop: Workshop):
    await lost(workshop)
    workshop.shop().refusals = {"var-1": ("90001", "Not allowed.")}
    await workshop.put(("sku-1", 2))
    await go_on(workshop, 1)
    calls = workshop.channel.calls["set_stock"]

    for seconds in (6, 16, 31, 62):
        await go_on(workshop, seconds)

    assert workshop.channel.calls["set_stock"] == calls
    assert await shown(workshop) == (PushState.REJECTED, "90001")


async def test_other_warehouses_that_a_lost_first_write_emptied_are_put_right(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    workshop.shop().omitted = Omitted.RESET
    await workshop.put(("sku-1", 3))
    workshop.channel.lose_answer("set_stock")
    await push(workshop, seller)
    assert workshop.shop().units("var-1") == {"wh1": 3, "wh2": 0}

    await push(workshop, seller)

    assert workshop.shop().units("var-1") == {"wh1": 3, "wh2": 7}
