"""Pages of orders: Wish pages by time alone, so where to go on is ours to work out (wish-v3.md, section 5.2)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from channel_sync.channels.wish.connection import Connection, Query, segment
from channel_sync.channels.wish.order_jobs import downloaded_orders
from channel_sync.channels.wish.orders import Row, read_order, read_orders
from channel_sync.channels.wish.replies import Family
from channel_sync.channels.wish.times import query_time
from channel_sync.domain.orders import ChannelOrder, OrderPage, OrderQuery, OrderWindow, UnreadableOrder

ORDERS_PATH = "/api/v3/orders"
LIMIT = 500
# Wish keeps times to the millisecond, so nothing lies between one and the next.
_TICK = timedelta(milliseconds=1)
_STATES = ("APPROVED", "SHIPPED", "REFUNDED", "REQUIRE_REVIEW", "DECLINED")


async def order_page(connection: Connection, query: OrderQuery) -> OrderPage:
    """One page, oldest first. An instant with more orders than a page holds comes as one long page."""
    rows = await _rows(connection, query, "APPROVED" if query.only_open else None)
    times = [time for row in rows if (time := _time_of(row, query.window)) is not None]
    is_full = len(rows) >= LIMIT
    if not times:
        return _page(rows, None, is_full)
    if not _ascends(times, query.since):
        return replace(_page(rows, None, is_full), in_order=False)
    if is_full and times[0] == times[-1]:
        rows = await _orders_at(connection, query, times[0], rows)
        return _page(rows, _from(query, times[0] + _TICK), is_full)
    return _page(rows, _from(query, times[-1]), is_full)


async def single_order(connection: Connection, channel_order_id: str) -> OrderPage:
    """A page of the one order as it is now."""
    reply = await connection.get(Family.ORDERS, f"{ORDERS_PATH}/{segment(channel_order_id)}")
    return _page(await read_orders([reply.data], reply.request_id), None, is_full=False)


def kept_order(raw: bytes) -> OrderPage:
    """A page of the one order that a kept reply holds."""
    return _page([read_order(raw, None)], None, is_full=False)


def _page(rows: Sequence[Row], next: OrderQuery | None, is_full: bool) -> OrderPage:
    orders = tuple(row for row in rows if isinstance(row, ChannelOrder))
    unreadable = tuple(row for row in rows if isinstance(row, UnreadableOrder))
    return OrderPage(orders, unreadable, next, is_full)


def _from(query: OrderQuery, since: datetime) -> OrderQuery | None:
    return None if query.until is not None and since > query.until else replace(query, since=since)


def _time_of(row: Row, window: OrderWindow) -> datetime | None:
    if window is OrderWindow.UPDATED:
        return row.updated_at
    return row.released_at if isinstance(row, ChannelOrder) else None


def _ascends(times: Sequence[datetime], since: datetime) -> bool:
    """Whether Wish sorted as asked and heeded the window; `since` may be finer than Wish's milliseconds."""
    return since - times[0] < _TICK and all(a <= b for a, b in pairwise(times))


async def _rows(connection: Connection, query: OrderQuery, state: str | None) -> list[Row]:
    reply = await connection.get(Family.ORDERS, ORDERS_PATH, (*window(query, state), ("limit", str(LIMIT))))
    return await read_orders(reply.read(list[msgspec.Raw]), reply.request_id)


def window(query: OrderQuery, state: str | None) -> Query:
    """The query's window and order in Wish's words."""
    time = "updated_at" if query.window is OrderWindow.UPDATED else "released_at"
    members = [("sort_by", f"{time}.asc"), (f"{time}_min", query_time(query.since))]
    if query.until is not None:
        members.append((f"{time}_max", query_time(query.until)))
    if state is not None:
        members.append(("states", state))
    return tuple(members)


async def _orders_at(
    connection: Connection, query: OrderQuery, instant: datetime, stuck: Sequence[Row]
) -> list[Row]:
    """All orders of an instant that fills a page: the page is the same however often it is asked for.

    Split by state first, which is five quick calls; where that does not reach, Wish's download job does.
    """
    moment = replace(query, since=instant, until=instant)
    rows, is_complete = list(stuck), not query.only_open
    for state in _STATES if is_complete else ():
        part = await _rows(connection, moment, state)
        is_complete = is_complete and len(part) < LIMIT
        rows += part
    if is_complete and _ids(stuck) <= _ids(rows[len(stuck) :]):
        return rows
    texts = downloaded_orders(connection, window(moment, "APPROVED" if query.only_open else None))
    return rows + [row async for row in texts if _time_of(row, query.window) in (instant, None)]


def _ids(rows: Sequence[Row]) -> set[str | None]:
    return {row.channel_order_id for row in rows} - {None}
