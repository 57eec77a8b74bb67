"""Storing and reading orders in tests."""

from sqlalchemy import text
from tests.factories import NOW, TENANT
from tests.stored import order_rows

from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.sql.paging import PageRequest


async def store(database, account, *orders, now=NOW, currency="EUR"):
    async with database.begin() as work:
        return await work.orders.store_rows(account, order_rows(database, account, orders, now, currency))


async def feed(database, tenant=TENANT, **query):
    async with database.read() as work:
        page = await work.orders.feed(tenant, OrderFeedQuery(**query), PageRequest(1000), personal=True)
    return page.items


async def rows(database):
    """Every row as it lies in the table."""
    async with database.session() as session:
        return [tuple(row) for row in await session.rows(text("SELECT * FROM orders ORDER BY id"))]
