import asyncio

import pytest
from tests.flows.goods import a_listing
from tests.flows.runs.steps import at_work
from tests.flows.stock_steps import a_shop, listing_of, state_of
from tests.flows.workshop import Workshop

from channel_sync.domain.errors import ChannelRefused, NoAnswer, RunStopped
from channel_sync.domain.listings import PushState
from channel_sync.domain.runs import Counts, RunKind
from channel_sync.domain.stock import Arithmetic, StockSettings
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.stock.plan import plan
from channel_sync.flows.stock.single import push, push_one_by_one


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def session_of(workshop: Workshop, products: int, **changes) -> RunSession:
    """A stock run in a shop whose products wait for two units each."""
    listings = (a_listing(number, **({"quantities": (("wh1", 5),)} | changes)) for number in range(products))
    seller = await a_shop(workshop, *listings)
    await workshop.put(*((f"sku-{number}", 2) for number in range(products)))
    return await at_work(workshop, seller, kind=RunKind.STOCK)


async def waiting(session: RunSession):
    async with session.database.read() as work:
        return plan(await work.pushes.stale(session.account.id, 100), Arithmetic(StockSettings()), "wh1")


async def states(workshop: Workshop, number: int) -> list[PushState]:
    return [await state_of(workshop, f"sku-{one}") for one in range(number)]


async def looks(session: RunSession):
    """When the shop is to be looked at for calls without an outcome."""
    async with session.database.read() as work:
        return await work.doubts.next_looks([session.account.id])


async def test_each_product_is_told_with_a_call_of_its_own_so_many_at_once(workshop: Workshop):
    session = await session_of(workshop, 5)
    gate = workshop.channel.hold("set_stock")
    sending = asyncio.create_task(push_one_by_one(session, await waiting(session)))
    async with asyncio.timeout(5):
        while session.counts != Counts(updated=2):
            await asyncio.sleep(0.005)
    assert workshop.channel.calls["set_stock"] == 3

    gate.open.set()
    await sending

    assert await states(workshop, 5) == [PushState.CONFIRMED] * 5
    assert workshop.channel.calls["set_stock"] == 5
    assert session.counts == Counts(updated=5)
    assert (await waiting(session), await looks(session)) == ([], {})


async def test_what_is_about_to_be_sent_is_a_row_before(workshop: Workshop):
    session = await session_of(workshop, 1)
    gate = workshop.channel.hold("set_stock")
    sending = asyncio.create_task(push(session, (await waiting(session))[0]))
    await gate.reached.wait()

    listing = await listing_of(workshop, "sku-0")
    assert (listing.sent_version, listing.sent_quantity, listing.settled_version) == (1, 2, 0)
    assert set(await looks(session)) == {session.account.id}
    gate.open.set()
    await sending


async def test_a_product_that_is_refused_says_why_for_each_of_its_listings(workshop: Workshop):
    session = await session_of(workshop, 2, product_id="pro-1")
    workshop.channel.fail("set_stock", ChannelRefused("1004", "Blocked."))

    await push_one_by_one(session, await waiting(session))

    assert await states(workshop, 2) == [PushState.REJECTED] * 2
    listing = await listing_of(workshop, "sku-1")
    assert (listing.push_code, listing.push_reason) == ("1004", "Blocked.")
    assert (session.counts, await looks(session)) == (Counts(failed=2), {})


async def test_a_call_without_an_outcome_is_in_doubt_and_costs_the_others_nothing(workshop: Workshop):
    session = await session_of(workshop, 3)
    workshop.channel.fail("set_stock", NoAnswer("timeout", "No answer."))

    with pytest.raises(NoAnswer):
        await push_one_by_one(session, await waiting(session))

    assert sorted(await states(workshop, 3)) == [PushState.CONFIRMED, PushState.CONFIRMED, PushState.SENT]
    assert set(await looks(session)) == {session.account.id}


async def test_a_run_that_was_stopped_sends_nothing(workshop: Workshop):
    session = await session_of(workshop, 1)
    [product] = await waiting(session)
    session.context.cancel()

    with pytest.raises(RunStopped):
        await push(session, product)

    assert workshop.channel.calls["set_stock"] == 0
    assert (await listing_of(workshop, "sku-0")).sent_version == 0


async def test_a_product_with_units_elsewhere_keeps_them(workshop: Workshop):
    session = await session_of(workshop, 1, quantities=(("wh1", 5), ("wh2", 7)))
    workshop.shop().put_up(a_listing(0, quantities=(("wh1", 5), ("wh2", 4))))

    await push(session, (await waiting(session))[0])

    assert workshop.shop().units("var-0") == {"wh1": 2, "wh2": 4}
    assert (await listing_of(workshop, "sku-0")).quantities == (("wh1", 2), ("wh2", 4))
    assert workshop.channel.calls["product"] == 1
