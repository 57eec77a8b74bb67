"""Pages of orders: Wish pages by time alone, so where to go on is ours to work out (wish-v3.md, section 5.2)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from channel_sync.channels.wish.connection import Connection, Query, segment
from channel_sync.channels.wish.order_jobs import downloaded_orders
from channel_sync.channels.wish.orders import Row, read_order
from channel_sync.channels.wish.read_pages import page_of
from channel_sync.channels.wish.replies import Family, Reply
from channel_sync.channels.wish.times import as_utc, query_time
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
# Some forty orders take about a millisecond; then the event loop has its turn.
_ORDERS_AT_ONCE = 40
# Wish keeps times to the millisecond, so nothing lies between one and the next.
_TICK = timedelta(milliseconds=1)
_STATES = ("APPROVED", "SHIPPED", "REFUNDED", "REQUIRE_REVIEW", "DECLINED")


class _Times(msgspec.Struct, gc=False):
    updated_at: datetime | None = None
    released_at: datetime | None = None


_TIMES = msgspec.json.Decoder(list[_Times])


async def order_page(connection: Connection, query: OrderQuery) -> OrderPage | UnreadPage:
    """One page, oldest first; unread where it is large. An instant with more orders than a page holds comes as one
    long page.
    """
    reply = await _ask(connection, query, "APPROVED" if query.only_open else None)
    times = _times(reply.data, query.window)
    if times is None or len(times) <= _READ_AT_ONCE or _stuck(times):
        return await _read_page(connection, query, reply)
    next, in_order = _after(times, query)
    return UnreadPage(memoryview(reply.data), reply.request_id, next, len(times) >= LIMIT, in_order)


async def _read_page(connection: Connection, query: OrderQuery, reply: Reply) -> OrderPage:
    rows = await _read_orders(reply.read(list[msgspec.Raw]), reply.request_id)
    times = [time for row in rows if (time := _time_of(row, query.window)) is not None]
    is_full = len(rows) >= LIMIT
    next, in_order = _after(times, query)
    if is_full and in_order and _stuck(times):
        rows = await _orders_at(connection, query, times[0], rows)
        next = _from(query, times[0] + _TICK)
    return page_of(rows, next, is_full, in_order)


async def _read_orders(texts: Sequence[msgspec.Raw], request_id: str | None) -> list[Row]:
    """Each order read, in the order given, without blocking the event loop for more than a moment."""
    rows: list[Row] = []
    for start in range(0, len(texts), _ORDERS_AT_ONCE):
        rows += [read_order(bytes(text), request_id) for text in texts[start : start + _ORDERS_AT_ONCE]]
        await asyncio.sleep(0)
    return rows


def _times(texts: msgspec.Raw, window: OrderWindow) -> list[datetime] | None:
    """The time of each order, or None where one has none that can be read at a glance."""
    try:
        rows = _TIMES.decode(texts)
        times = [row.updated_at if window is OrderWindow.UPDATED else row.released_at for row in rows]
        return [as_utc(time) for time in times if time is not None] if None not in times else None
    except (ValueError, OverflowError, RecursionError):
        return None


def _stuck(times: Sequence[datetime]) -> bool:
    """Whether asking again from the last time may bring the same page."""
    return bool(times) and times[0] == times[-1]


def _after(times: Sequence[datetime], query: OrderQuery) -> tuple[OrderQuery | None, bool]:
    """Where to go on, and whether Wish sorted as asked and heeded the window."""
    if not times:
        return None, True
    if not _ascends(times, query.since):
        return None, False
    return _from(query, times[-1]), True


async def single_order(connection: Connection, channel_order_id: str) -> OrderPage:
    """A page of the one order as it is now."""
    reply = await connection.get(Family.ORDERS, f"{ORDERS_PATH}/{segment(channel_order_id)}")
    return page_of(await _read_orders([reply.data], reply.request_id), None, is_full=False)


def kept_order(raw: bytes) -> OrderPage:
    """A page of the one order that a kept reply holds."""
    return page_of([read_order(raw, None)], None, is_full=False)


def _from(query: OrderQuery, since: datetime) -> OrderQuery | None:
    return None if query.until is not None and since > query.until else replace(query, since=since)


def _time_of(row: Row, window: OrderWindow) -> datetime | None:
    if window is OrderWindow.UPDATED:
        return row.updated_at
    return row.released_at if isinstance(row, ChannelOrder) else None


def _ascends(times: Sequence[datetime], since: datetime) -> bool:
    """Whether the times ascend from `since`, which may be finer than Wish's milliseconds."""
    return since - times[0] < _TICK and all(a <= b for a, b in pairwise(times))


async def _ask(connection: Connection, query: OrderQuery, state: str | None) -> Reply:
    return await connection.get(Family.ORDERS, ORDERS_PATH, (*window(query, state), ("limit", str(LIMIT))))


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
        reply = await _ask(connection, moment, state)
        part = await _read_orders(reply.read(list[msgspec.Raw]), reply.request_id)
        is_complete = is_complete and len(part) < LIMIT
        rows += part
    if is_complete and _ids(stuck) <= _ids(rows[len(stuck) :]):
        return rows
    texts = downloaded_orders(connection, window(moment, "APPROVED" if query.only_open else None))
    return rows + [row async for row in texts if _time_of(row, query.window) in (instant, None)]


def _ids(rows: Sequence[Row]) -> set[str | None]:
    return {row.channel_order_id for row in rows} - {None}
