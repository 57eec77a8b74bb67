"""Refunds told to the marketplace once, whatever gets lost."""

import pytest
from tests.flows.order_changes.change_steps import (
    a_shop_with,
    an_open_order,
    changes,
    dispatch,
    go_on,
    refund,
    stages,
)
from tests.flows.workshop import Workshop

from channel_sync.domain.errors import ChannelRefused, Conflict, Invalid, NoAnswer
from channel_sync.domain.order_progress import Progress
from channel_sync.domain.orders import OrderState

TIMEOUT = NoAnswer("timeout", "No answer.")


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


def told(workshop: Workshop) -> list[str]:
    return [reason for _, reason in workshop.shop().book.refunds]


async def test_a_refund_is_told_and_accepted_when_the_order_is_refunded(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    await refund(workshop)
    await go_on(workshop)
    assert (await stages(workshop), told(workshop)) == (["settling"], ["UNABLE_TO_SHIP"])

    await go_on(workshop, 6)

    [order] = await workshop.orders()
    assert (await stages(workshop), order.state) == (["accepted"], OrderState.REFUNDED)
    [event] = await workshop.events("order.refunded")
    assert event.members["order_id"] == order.id


async def test_the_same_refund_twice_is_told_once_and_another_is_refused(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    first = await refund(workshop)
    assert await refund(workshop) == first
    await go_on(workshop)
    with pytest.raises(Conflict, match="refunded already"):
        await refund(workshop, "MERCHANT_OUT_OF_STOCK")
    await go_on(workshop, 6)

    again = await refund(workshop)

    assert [one.id for one in again] == [one.id for one in first]
    with pytest.raises(Conflict, match="refunded already"):
        await refund(workshop, "MERCHANT_OUT_OF_STOCK")
    assert told(workshop) == ["UNABLE_TO_SHIP"]


async def test_a_reason_that_is_not_allowed_now_is_refused_and_nothing_stored(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    with pytest.raises(Invalid) as refused:
        await refund(workshop, "WRONG_COLOR")
    assert (refused.value.code, refused.value.pointer) == ("refund_reason_not_allowed", "/reason")
    assert await changes(workshop) == []


async def test_a_refund_that_landed_without_an_answer_is_not_told_again(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    workshop.channel.lose_answer("refund")
    await refund(workshop)
    for seconds in (0, 20, 40, 90, 200):
        await go_on(workshop, seconds)

    assert (await stages(workshop), told(workshop)) == (["accepted"], ["UNABLE_TO_SHIP"])


async def test_a_refund_that_did_not_land_is_told_again(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    workshop.channel.fail("refund", TIMEOUT)
    await refund(workshop)
    for seconds in (0, 20, 40):
        await go_on(workshop, seconds)
    assert (await stages(workshop), told(workshop)) == (["doubtful"], [])

    await go_on(workshop, 62)
    await go_on(workshop, 70)

    assert (await stages(workshop), told(workshop)) == (["accepted"], ["UNABLE_TO_SHIP"])


async def test_a_refund_that_failed_says_so_and_can_be_asked_for_again(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    workshop.channel.fail("refund", ChannelRefused("90001", "Not now."))
    await refund(workshop)
    await go_on(workshop)
    [event] = await workshop.events("order.refund_failed")
    assert event.members["code"] == "90001"

    workshop.shop().book.ends = Progress.DONE
    await refund(workshop)
    await go_on(workshop)
    await go_on(workshop, 6)

    assert await stages(workshop) == ["failed", "accepted"]


async def test_a_refund_waits_for_the_parcel_that_is_under_way(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    await dispatch(workshop)
    await refund(workshop)
    await go_on(workshop)
    assert (await stages(workshop), told(workshop)) == (["settling", "requested"], [])

    await go_on(workshop, 6)
    await go_on(workshop, 12)

    assert await stages(workshop) == ["accepted", "accepted"]
