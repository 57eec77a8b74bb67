"""Orders that the marketplace dates in the future: stored, marked, told once, and in nobody's way."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs
from tests.flows.goods import START, an_order, an_unreadable_order
from tests.flows.workshop import Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.orders import Flaw, OrderState
from channel_sync.domain.runs import Outcome

TRADE = ("orders", "held_orders", "events", "accounts", "incidents")
YEAR_9999 = datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


@pytest.fixture(params=["hours", "years", "9999"])
def future(request) -> datetime:
    ahead = {"hours": utcnow() + timedelta(hours=2), "years": utcnow() + timedelta(days=400), "9999": YEAR_9999}
    return ahead[request.param]


@pytest.fixture(params=["readable", "held"])
def dated_ahead(request, future):
    """An order dated ahead, or one that cannot be read either."""
    return (
        an_order(50, updated_at=future)
        if request.param == "readable"
        else an_unreadable_order(50, updated_at=future)
    )


async def incidents(workshop: Workshop, integration_id: str) -> list[str]:
    async with workshop.database.read() as work:
        return [one.kind.value for one in (await work.incidents.open_of([integration_id])).get(integration_id, [])]


async def ids(workshop: Workshop) -> set[str]:
    return {order.channel_order_id for order in await workshop.orders()}


async def test_what_comes_after_an_order_dated_ahead_comes_in(workshop: Workshop, dated_ahead):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), an_order(2))
    await workshop.run(seller)
    workshop.shop().place(dated_ahead)
    run = await workshop.run(seller)
    assert run.counts.news == 1
    assert await workshop.cursor(seller) == START + timedelta(minutes=2)

    workshop.shop().place(an_order(3), an_order(1, minute=4, state=OrderState.REFUNDED))
    await workshop.run(seller)

    assert await ids(workshop) >= {"o-1", "o-2", "o-3"}
    [first] = [order for order in await workshop.orders() if order.channel_order_id == "o-1"]
    assert first.state is OrderState.REFUNDED
    assert await workshop.cursor(seller) == START + timedelta(minutes=4)


async def test_it_is_stored_as_it_is_marked_and_told_once(workshop: Workshop, future):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), an_order(50, updated_at=future))
    for _ in range(3):
        await workshop.run(seller)

    [_, ahead] = await workshop.orders()
    assert ahead.channel_updated_at == future
    assert [note.code for note in ahead.notes] == [Flaw.UPDATED_IN_FUTURE]
    assert await incidents(workshop, seller.id) == ["orders_dated_ahead"]
    assert len(await workshop.events("incident.opened")) == 1
    assert len(await workshop.events("order.created")) == 2


async def test_the_same_again_writes_nothing(workshop: Workshop, dated_ahead):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), dated_ahead)
    await workshop.run(seller)
    before = await workshop.rows(*TRADE)

    run = await workshop.due(seller)

    assert run is not None
    assert run.outcome is Outcome.NO_CHANGES
    assert await workshop.rows(*TRADE) == before


async def test_the_incident_ends_with_the_order(workshop: Workshop, dated_ahead):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), dated_ahead)
    await workshop.run(seller)
    workshop.shop().place(an_order(50, minute=10))

    for _ in range(2):
        await workshop.run(seller)
        assert await incidents(workshop, seller.id) == []

    assert len(await workshop.events("incident.closed")) == 1
    assert await workshop.cursor(seller) == START + timedelta(minutes=10)


async def test_another_process_ends_the_incident_too(workshop: Workshop, future):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), an_order(50, updated_at=future))
    await workshop.run(seller)
    del workshop.shop().orders["o-50"]

    await workshop.another().run(seller)

    assert await incidents(workshop, seller.id) == []


async def test_its_own_changes_come_in_although_they_are_dated_before_it(workshop: Workshop, future):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1, updated_at=future))
    await workshop.run(seller)
    workshop.shop().place(an_order(1, minute=5, state=OrderState.SHIPPED))

    run = await workshop.run(seller)

    assert run.counts.updated == 1
    [order] = await workshop.orders()
    assert (order.state, order.version, order.notes) == (OrderState.SHIPPED, 2, ())
    assert (await workshop.run(seller)).counts.news == 0


async def test_an_order_that_is_dated_ahead_later_is_updated_once(workshop: Workshop, future):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    await workshop.run(seller)
    workshop.shop().place(structs.replace(an_order(1), updated_at=future))

    counts = [(await workshop.run(seller)).counts.updated for _ in range(3)]

    assert counts == [1, 0, 0]


async def test_many_more_than_a_page_are_stored_and_new_ones_come_in(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().page_size = 3
    future = utcnow() + timedelta(days=30)
    ahead = [an_order(100 + number, updated_at=future + timedelta(minutes=number)) for number in range(10)]
    workshop.shop().place(an_order(1), an_order(2), *ahead)
    await workshop.run(seller)
    workshop.shop().place(an_order(3), an_order(4))
    await workshop.run(seller)

    assert len(await ids(workshop)) == 14
    assert await workshop.cursor(seller) == START + timedelta(minutes=4)


async def test_a_backfill_and_a_second_look_say_nothing_of_it(workshop: Workshop, future):
    seller = await workshop.connect()
    workshop.shop().place(an_order(50, updated_at=future))

    run = await workshop.run(seller, window_from=START)

    assert run.counts.created == 1
    assert await incidents(workshop, seller.id) == []
    assert await workshop.cursor(seller) is None
