"""What is to be shipped soon is found without going through everything that was ever sold."""

import pytest
from tests.factories import NOW
from tests.persistence.plans import plans_of, postgres_plans_of

from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.sql.paging import PageRequest

TO_SHIP = OrderFeedQuery(ship_by_before=NOW)
FIRST = PageRequest(50, None)


def feed(work):
    return work.orders.feed("acme", TO_SHIP, FIRST, personal=False)


def near(work):
    return work.ship_by.near(NOW, 24, 500)


@pytest.mark.parametrize("ask", [feed, near])
async def test_sqlite_looks_into_the_index_of_what_is_to_be_shipped(sqlite_database, ask):
    plans = await plans_of(sqlite_database, ask)
    assert any("ix_orders_to_ship" in step for step in plans), plans


@pytest.mark.unused_store
@pytest.mark.parametrize("ask", [feed, near])
async def test_postgres_can_look_into_it_too(postgres_database, ask):
    plans = await postgres_plans_of(postgres_database, ask)
    assert any("ix_orders_to_ship" in step for step in plans), plans
