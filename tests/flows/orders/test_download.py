import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from tests.flows.goods import START, an_order
from tests.flows.workshop import TENANT, Workshop
from tests.stores import ON_SQLITE

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.orders import ChannelOrder, UnreadableOrder
from channel_sync.domain.runs import Outcome, RunStatus

TRADE = ("orders", "held_orders", "listings", "events", "accounts")


class RestlessOrders(dict[str, ChannelOrder | UnreadableOrder]):
    """Changed now, whenever that is asked."""

    def values(self) -> Any:
        return [structs.replace(order, updated_at=utcnow()) for order in super().values()]


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_a_page_that_fails_keeps_the_earlier_ones_and_the_next_run_goes_on_there(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().page_size = 3
    workshop.shop().place(*(an_order(number) for number in range(1, 10)))
    gate = workshop.channel.hold("orders")
    first = asyncio.create_task(workshop.run(seller))
    await gate.reached.wait()
    second = workshop.channel.hold("orders")
    gate.open.set()
    await second.reached.wait()
    workshop.channel.fail("orders", ChannelUnavailable("server_error", "Down."))
    second.open.set()
    failed = await first

    assert (failed.outcome, failed.error and failed.error.code) == (Outcome.FAILED, "server_error")
    assert len(await workshop.orders()) == 3
    assert await workshop.cursor(seller) == START + timedelta(minutes=3)

    resumed = await workshop.run(seller)
    assert resumed.outcome is Outcome.SUCCESS
    assert len(await workshop.orders()) == 9
    assert len(await workshop.events("order.created")) == 9


async def test_an_unsorted_page_is_stored_but_the_cursor_does_not_pass_it(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), an_order(2), an_order(3))
    workshop.shop().sorted_pages = False

    run = await workshop.run(seller)

    assert len(await workshop.orders()) == 3
    assert (run.outcome, run.error and run.error.code) == (Outcome.PARTIAL, "order_list_unsorted")
    assert await workshop.cursor(seller) is None


async def test_a_walk_ends_where_orders_change_with_every_look_at_them(workshop: Workshop):
    seller = await workshop.connect()
    shop = workshop.shop()
    shop.orders = RestlessOrders()
    shop.place(an_order(1), an_order(2))

    run = await workshop.run(seller)

    assert (run.outcome, run.counts.created) == (Outcome.SUCCESS, 2)
    assert workshop.channel.calls["orders"] == 1


async def test_a_cancelled_run_stops_at_its_next_page(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number) for number in range(1, 20)))
    gate = workshop.channel.hold("orders")
    run = await workshop.queue(seller)
    running = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()

    await workshop.runs.cancel(TENANT, run.id)
    gate.open.set()
    await running

    assert (await workshop.look(run)).status is RunStatus.CANCELLED
    assert workshop.channel.calls["orders"] == 1
    assert len(await workshop.orders()) == 2


async def test_disabling_an_integration_stops_its_run_before_the_next_call(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number) for number in range(1, 20)))
    gate = workshop.channel.hold("orders")
    run = await workshop.queue(seller)
    running = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    async with workshop.database.begin() as work:
        await work.integrations.save(replace(seller, enabled=False))
        await work.runs.cancel_for(seller.id)

    await workshop.runs.stop_marked()
    gate.open.set()
    await running

    assert (await workshop.look(run)).status is RunStatus.CANCELLED
    assert workshop.channel.calls["orders"] == 1


@ON_SQLITE
async def test_a_run_that_somebody_else_closed_writes_nothing_more(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    gate = workshop.channel.hold("orders")
    run = await workshop.queue(seller)
    running = asyncio.create_task(workshop.runs.execute(run.id))
    await gate.reached.wait()
    await workshop.another().runs.take_over()

    gate.open.set()
    await running

    assert (await workshop.look(run)).status is RunStatus.INTERRUPTED
    assert await workshop.orders() == []
    assert await workshop.cursor(seller) is None


@ON_SQLITE
@pytest.mark.parametrize(("pages_ahead", "asked"), [(16, 3), (1, 2), (0, 1)])
async def test_the_next_pages_are_fetched_while_one_is_stored_if_there_is_room(
    database, pages_ahead: int, asked: int
):
    workshop = Workshop(database, pages_ahead=pages_ahead)
    seller = await workshop.connect()
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number) for number in range(1, 10)))
    gate = workshop.channel.hold("orders")
    running = asyncio.create_task(workshop.run(seller))
    await gate.reached.wait()
    async with workshop.database.begin():
        gate.open.set()
        await asyncio.sleep(0.1)
        while_storing = workshop.channel.calls["orders"]
    run = await running

    assert while_storing == asked
    assert run.counts.created == 9
