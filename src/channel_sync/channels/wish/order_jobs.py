"""Wish's order download job, for what pages cannot reach."""

from collections.abc import AsyncIterator

from channel_sync.channels.wish.connection import Query, WishConnection, segment
from channel_sync.channels.wish.jobs import job_id, job_of, total_of
from channel_sync.channels.wish.orders import Row, read_order
from channel_sync.channels.wish.replies import Family, Reply
from channel_sync.domain.channel import JobState
from channel_sync.domain.errors import ChannelUnavailable

_PATH = "/api/v3/orders/bulk_get"
# 15 minutes in all (published v3 document 3.0.65, July 2026).
_POLLS_S = (2, 5, 10, 20, *[30] * 29)
_AGAIN_S = 300.0


async def downloaded_orders(connection: WishConnection, query: Query) -> AsyncIterator[Row]:
    """The orders of a window, whatever their number: queue the job, wait for it, read its files."""
    reply = await connection.queue(Family.ORDERS, _PATH, query)
    _, urls = job_of(await _ready(connection, job_id(reply)))
    for url in urls:
        async for line in connection.lines(url):
            yield read_order(line, reply.request_id)


async def counted_orders(connection: WishConnection, query: Query) -> int:
    """How many orders a window has: the job tells it, and its files are left where they are."""
    ready = await _ready(connection, job_id(await connection.queue(Family.ORDERS, _PATH, query)))
    return total_of(ready)


async def _ready(connection: WishConnection, id: str) -> Reply:
    for seconds in _POLLS_S:
        await connection.context.sleep(seconds)
        reply = await connection.get(Family.ORDERS, f"{_PATH}/{segment(id)}")
        match job_of(reply)[0]:
            case JobState.FAILED:
                raise ChannelUnavailable("order_download_failed", "Wish's order download failed.", _AGAIN_S)
            case JobState.READY:
                return reply
            case JobState.PENDING:
                continue
    raise ChannelUnavailable("order_download_late", "Wish's order download takes too long.", _AGAIN_S)
