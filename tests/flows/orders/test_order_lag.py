"""Up to when we have seen every order: the beginning of the last look that came to the end."""

from datetime import datetime, timedelta

import pytest
import time_machine
from tests.flows.goods import START, an_order, an_unreadable_order
from tests.flows.workshop import Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.freshness import orders_lag_s
from channel_sync.domain.integrations import Integration
from channel_sync.domain.runs import Outcome, RunKind

DOWN = ChannelUnavailable("server_error", "Wish answered 502.")


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def seen_until(workshop: Workshop, seller: Integration) -> datetime | None:
    async with workshop.database.read() as work:
        schedules = (await work.schedules.of([seller.id]))[seller.id]
    return schedules[RunKind.ORDERS].seen_until if RunKind.ORDERS in schedules else None


async def lag_s(workshop: Workshop, seller: Integration) -> int | None:
    return orders_lag_s(await seen_until(workshop, seller), await workshop.cursor(seller), utcnow())


def after(minutes: float) -> time_machine.travel:
    return time_machine.travel(utcnow() + timedelta(minutes=minutes), tick=True)


async def test_a_quiet_shop_that_is_looked_at_has_a_small_lag(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    for _ in range(3):
        await workshop.due(seller)

    lag = await lag_s(workshop, seller)

    assert lag is not None
    assert lag < 30


async def test_it_grows_while_downloads_fail(workshop: Workshop):
    seller = await workshop.connect()
    await workshop.due(seller)
    workshop.channel.break_down("orders", DOWN)

    with after(60):
        run = await workshop.due(seller)
        lag = await lag_s(workshop, seller)

    assert run is not None
    assert run.outcome is Outcome.FAILED
    assert lag is not None
    assert 3590 < lag < 3700


async def test_it_grows_while_the_download_does_not_get_on_although_nothing_fails(workshop: Workshop):
    seller = await workshop.connect()
    await workshop.due(seller)
    workshop.shop().sorted_pages = False
    workshop.shop().place(an_order(1), an_order(2))

    with after(60):
        run = await workshop.due(seller)
        lag = await lag_s(workshop, seller)

    assert run is not None
    assert run.outcome is Outcome.PARTIAL
    assert lag is not None
    assert lag > 3590


async def test_an_order_that_is_held_is_not_missing(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), an_unreadable_order(2))

    run = await workshop.due(seller)

    assert run is not None
    assert run.outcome is Outcome.PARTIAL
    assert await seen_until(workshop, seller) is not None


@pytest.mark.parametrize(
    "members",
    [
        {"window_from": START},
        {"dry_run": True},
        {"kind": RunKind.RECONCILE},
        {"kind": RunKind.LISTINGS},
    ],
)
async def test_only_a_download_of_orders_counts_as_a_look(workshop: Workshop, members: dict):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))

    await workshop.run(seller, **members)

    assert await seen_until(workshop, seller) is None


async def test_a_look_from_a_time_that_has_not_come_is_none(workshop: Workshop):
    seller = await workshop.connect(orders_from=utcnow() + timedelta(days=30))

    await workshop.due(seller)

    assert await seen_until(workshop, seller) is None
