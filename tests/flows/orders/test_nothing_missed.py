"""Lists that lie: pages that drift, times that go back, contents that differ. What is stored is how it is now."""

import asyncio
from datetime import timedelta

import pytest
from msgspec import structs
from tests.flows.goods import START, an_order
from tests.flows.workshop import Workshop

from channel_sync.domain.integrations import Integration
from channel_sync.domain.orders import OrderState
from channel_sync.domain.runs import Counts, Outcome

TRADE = ("orders", "order_versions", "events")
SHIPPED = {"state": OrderState.SHIPPED, "state_raw": "SHIPPED"}


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def incidents(workshop: Workshop, seller: Integration) -> list[str]:
    async with workshop.database.read() as work:
        return [one.kind for one in (await work.incidents.open_of([seller.id])).get(seller.id, ())]


async def told(workshop: Workshop, kind: str = "order.") -> list[str]:
    return [event.type for event in await workshop.events() if event.type.startswith(kind)]


async def test_an_order_on_three_pages_is_one_row_of_its_newest_version_with_an_event_for_each(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number) for number in range(1, 6)))
    await workshop.run(seller)
    for minute in (6, 7):
        workshop.shop().place(an_order(1, minute=minute, transaction_id=f"t-{minute}"))
        await workshop.run(seller)

    stored = {order.channel_order_id: order for order in await workshop.orders()}
    assert (len(stored), stored["o-1"].version, stored["o-1"].transaction_id) == (5, 3, "t-7")
    ours = [event for event in await workshop.events() if event.members.get("channel_order_id") == "o-1"]
    assert [(event.type, event.members["version"]) for event in ours] == [
        ("order.created", 1),
        ("order.updated", 2),
        ("order.updated", 3),
    ]


async def test_two_hundred_orders_that_change_while_pages_are_read_are_all_as_they_are_now(workshop: Workshop):
    seller = await workshop.connect()
    shop = workshop.shop()
    shop.page_size = 50
    shop.place(*(an_order(number) for number in range(1, 401)))
    gate = workshop.channel.hold("orders")
    run = await workshop.queue(seller)
    changed = [an_order(number, minute=400 + number, **SHIPPED) for number in range(1, 201)]

    async def drift() -> None:
        await gate.reached.wait()
        shop.place(*changed)
        gate.open.set()

    await asyncio.gather(workshop.runs.execute(run.id), drift())
    await workshop.run(seller)

    states = {order.channel_order_id: order.state for order in await workshop.orders()}
    assert len(states) == 400
    assert all(states[f"o-{number}"] is OrderState.SHIPPED for number in range(1, 201))
    assert await workshop.cursor(seller) == START + timedelta(minutes=600)


async def test_a_list_that_is_not_sorted_is_told_of_until_it_is_and_the_cursor_stays(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(*(an_order(number) for number in range(1, 6)))
    await workshop.run(seller)
    cursor = await workshop.cursor(seller)
    workshop.shop().place(*(an_order(number) for number in range(6, 9)))
    workshop.shop().sorted_pages = False

    run = await workshop.run(seller)
    during = (await incidents(workshop, seller), await workshop.cursor(seller))
    workshop.shop().sorted_pages = True
    await workshop.run(seller)

    assert (run.outcome, run.counts.created) == (Outcome.PARTIAL, 3)
    assert during == (["orders_unsorted"], cursor)
    assert (await incidents(workshop, seller), len(await workshop.orders())) == ([], 8)
    assert await workshop.cursor(seller) == START + timedelta(minutes=8)
    assert await told(workshop, "incident.") == ["incident.opened", "incident.closed"]


async def test_five_orders_of_one_instant_come_out_of_pages_of_two(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().page_size = 2
    workshop.shop().place(*(an_order(number, minute=5) for number in range(1, 6)), an_order(6, minute=6))

    run = await workshop.run(seller)

    assert (run.counts.created, len(await workshop.orders())) == (6, 6)
    assert workshop.channel.calls["orders"] <= 30


async def test_an_order_whose_time_goes_back_is_what_asking_for_it_says(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1, minute=5, **SHIPPED), an_order(2, minute=6))
    await workshop.run(seller)
    workshop.shop().place(an_order(1, minute=3))

    run = await workshop.run(seller)
    before = await workshop.rows(*TRADE)
    again = await workshop.run(seller)

    [order] = [order for order in await workshop.orders() if order.channel_order_id == "o-1"]
    assert (order.state, order.version, order.channel_updated_at) == (
        OrderState.APPROVED,
        2,
        START + timedelta(minutes=3),
    )
    assert (run.counts.updated, run.counts.ignored, again.counts) == (1, 0, Counts(unchanged=2))
    assert (await told(workshop))[-3:] == ["order.updated", "order.released", "order.upstream_regression"]
    assert await workshop.rows("orders", "order_versions") == {name: before[name] for name in TRADE[:2]}


@pytest.mark.parametrize("listed_is_right", [True, False])
async def test_of_two_contents_of_one_instant_the_one_that_asking_brings_is_stored(
    workshop: Workshop, listed_is_right: bool
):
    seller = await workshop.connect()
    first, other = an_order(1), structs.replace(an_order(1), transaction_id="t-other")
    workshop.shop().place(first)
    await workshop.run(seller)
    workshop.shop().listed["o-1"] = other
    if listed_is_right:
        workshop.shop().place(other)

    runs = [await workshop.run(seller) for _ in range(3)]

    [order] = await workshop.orders()
    expected = ("t-other", 2) if listed_is_right else ("t-1", 1)
    assert (order.transaction_id, order.version) == expected
    assert sum(run.counts.updated for run in runs) == expected[1] - 1


async def test_more_differences_than_can_be_asked_for_are_taken_from_the_list(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(*(an_order(number, minute=5) for number in range(1, 31)))
    await workshop.run(seller)
    workshop.shop().place(*(an_order(number, minute=5, transaction_id="t") for number in range(1, 31)))

    run = await workshop.run(seller)

    assert run.counts.updated == 30
    assert workshop.channel.calls["order"] == 0


async def test_an_order_stored_while_it_was_asked_for_is_not_set_back(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1, minute=5))
    await workshop.run(seller)
    workshop.shop().place(an_order(1, minute=3))
    gate = workshop.channel.hold("order")
    run = await workshop.queue(seller)

    async def meanwhile() -> None:
        await gate.reached.wait()
        workshop.shop().place(an_order(1, minute=9, **SHIPPED))
        await workshop.run(seller, window_from=START)
        workshop.shop().place(an_order(1, minute=3))
        gate.open.set()

    await asyncio.gather(workshop.runs.execute(run.id), meanwhile())

    [order] = await workshop.orders()
    assert (order.state, order.channel_updated_at) == (OrderState.SHIPPED, START + timedelta(minutes=9))
