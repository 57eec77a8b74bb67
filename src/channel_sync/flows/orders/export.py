"""Many orders read one page after the other, at the pace of whoever takes them."""

from collections.abc import AsyncIterator

from channel_sync.persistence.database import Database
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.sql.export_rows import ExportedOrder
from channel_sync.persistence.sql.paging import PageRequest

# On SQLite the event loop works on a page for some 5 ms, and for 15 where it holds addresses.
_AT_ONCE = 200


async def exported_orders(
    database: Database, tenant: str, query: OrderFeedQuery, personal: bool
) -> AsyncIterator[list[ExportedOrder]]:
    """Pages of all that fit, in the order they were stored; one that changes meanwhile comes again.

    Each page is a short transaction of its own: nothing is open while a page is taken, however long that takes.
    """
    request = PageRequest(_AT_ONCE)
    while True:
        async with database.read() as work:
            page = await work.orders.exported(tenant, query, request, personal)
        if page.items:
            yield page.items
        if page.next is None:
            return
        request = PageRequest(_AT_ONCE, page.next)
