"""Calls without an outcome: what they may do later is waited for, seen and undone."""

import asyncio
from datetime import timedelta

import pytest
from tests.flows.stock.doubt_steps import TIMEOUT, go_on, in_one_warehouse, lands, lost, shown
from tests.flows.stock_steps import a_shop, push
from tests.flows.workshop import Workshop
from tests.stores import ON_SQLITE

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelUnavailable, NoAnswer, RateLimited
from channel_sync.domain.listings import PushState
from channel_sync.domain.runs import RunKind


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


IN_DOUBT = (PushState.SENT, "outcome_unknown")


async def test_a_value_is_in_doubt_until_the_shop_has_shown_it_for_a_while(workshop: Workshop):
    await lost(workshop)
    states = [await shown(workshop)]
    for seconds in (6, 16, 31, 62):
        await go_on(workshop, seconds)
        states.append(await shown(workshop))

    assert states == [IN_DOUBT] * 4 + [(PushState.CONFIRMED, None)]
    assert workshop.shop().stock_writes == [("var-1", 1)]


@pytest.mark.parametrize("seconds", [3, 20, 50])
async def test_an_old_value_that_lands_late_is_overwritten_by_the_newest(workshop: Workshop, seconds: int):
    await overwritten(workshop, seconds)


@ON_SQLITE
@pytest.mark.parametrize("seconds", [200, 500])
async def test_so_is_one_that_lands_minutes_later(workshop: Workshop, seconds: int):
    await overwritten(workshop, seconds)


async def overwritten(workshop: Workshop, seconds: int) -> None:
    """An old value lands after so many seconds, and the newest is told again."""
    await lost(workshop)
    await workshop.put(("sku-1", 2))
    for step in (1, *range(6, seconds, 5)):
        await go_on(workshop, step)
    assert workshop.shop().units("var-1") == {"wh1": 2}

    lands(workshop, 1)
    for step in range(0, 35, 5):
        await go_on(workshop, seconds + step)

    assert workshop.shop().units("var-1") == {"wh1": 2}


async def test_while_the_old_value_may_land_nothing_is_called_confirmed(workshop: Workshop):
    await lost(workshop)
    await workshop.put(("sku-1", 2))
    await go_on(workshop, 1)
    assert await shown(workshop) == IN_DOUBT

    lands(workshop, 1)

    assert await shown(workshop) == IN_DOUBT
    await go_on(workshop, 16)
    assert await shown(workshop) == IN_DOUBT


@pytest.mark.parametrize(
    "error",
    [
        RateLimited("Slower.", retry_after_s=60),
        NoAnswer("connection_failed", "No connection.", did_nothing=True),
    ],
)
async def test_a_call_that_did_nothing_leaves_no_doubt(workshop: Workshop, error: ChannelUnavailable):
    seller = await a_shop(workshop, in_one_warehouse(1))
    await workshop.put(("sku-1", 1))
    workshop.channel.fail("set_stock", error)
    await push(workshop, seller)

    await push(workshop, seller)

    assert await shown(workshop) == (PushState.CONFIRMED, None)


async def test_a_worker_that_lost_its_place_and_writes_late_is_noticed(workshop: Workshop):
    seller = await a_shop(workshop, in_one_warehouse(1))
    await workshop.put(("sku-1", 1))
    gate = workshop.channel.hold("set_stock")
    late = asyncio.create_task(push(workshop, seller))
    await gate.reached.wait()
    await workshop.put(("sku-1", 2))
    heir = workshop.another(stale_after_s=0)
    await heir.runs.take_over_silent()
    await go_on(heir, 1)
    assert (workshop.shop().units("var-1"), await shown(workshop)) == ({"wh1": 2}, IN_DOUBT)

    gate.open.set()
    await late
    assert workshop.shop().units("var-1") == {"wh1": 1}
    assert await shown(workshop) == IN_DOUBT

    await go_on(heir, 7)
    assert workshop.shop().units("var-1") == {"wh1": 2}


async def test_a_killed_process_leaves_a_doubt_to_the_next(workshop: Workshop):
    seller = await a_shop(workshop, in_one_warehouse(1))
    await workshop.put(("sku-1", 1))
    gate = workshop.channel.hold("set_stock")
    killed = asyncio.create_task(push(workshop, seller))
    await gate.reached.wait()
    await workshop.put(("sku-1", 2))
    heir = workshop.another(stale_after_s=0)
    await heir.runs.take_over_silent()

    await go_on(heir, 1)
    lands(workshop, 1)
    await go_on(heir, 7)

    assert workshop.shop().units("var-1") == {"wh1": 2}
    assert await shown(workshop) == IN_DOUBT
    gate.open.set()
    await killed


async def test_a_shop_that_does_not_answer_the_look_is_asked_again_soon(workshop: Workshop):
    seller = await lost(workshop)
    await go_on(workshop, 1)
    workshop.channel.break_down("product", TIMEOUT)
    for seconds in range(6, 120, 5):
        await go_on(workshop, seconds)
    assert await shown(workshop) == IN_DOUBT

    async with workshop.database.read() as work:
        schedule = (await work.schedules.of([seller.id]))[seller.id][RunKind.STOCK]
    assert schedule.next_at is not None
    assert schedule.next_at < utcnow() + timedelta(seconds=120 + 16)
