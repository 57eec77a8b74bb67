"""Dispatches told to the marketplace and followed to their end."""

import pytest
from msgspec.structs import replace
from tests.flows.order_changes.change_steps import (
    OTHER,
    PARCEL,
    a_shop_with,
    an_open_order,
    changes,
    dispatch,
    go_on,
    shown,
    stages,
    told,
)
from tests.flows.workshop import Workshop

from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.order_progress import OrderProgress, Progress
from channel_sync.domain.orders import OrderState
from channel_sync.domain.runs import Outcome, RunKind


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_a_dispatch_is_told_at_once_and_accepted_when_the_marketplace_shows_it(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    nudges = workshop.nudges
    await dispatch(workshop)
    assert workshop.nudges == nudges + 1
    await go_on(workshop)
    assert (await stages(workshop), told(workshop)) == (["settling"], ["RM001GB"])

    await go_on(workshop, 6)

    [change] = await changes(workshop)
    assert (change.stage, change.code) == ("accepted", None)
    assert change.settled_at is not None
    assert shown(workshop) == ["RM001GB"]


async def test_with_the_end_of_a_dispatch_the_order_is_stored_and_told_of(workshop: Workshop):
    seller = await a_shop_with(workshop, an_open_order())
    await dispatch(workshop)
    await go_on(workshop)
    await go_on(workshop, 6)

    [order] = await workshop.orders()
    assert order.state is OrderState.SHIPPED
    assert [one.tracking_number for one in order.content.tracking] == ["RM001GB"]
    [event] = await workshop.events("order.dispatched")
    assert event.integration_id == seller.id
    assert event.members == {"order_id": order.id, "channel_order_id": "co-1", "code": None}
    assert await workshop.events("order.updated") != []


async def test_what_is_settled_is_looked_at_no_more(workshop: Workshop):
    seller = await a_shop_with(workshop, an_open_order())
    await dispatch(workshop)
    await go_on(workshop)
    await go_on(workshop, 6)
    calls = workshop.channel.calls.total()

    await go_on(workshop, 3600)

    assert workshop.channel.calls.total() == calls
    async with workshop.database.read() as work:
        schedule = (await work.schedules.of([seller.id]))[seller.id][RunKind.ORDER_CHANGES]
    assert schedule.next_at is None


async def test_a_dispatch_that_is_not_carried_out_has_failed_and_says_so(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    workshop.shop().book.ends = Progress.FAILED
    await dispatch(workshop)
    await go_on(workshop)
    await go_on(workshop, 6)

    [change] = await changes(workshop)
    assert (change.stage, change.code) == ("failed", "not_carried_out")
    [event] = await workshop.events("order.dispatch_failed")
    assert event.members["code"] == "not_carried_out"


async def test_a_refused_dispatch_has_failed_with_the_marketplaces_code(workshop: Workshop):
    order = an_open_order()
    await a_shop_with(workshop, order)
    workshop.shop().place(replace(order, state=OrderState.DECLINED))
    await dispatch(workshop)
    await go_on(workshop)

    [change] = await changes(workshop)
    assert (change.stage, change.code, change.reason) == ("failed", "90001", "The order cannot be shipped.")


async def test_a_dispatch_waits_while_the_marketplace_is_at_another_change_of_the_order(workshop: Workshop):
    order = an_open_order()
    await a_shop_with(workshop, order)
    busy = replace(order, progress=OrderProgress(None, Progress.RUNNING), state=OrderState.IN_REVIEW)
    workshop.shop().place(busy)
    await dispatch(workshop)
    await go_on(workshop)
    assert await stages(workshop) == ["requested"]

    workshop.shop().place(order)
    await go_on(workshop, 16)
    await go_on(workshop, 22)

    assert await stages(workshop) == ["accepted"]


async def test_what_the_marketplace_never_shows_has_failed_after_a_day(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    workshop.shop().book.reads = 1000
    await dispatch(workshop)
    for seconds in (0, 6, 30, 3600, 86_390):
        await go_on(workshop, seconds)
        assert await stages(workshop) == ["settling"]

    await go_on(workshop, 86_800)

    [change] = await changes(workshop)
    assert (change.stage, change.code) == ("failed", "not_confirmed")


async def test_parcels_of_one_order_are_told_one_after_the_other_and_the_last_stays(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    await dispatch(workshop)
    await dispatch(workshop, OTHER)
    await go_on(workshop)
    assert (await stages(workshop), told(workshop)) == (["settling", "requested"], ["RM001GB"])

    await go_on(workshop, 6)
    await go_on(workshop, 12)

    assert await stages(workshop) == ["accepted", "accepted"]
    assert shown(workshop) == ["1Z999", "RM001GB"]


async def test_a_tracking_can_be_changed_back(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    for parcel in (PARCEL, OTHER, PARCEL):
        await dispatch(workshop, parcel)
        await go_on(workshop)
        await go_on(workshop, 6)

    assert await stages(workshop) == ["accepted"] * 3
    assert shown(workshop) == ["RM001GB", "1Z999"]


async def test_the_same_parcel_twice_is_told_once(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    first = await dispatch(workshop)
    assert await dispatch(workshop) == first
    await go_on(workshop)
    assert [one.id for one in await dispatch(workshop)] == [one.id for one in first]
    await go_on(workshop, 6)
    assert [one.id for one in await dispatch(workshop)] == [one.id for one in first]
    await go_on(workshop, 12)

    assert told(workshop) == ["RM001GB"]


async def test_a_dispatch_that_failed_can_be_told_again(workshop: Workshop):
    await a_shop_with(workshop, an_open_order())
    workshop.shop().book.ends = Progress.FAILED
    await dispatch(workshop)
    await go_on(workshop)
    await go_on(workshop, 6)
    workshop.shop().book.ends = Progress.DONE

    await dispatch(workshop)
    await go_on(workshop)
    await go_on(workshop, 6)

    assert await stages(workshop) == ["failed", "accepted"]


async def test_an_order_that_cannot_be_told_holds_up_no_other(workshop: Workshop):
    await a_shop_with(workshop, an_open_order(1), an_open_order(2))
    workshop.shop().orders.pop("co-1")
    await dispatch(workshop, number=1)
    await dispatch(workshop, number=2)
    await go_on(workshop)
    await go_on(workshop, 6)

    assert (await stages(workshop, 1), await stages(workshop, 2)) == (["failed"], ["accepted"])


async def test_a_shop_that_is_away_is_told_when_it_is_back(workshop: Workshop):
    seller = await a_shop_with(workshop, an_open_order())
    workshop.channel.fail("dispatch", ChannelUnavailable("marketplace_unavailable", "Away.", did_nothing=True))
    await dispatch(workshop)
    await go_on(workshop)
    assert (await stages(workshop), told(workshop)) == (["requested"], [])

    await go_on(workshop, 20)
    await go_on(workshop, 40)

    assert await stages(workshop) == ["accepted"]
    run = await workshop.due(seller, RunKind.ORDER_CHANGES)
    assert run is not None
    assert run.outcome is Outcome.SUCCESS
