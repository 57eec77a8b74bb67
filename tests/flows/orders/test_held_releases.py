"""Held orders release themselves once their cause is gone, and all of a kind when somebody asks."""

from dataclasses import replace

import pytest
from sqlalchemy import update
from tests.flows.goods import an_order, an_unreadable_order
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.calls import Priority
from channel_sync.domain.errors import ChannelUnavailable, GrantRejected
from channel_sync.domain.integrations import Integration
from channel_sync.domain.orders import OrderState
from channel_sync.persistence.sql.trade_tables import held_orders


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def hold(workshop: Workshop, *numbers: int) -> Integration:
    """A shop of which these orders are held, and were tried by the reader there is."""
    seller = await workshop.connect()
    workshop.shop().place(*(an_unreadable_order(number) for number in numbers))
    await workshop.run(seller)
    await workshop.work.held_releases.run()
    return seller


def learn_to_read(workshop: Workshop, *numbers: int) -> None:
    """A release whose reader takes what these orders look like."""
    shop = workshop.shop()
    for number in numbers:
        shop.readable[shop.orders[f"o-{number}"].raw] = an_order(number)
        shop.place(an_order(number))
    workshop.channel.reader = "reader-2"


async def held(workshop: Workshop) -> int:
    return len((await workshop.rows("held_orders"))["held_orders"])


async def ids(workshop: Workshop) -> set[str]:
    return {order.channel_order_id for order in await workshop.orders()}


async def test_a_new_release_that_can_read_them_turns_held_orders_into_orders_once(workshop: Workshop):
    await hold(workshop, 1, 2, 3)
    learn_to_read(workshop, 1, 3)
    workshop.shop().place(an_order(1, minute=9, state=OrderState.SHIPPED))

    await workshop.work.held_releases.run()
    await workshop.work.held_releases.run()

    stored = {order.channel_order_id: order.state for order in await workshop.orders()}
    assert stored == {"o-1": OrderState.SHIPPED, "o-3": OrderState.APPROVED}
    assert await held(workshop) == 1
    assert len(await workshop.events("order.created")) == 2


async def test_a_reply_that_stays_unreadable_costs_no_call_and_is_read_once(workshop: Workshop):
    await hold(workshop, 1, 2)
    learn_to_read(workshop)
    await workshop.work.held_releases.run()
    before = await workshop.rows("held_orders")

    await workshop.work.held_releases.run()

    assert await workshop.rows("held_orders") == before
    assert workshop.channel.calls["order"] == 0


async def test_another_currency_lets_what_is_held_be_tried_again(workshop: Workshop):
    seller = await hold(workshop, 1)
    shop = workshop.shop()
    shop.readable[shop.orders["o-1"].raw] = an_order(1, currency=None)
    shop.place(an_order(1, currency=None, merchant_revenue=None))
    await workshop.work.held_releases.run()
    before = await ids(workshop)
    async with workshop.database.begin() as work:
        fresh = await work.integrations.get(TENANT, seller.id)
        await work.integrations.save(replace(fresh, default_currency="EUR"))

    await workshop.work.held_releases.run()

    [order] = await workshop.orders()
    assert (before, order.currency, order.currency_defaulted) == (set(), "EUR", True)


async def test_what_a_person_asks_for_is_fetched_anew(workshop: Workshop):
    seller = await hold(workshop, 1, 2)
    workshop.shop().place(an_order(1), an_order(2))
    async with workshop.database.begin() as work:
        nothing = await work.held_orders.ask_for(TENANT, seller.id, "another_reason")
        queued = await work.held_orders.ask_for(TENANT, seller.id, "price_invalid")

    await workshop.work.held_releases.run()

    assert (nothing, queued, await ids(workshop), await held(workshop)) == (0, 2, {"o-1", "o-2"}, 0)


async def test_while_the_grant_is_refused_they_wait_and_are_not_forgotten(workshop: Workshop):
    await hold(workshop, 1)
    learn_to_read(workshop, 1)
    workshop.channel.fail("order", GrantRejected("access_token_rejected", "No."))

    await workshop.work.held_releases.run()
    between = await held(workshop)
    await workshop.work.held_releases.run()

    assert (between, await held(workshop), await ids(workshop)) == (1, 0, {"o-1"})


async def test_the_kept_reply_is_used_while_the_marketplace_is_away(workshop: Workshop):
    await hold(workshop, 1)
    learn_to_read(workshop, 1)
    workshop.channel.fail("order", ChannelUnavailable("outage", "Away."))

    await workshop.work.held_releases.run()

    assert await ids(workshop) == {"o-1"}


async def test_those_of_a_disabled_integration_wait_until_it_is_enabled(workshop: Workshop):
    seller = await hold(workshop, 1)
    learn_to_read(workshop, 1)
    for enabled, expected in ((False, set()), (True, {"o-1"})):
        async with workshop.database.begin() as work:
            fresh = await work.integrations.get(TENANT, seller.id)
            await work.integrations.save(replace(fresh, enabled=enabled))

        await workshop.work.held_releases.run()

        assert await ids(workshop) == expected


async def test_new_orders_go_before_what_is_tried_by_itself(workshop: Workshop):
    await hold(workshop, 1)
    learn_to_read(workshop, 1)
    workshop.channel.priorities.clear()

    await workshop.work.held_releases.run()

    assert (await ids(workshop), workshop.channel.priorities) == ({"o-1"}, {Priority.BACKFILL})


async def test_one_whose_stored_reply_does_not_open_holds_up_no_other(workshop: Workshop):
    await hold(workshop, 1, 2)
    async with workshop.database.session() as session:
        await session.execute(update(held_orders).where(held_orders.c.identity == "o-1").values(raw=b"spoilt"))
    learn_to_read(workshop, 1, 2)

    await workshop.work.held_releases.run()

    assert (await ids(workshop), await held(workshop)) == ({"o-2"}, 1)


async def test_more_than_are_tried_at_once_are_all_tried(workshop: Workshop):
    numbers = range(1, 231)
    await hold(workshop, *numbers)
    learn_to_read(workshop, *numbers)
    workshop.shop().orders.clear()

    await workshop.work.held_releases.run()

    assert (len(await ids(workshop)), await held(workshop)) == (230, 0)
