"""Dispatches whose answer got lost: the order is read before anything is told again."""

import asyncio
from dataclasses import replace

import pytest
from tests.flows.order_changes.change_steps import (
    OTHER,
    PARCEL,
    a_shop_with,
    an_open_order,
    changes,
    dispatch,
    go_on,
    id_of,
    shown,
    stages,
    told,
)
from tests.flows.workshop import Workshop

from channel_sync.domain.errors import ChannelUnavailable, NoAnswer, RateLimited, ReplyNotUnderstood
from channel_sync.domain.order_progress import Progress
from channel_sync.domain.runs import RunKind

TIMEOUT = NoAnswer("timeout", "No answer.")


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_what_landed_without_an_answer_is_found_and_not_told_again(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    workshop.channel.lose_answer("dispatch")
    await dispatch(workshop)
    await go_on(workshop)
    assert await stages(workshop) == ["doubtful"]

    for seconds in (20, 40, 120, 600):
        await go_on(workshop, seconds)

    assert (await stages(workshop), told(workshop), shown(workshop)) == (["accepted"], ["RM001GB"], ["RM001GB"])


async def test_what_did_not_land_is_told_again_once_it_is_surely_lost(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    workshop.channel.fail("dispatch", TIMEOUT)
    await dispatch(workshop)
    for seconds in (0, 20, 40, 55):
        await go_on(workshop, seconds)
        assert (await stages(workshop), told(workshop)) == (["doubtful"], [])

    await go_on(workshop, 62)
    await go_on(workshop, 70)

    assert (await stages(workshop), told(workshop)) == (["accepted"], ["RM001GB"])


async def test_what_lands_late_is_found_and_not_told_again(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    workshop.channel.fail("dispatch", TIMEOUT)
    await dispatch(workshop)
    await go_on(workshop)
    await go_on(workshop, 20)
    workshop.shop().book.dispatch(workshop.shop().orders, "co-1", PARCEL)

    for seconds in (35, 65, 90, 200):
        await go_on(workshop, seconds)

    assert (await stages(workshop), shown(workshop)) == (["accepted"], ["RM001GB"])


async def test_the_next_parcel_waits_for_one_in_doubt(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    workshop.channel.fail("dispatch", TIMEOUT)
    await dispatch(workshop)
    await dispatch(workshop, OTHER)
    await go_on(workshop)
    await go_on(workshop, 20)
    assert await stages(workshop) == ["doubtful", "requested"]

    for seconds in (62, 70, 80):
        await go_on(workshop, seconds)

    assert (await stages(workshop), shown(workshop)) == (["accepted", "accepted"], ["1Z999", "RM001GB"])


async def test_an_earlier_failure_is_not_taken_for_that_of_a_call_in_doubt(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    book = workshop.shop().book
    book.ends = Progress.FAILED
    await dispatch(workshop)
    await go_on(workshop)
    await go_on(workshop, 6)
    book.ends = Progress.DONE
    workshop.channel.fail("dispatch", TIMEOUT)
    await dispatch(workshop, OTHER)
    await go_on(workshop, 6)
    await go_on(workshop, 26)
    assert await stages(workshop) == ["failed", "doubtful"]

    await go_on(workshop, 70)
    await go_on(workshop, 78)

    assert await stages(workshop) == ["failed", "accepted"]


async def test_a_process_that_died_in_the_call_leaves_a_doubt_and_no_second_parcel(workshop: Workshop):
    seller = await a_shop_with(workshop, an_open_order())
    await dispatch(workshop)
    gate = workshop.channel.hold("dispatch")
    run = await workshop.queue(seller, RunKind.ORDER_CHANGES)
    dying = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    after = workshop.another(stale_after_s=0)
    await after.runs.take_over_silent()
    async with workshop.database.begin() as work:
        await work.schedules.hurry(seller.id, RunKind.ORDER_CHANGES, run.created_at)
    await go_on(after)
    assert await stages(workshop) == ["doubtful"]

    gate.open.set()
    await dying
    for seconds in (6, 20, 40, 70, 80):
        await go_on(after, seconds)

    assert (await stages(workshop), told(workshop)) == (["accepted"], ["RM001GB"])


async def test_a_reply_that_makes_no_sense_is_looked_into_and_holds_up_no_other(workshop: Workshop):
    await a_shop_with(workshop, an_open_order(1), an_open_order(2))
    workshop.channel.fail("dispatch", ReplyNotUnderstood("no_envelope", "The reply is not an envelope."))
    await dispatch(workshop, number=1)
    await dispatch(workshop, number=2)
    await go_on(workshop)
    assert (await stages(workshop, 1), await stages(workshop, 2)) == (["doubtful"], ["settling"])


@pytest.mark.parametrize(
    "error",
    [
        RateLimited("Slow down.", 5),
        ChannelUnavailable("marketplace_unavailable", "Away.", did_nothing=True),
    ],
)
async def test_a_call_that_did_nothing_leaves_no_doubt(workshop: Workshop, error):
    await a_shop_with(workshop, an_open_order())
    workshop.channel.fail("dispatch", error)
    await dispatch(workshop)
    await go_on(workshop)
    assert await stages(workshop) == ["requested"]


async def test_an_order_that_cannot_be_read_stays_in_doubt(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    workshop.channel.lose_answer("dispatch")
    await dispatch(workshop)
    await go_on(workshop)
    workshop.channel.fail("order", ReplyNotUnderstood("no_envelope", "The reply is not an envelope."))

    await go_on(workshop, 20)

    assert await stages(workshop) == ["doubtful"]


async def test_a_shop_that_is_switched_on_again_is_told_what_waited(workshop: Workshop):
    seller = await a_shop_with(workshop, an_open_order())
    await dispatch(workshop)
    async with workshop.database.begin() as work:
        await work.schedules.stop_all(seller.id)
        stored = await work.integrations.get(seller.tenant, seller.id)
        await work.integrations.save(replace(stored, enabled=False))
    await go_on(workshop)
    assert (await stages(workshop), told(workshop)) == (["requested"], [])
    assert len(await changes(workshop)) == 1
    assert await id_of(workshop) == (await changes(workshop))[0].order_id
