"""Wish's order download job, for histories that are long and for what pages cannot reach."""

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

import msgspec

from channel_sync.channels.http.off_loop import off_loop
from channel_sync.channels.wish.caps import MEGABYTE, MOST_ORDER_BYTES
from channel_sync.channels.wish.connection import Query, WishConnection, segment
from channel_sync.channels.wish.jobs import job_id, order_job_of
from channel_sync.channels.wish.order_texts import order_texts
from channel_sync.channels.wish.orders import Row, read_order
from channel_sync.channels.wish.read_pages import page_of
from channel_sync.channels.wish.replies import Family, not_understood
from channel_sync.channels.wish.rows import is_whole
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.job_state import JobState
from channel_sync.domain.order_files import OrderFilePart, OrderJob
from channel_sync.domain.orders import UnreadPage

_PATH = "/api/v3/orders/bulk_get"
# 15 minutes in all (published v3 document 3.0.65, July 2026).
_POLLS_S = (2, 5, 10, 20, *[30] * 29)
_AGAIN_S = 300.0
# As many as a page has, or as much as some hundred take.
_VALUES_A_PART = 500
_PART_BYTES = MEGABYTE
_RAW = msgspec.json.Decoder(msgspec.Raw)


async def start_order_job(connection: WishConnection, query: Query) -> str:
    """The id of a new download of the query's orders."""
    return job_id(await connection.queue(Family.ORDERS, _PATH, query))


async def order_job(connection: WishConnection, id: str) -> OrderJob:
    """Where the download is."""
    return order_job_of(await connection.get(Family.ORDERS, f"{_PATH}/{segment(id)}"))


async def order_file(
    connection: WishConnection, job: OrderJob, number: int, passed: int
) -> AsyncIterator[OrderFilePart]:
    """The orders of a file behind those `passed`; it is not understood if it breaks off within one."""
    part, count, waiting = _Part(job.channel_request_id), 0, b""
    async with aclosing(order_texts(connection, job.file_urls[number])) as texts:
        async for text in texts:
            if count > passed:
                await part.add(waiting)
                for filled in part.taken(is_last=False):
                    yield filled
            count, waiting = count + 1, text
    if count > passed:
        if not _is_json(waiting) and not is_whole(waiting):
            raise not_understood("file_truncated", "The file of orders breaks off.", job.channel_request_id)
        await part.add(waiting)
    for filled in part.taken(is_last=True):
        yield filled


async def downloaded_orders(connection: WishConnection, query: Query) -> AsyncIterator[Row]:
    """The orders of a window, whatever their number: queue the job, wait for it, read its files."""
    job = await _ready(connection, await start_order_job(connection, query))
    for url in job.file_urls:
        async for text in order_texts(connection, url):
            yield read_order(text, job.channel_request_id)


async def _ready(connection: WishConnection, id: str) -> OrderJob:
    for seconds in _POLLS_S:
        await connection.context.sleep(seconds)
        job = await order_job(connection, id)
        match job.state:
            case JobState.FAILED:
                raise ChannelUnavailable("order_download_failed", "Wish's order download failed.", _AGAIN_S)
            case JobState.READY:
                return job
            case JobState.PENDING:
                continue
    raise ChannelUnavailable("order_download_late", "Wish's order download takes too long.", _AGAIN_S)


@dataclass(slots=True)
class _Part:
    """Values of a file on their way to be stored. Those that no list could hold are read, the others stay text."""

    request_id: str | None
    _texts: list[bytes] = field(default_factory=list)
    _odd: list[Row] = field(default_factory=list)
    _bytes: int = 0

    async def add(self, text: bytes) -> None:
        self._bytes += len(text)
        if len(text) <= MOST_ORDER_BYTES and _is_json(text):
            self._texts.append(text)
        else:
            self._odd.append(await off_loop(len(text), partial(read_order, text, self.request_id)))

    def taken(self, is_last: bool) -> Iterator[OrderFilePart]:
        """What there is, once it is enough."""
        count = len(self._texts) + len(self._odd)
        if not count or not (is_last or count >= _VALUES_A_PART or self._bytes >= _PART_BYTES):
            return
        if self._texts:
            content = b"[" + b",".join(self._texts) + b"]"
            unread = UnreadPage(content, self.request_id, next=None, full=True)
            yield OrderFilePart(unread, 0 if self._odd else count)
        if self._odd:
            yield OrderFilePart(page_of(self._odd, next=None, is_full=True), count)
        self._texts, self._odd, self._bytes = [], [], 0


def _is_json(text: bytes) -> bool:
    try:
        _RAW.decode(text)
    except (ValueError, RecursionError):
        return False
    return True
