"""A cursor that stands where it cannot have come to, from earlier days or after a clock was set back."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from tests.flows.goods import START, an_order
from tests.flows.workshop import Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import Integration
from channel_sync.persistence.rows.timestamps import micros

YEAR_9999 = datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)
YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


@pytest.fixture(params=["hours", "9999"])
def misplaced(request) -> datetime:
    return YEAR_9999 if request.param == "9999" else utcnow() + timedelta(hours=2)


async def put_cursor(workshop: Workshop, seller: Integration, at: datetime) -> None:
    async with workshop.database.session() as session:
        moved = text("UPDATE accounts SET order_cursor = :at WHERE id = :id")
        await session.execute(moved, {"at": micros(at), "id": seller.account_id})


async def test_it_goes_on_from_the_newest_stored_order_that_is_not_in_the_future(workshop: Workshop, misplaced):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), an_order(2), an_order(50, updated_at=misplaced))
    await workshop.run(seller)
    await put_cursor(workshop, seller, misplaced)
    workshop.shop().place(an_order(3), an_order(4))

    run = await workshop.run(seller)

    assert run.counts.created == 2
    assert await workshop.cursor(seller) == START + timedelta(minutes=4)
    assert (await workshop.run(seller)).counts.news == 0


async def test_without_a_stored_order_it_goes_on_from_the_first_day(workshop: Workshop, misplaced):
    seller = await workshop.connect()
    await put_cursor(workshop, seller, misplaced)
    workshop.shop().place(an_order(1), an_order(2))

    run = await workshop.run(seller)

    assert run.counts.created == 2
    assert await workshop.cursor(seller) == START + timedelta(minutes=2)


async def test_it_is_set_back_also_where_nothing_new_comes(workshop: Workshop, misplaced):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1))
    await workshop.run(seller)
    await put_cursor(workshop, seller, misplaced)
    workshop.shop().orders.clear()

    await workshop.run(seller)

    assert await workshop.cursor(seller) == START + timedelta(minutes=1)


async def test_a_dry_run_looks_from_there_and_moves_nothing(workshop: Workshop, misplaced):
    seller = await workshop.connect()
    await put_cursor(workshop, seller, misplaced)
    workshop.shop().place(an_order(1))

    run = await workshop.run(seller, dry_run=True)

    assert run.counts.created == 1
    assert await workshop.orders() == []
    assert await workshop.cursor(seller) == misplaced


async def test_one_at_the_beginning_of_time_is_as_good_as_none(workshop: Workshop):
    seller = await workshop.connect()
    await put_cursor(workshop, seller, YEAR_1)
    workshop.shop().place(an_order(1))

    assert (await workshop.run(seller)).counts.created == 1
    assert await workshop.cursor(seller) == START + timedelta(minutes=1)
