"""Nothing is missed: what the walk along the cursor cannot see, the daily comparison finds, and counts."""

from datetime import datetime, timedelta

import pytest
from msgspec import structs
from tests.flows.goods import an_order, an_unreadable_order
from tests.flows.workshop import Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import Integration
from channel_sync.domain.orders import ChannelOrder, OrderState
from channel_sync.domain.runs import Outcome, Run, RunKind, Trigger


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


def changed(number: int, ago: timedelta, **changes) -> ChannelOrder:
    """An order released an hour before it changed last, which was so long ago."""
    at = utcnow().replace(microsecond=0) - ago
    return an_order(number, updated_at=at, released_at=at - timedelta(hours=1), **changes)


async def a_walked_shop(workshop: Workshop, *more: ChannelOrder) -> Integration:
    """A shop whose orders were walked along up to order 1, of an hour ago."""
    seller = await workshop.connect(orders_from=utcnow() - timedelta(days=60))
    workshop.shop().place(changed(1, timedelta(hours=1)), *more)
    await workshop.run(seller)
    return seller


async def reconcile(workshop: Workshop, seller: Integration) -> Run:
    return await workshop.run(seller, RunKind.RECONCILE, trigger=Trigger.RECONCILE)


async def open_incidents(workshop: Workshop, seller: Integration) -> list[str]:
    async with workshop.database.read() as work:
        return [one.kind for one in (await work.incidents.open_of([seller.id])).get(seller.id, ())]


async def test_a_shop_of_which_nothing_was_missed_says_so(workshop: Workshop):
    seller = await a_walked_shop(workshop, changed(2, timedelta(hours=5)))

    run = await reconcile(workshop, seller)

    assert (run.missing_found, run.outcome, run.counts.seen) == (0, Outcome.NO_CHANGES, 2)
    assert await open_incidents(workshop, seller) == []


async def test_an_order_visible_sixty_seconds_late_comes_with_the_next_walk_once(workshop: Workshop):
    seller = await a_walked_shop(workshop)
    workshop.shop().place(changed(2, timedelta(hours=1, seconds=60)))

    first, again = await workshop.run(seller), await workshop.run(seller)
    run = await reconcile(workshop, seller)

    assert (first.counts.created, again.counts.created, run.counts.created) == (1, 0, 0)
    assert run.missing_found == 0
    assert len(await workshop.events("order.created")) == 2


async def test_an_order_visible_three_hours_late_is_found_by_the_reconciliation_once(workshop: Workshop):
    seller = await a_walked_shop(workshop)
    cursor = await workshop.cursor(seller)
    workshop.shop().place(changed(2, timedelta(hours=4)))

    walked = await workshop.run(seller)
    run = await reconcile(workshop, seller)
    again = await reconcile(workshop, seller)

    assert walked.counts.created == 0
    assert (run.counts.created, run.missing_found, run.outcome) == (1, 1, Outcome.SUCCESS)
    assert (again.counts.created, again.missing_found) == (0, 0)
    assert len(await workshop.events("order.created")) == 2
    assert await workshop.cursor(seller) == cursor


async def test_what_was_missing_is_told_until_a_reconciliation_finds_nothing(workshop: Workshop):
    seller = await a_walked_shop(workshop)
    workshop.shop().place(changed(2, timedelta(hours=4)), an_unreadable_order(3, updated_at=long_ago()))

    run = await reconcile(workshop, seller)
    during = await open_incidents(workshop, seller)
    await reconcile(workshop, seller)

    assert (run.missing_found, run.counts.created, run.counts.held) == (2, 1, 1)
    assert (during, await open_incidents(workshop, seller)) == (["orders_missed"], [])
    told = (await workshop.events("run.finished"))[-1].members
    assert (told["kind"], told["missing_found"]) == ("reconcile", 2)


def long_ago() -> datetime:
    return utcnow() - timedelta(hours=4)


async def test_an_order_that_the_next_walk_will_see_is_not_called_missing(workshop: Workshop):
    seller = await a_walked_shop(workshop)
    workshop.shop().place(changed(2, timedelta(minutes=1)), changed(3, timedelta(hours=1, minutes=9)))

    run = await reconcile(workshop, seller)

    assert (run.counts.created, run.missing_found) == (2, 0)


async def test_a_held_order_whose_reply_differs_is_not_missing(workshop: Workshop):
    seller = await a_walked_shop(workshop)
    held = an_unreadable_order(2, updated_at=long_ago())
    workshop.shop().place(held)
    await reconcile(workshop, seller)
    workshop.shop().place(structs.replace(held, raw=b'{"id": "o-2", "price": "def"}'))

    run = await reconcile(workshop, seller)

    assert (run.counts.held, run.missing_found) == (1, 0)


async def test_what_changed_before_orders_are_wanted_is_left_where_it_is(workshop: Workshop):
    seller = await workshop.connect(orders_from=utcnow() - timedelta(hours=2))
    workshop.shop().place(changed(1, timedelta(hours=1)), changed(2, timedelta(hours=5)))
    await workshop.run(seller)

    run = await reconcile(workshop, seller)

    assert [order.channel_order_id for order in await workshop.orders()] == ["o-1"]
    assert run.missing_found == 0


@pytest.mark.parametrize("state", [OrderState.SHIPPED, OrderState.REFUNDED])
async def test_an_order_that_is_open_here_alone_is_asked_for_and_becomes_what_it_is(
    workshop: Workshop, state: OrderState
):
    seller = await a_walked_shop(workshop, changed(2, timedelta(hours=6)))
    workshop.shop().place(changed(2, timedelta(hours=5), state=state, state_raw=state.upper()))
    await workshop.run(seller)

    run = await reconcile(workshop, seller)

    assert {order.channel_order_id: order.state for order in await workshop.orders()}["o-2"] is state
    assert (run.counts.updated, run.missing_found, workshop.channel.calls["order"]) == (1, 0, 1)


async def test_an_order_that_is_gone_at_the_marketplace_ends_no_reconciliation(workshop: Workshop):
    seller = await a_walked_shop(workshop, changed(2, timedelta(hours=6)))
    del workshop.shop().orders["o-2"]

    run = await reconcile(workshop, seller)

    assert (run.outcome, run.missing_found) == (Outcome.NO_CHANGES, 0)
    assert len(await workshop.orders()) == 2


async def test_a_list_that_is_not_sorted_has_nobody_asked_for_one_by_one(workshop: Workshop):
    seller = await a_walked_shop(workshop, *(changed(number, timedelta(hours=number)) for number in range(2, 6)))
    workshop.shop().sorted_pages = False

    run = await reconcile(workshop, seller)

    assert (run.outcome, run.error and run.error.code) == (Outcome.PARTIAL, "order_list_unsorted")
    assert workshop.channel.calls["order"] == 0


async def test_no_day_is_without_a_reconciliation(workshop: Workshop):
    seller = await workshop.connect()
    await workshop.due(seller, RunKind.RECONCILE)

    async with workshop.database.read() as work:
        schedule = (await work.schedules.of([seller.id]))[seller.id][RunKind.RECONCILE]

    assert schedule.next_at is not None
    assert schedule.next_at < utcnow() + timedelta(days=1)
