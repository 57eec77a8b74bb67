"""Pages of orders: Wish pages by time alone (published v3 document, July 2026); where to go on is ours."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from channel_sync.channels.http.off_loop import AT_ONCE_BYTES, off_loop
from channel_sync.channels.wish.connection import Query, WishConnection, segment
from channel_sync.channels.wish.order_jobs import downloaded_orders
from channel_sync.channels.wish.orders import Row, read_order
from channel_sync.channels.wish.page_times import times_in, way_on
from channel_sync.channels.wish.read_pages import page_of
from channel_sync.channels.wish.replies import Family, Reply
from channel_sync.channels.wish.rows import rows_of
from channel_sync.channels.wish.times import query_time
from channel_sync.domain.orders import (
    ChannelOrder,
    OrderPage,
    OrderQuery,
    OrderWindow,
    UnreadPage,
)

ORDERS_PATH = "/api/v3/orders"
LIMIT = 500
# More orders than this take longer to read than requests to our API should wait.
_READ_AT_ONCE = 50
# What a read of a single order is refused with for its id (published v3 document 3.0.65, July 2026; 404: seen).
_STATES = ("APPROVED", "SHIPPED", "REFUNDED", "REQUIRE_REVIEW", "DECLINED")


async def order_page(connection: WishConnection, query: OrderQuery) -> OrderPage | UnreadPage:
    """One page, oldest first; unread where it is large. An instant with more orders than a page holds comes as one
    long page.
    """
    asked_at = connection.client.now()
    data, request_id = await _ask(connection, query)
    times = await off_loop(len(data), lambda: times_in(data, query.window))
    is_full = len(times) >= LIMIT
    way = way_on(times, query, is_full, asked_at)
    if way.stuck_at is None and (len(times) > _READ_AT_ONCE or len(data) > AT_ONCE_BYTES):
        return UnreadPage(memoryview(data), request_id, way.next, is_full, way.in_order)
    rows = await _read_orders(data, request_id)
    if way.stuck_at is not None:
        rows = await _orders_at(connection, query, way.stuck_at, rows)
    return page_of(rows, way.next, is_full, way.in_order)


async def _read_orders(data: bytes, request_id: str | None) -> list[Row]:
    """Each order read, in the order given, without blocking the event loop for more than a moment."""
    rows: list[Row] = []
    read_bytes = 0
    for text in await off_loop(len(data), lambda: rows_of(data, request_id)):
        rows.append(read_order(text, request_id))
        read_bytes += len(text)
        if read_bytes > AT_ONCE_BYTES:
            read_bytes = 0
            await asyncio.sleep(0)
    return rows


async def single_order(connection: WishConnection, channel_order_id: str) -> OrderPage:
    """A page of the one order as it is now; `NotAtChannel` where the merchant has none of that id."""
    return page_of_one(await connection.find(Family.ORDERS, f"{ORDERS_PATH}/{segment(channel_order_id)}"))


def page_of_one(reply: Reply) -> OrderPage:
    """A page of the order that the reply holds."""
    return page_of([read_order(bytes(reply.data), reply.request_id)], None, is_full=False)


def kept_order(raw: bytes) -> OrderPage:
    """A page of the one order that a kept reply holds."""
    return page_of([read_order(raw, None)], None, is_full=False)


def _time_of(row: Row, window: OrderWindow) -> datetime | None:
    if window is OrderWindow.UPDATED:
        return row.updated_at
    return row.released_at if isinstance(row, ChannelOrder) else None


async def _ask(
    connection: WishConnection, query: OrderQuery, state: str | None = None
) -> tuple[bytes, str | None]:
    """The list as text, without the reply that it came in: a large page is held in memory once."""
    reply = await connection.get(Family.ORDERS, ORDERS_PATH, (*window(query, state), ("limit", str(LIMIT))))
    return bytes(reply.data), reply.request_id


def window(query: OrderQuery, state: str | None = None) -> Query:
    """The query's window and order in Wish's words, of orders in a state or those that the query wants."""
    state = "APPROVED" if query.only_open else state
    time = "updated_at" if query.window is OrderWindow.UPDATED else "released_at"
    members = [("sort_by", f"{time}.asc"), (f"{time}_min", query_time(query.since))]
    if query.until is not None:
        members.append((f"{time}_max", query_time(query.until)))
    if state is not None:
        members.append(("states", state))
    return tuple(members)


async def _orders_at(
    connection: WishConnection, query: OrderQuery, instant: datetime, stuck: Sequence[Row]
) -> list[Row]:
    """All orders of an instant that fills a page: the page is the same however often it is asked for.

    Split by state first, which is five quick calls; where that does not reach, Wish's download job does.
    """
    moment = replace(query, since=instant, until=instant)
    rows, is_complete = list(stuck), not query.only_open
    for state in _STATES if is_complete else ():
        part = await _read_orders(*await _ask(connection, moment, state))
        is_complete = is_complete and len(part) < LIMIT
        rows += part
    if is_complete and _ids(stuck) <= _ids(rows[len(stuck) :]):
        return rows
    texts = downloaded_orders(connection, window(moment))
    return rows + [row async for row in texts if _time_of(row, query.window) in (instant, None)]


def _ids(rows: Sequence[Row]) -> set[str | None]:
    return {row.channel_order_id for row in rows} - {None}
