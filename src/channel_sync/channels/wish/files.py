"""The files a finished job points to: lines or an array on some storage host, read as they arrive."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from time import monotonic

import httpx

from channel_sync.channels.http.addresses import BadAddress, checked_address
from channel_sync.channels.http.exchange import answering, asking, chunks
from channel_sync.channels.http.off_loop import AT_ONCE_BYTES
from channel_sync.channels.http.retries import with_retries
from channel_sync.channels.wish.caps import MOST_ROWS
from channel_sync.channels.wish.client import WishClient
from channel_sync.channels.wish.lines import LineSplitter
from channel_sync.channels.wish.replies import not_understood
from channel_sync.domain.calls import Call, CallContext
from channel_sync.domain.channel import Environment, ShopAccess
from channel_sync.domain.errors import ChannelRefused, ChannelUnavailable

_CHUNKS_AHEAD = 4
# What the reader of a line does for it, however short, is as much work as reading this many bytes.
_A_LINE = 1000
# On average, of a file with more values than a page has: an order or a product has several times as many.
_LEAST_BYTES = 100


async def json_lines(
    client: WishClient, url: str, access: ShopAccess, context: CallContext
) -> AsyncGenerator[bytes, None]:
    """The JSON values of a file, one by one. A file that is one JSON array gives its elements.

    The access token stays here: the storage host has no business with it.
    """
    address = _checked(url, client, access.environment)
    download = await with_retries(lambda: _opened(client, address, context), True, context, client.jitter)
    handed_on = count = size = 0
    try:
        async for line in _lines(download, LineSplitter()):
            count, size = count + 1, size + len(line)
            if count > MOST_ROWS and size < count * _LEAST_BYTES:
                raise not_understood("too_many_rows", "The file has more values than anybody would mean.")
            handed_on += len(line) + _A_LINE
            if handed_on > AT_ONCE_BYTES:
                handed_on = 0
                await asyncio.sleep(0)
            yield line
    finally:
        download.stop()


async def _lines(download: "_Download", splitter: LineSplitter) -> AsyncIterator[bytes]:
    async for chunk in download.chunks():
        for line in splitter.lines(chunk):
            yield line
    for line in splitter.rest():
        yield line


async def _opened(client: WishClient, address: httpx.URL, context: CallContext) -> "_Download":
    """A download whose first bytes are there, so that a failure up to here can be repeated."""
    await client.take_seat(context)
    download = _Download(client, address, context)
    client.start(download.run()).add_done_callback(download.finish)
    try:
        download.first = await download.next_chunk()
    finally:
        if download.first is None:
            download.stop()
    return download


class _Download:
    """Reads in a task of its own, which ends by itself when the reader goes away: httpx is never cancelled."""

    def __init__(self, client: WishClient, address: httpx.URL, context: CallContext) -> None:
        self._client = client
        self._context = context
        self._request = asking("GET", address, {"Accept": "*/*"})
        self._is_wanted = True
        self._room = asyncio.Semaphore(_CHUNKS_AHEAD)
        self._arrived: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        self.first: bytes | None = None

    async def run(self) -> None:
        """Let the chunks arrive, a few ahead of the reader, until the file ends or nobody wants more."""
        at, started, status = self._client.now(), monotonic(), None
        bounds = self._client.limits.file
        try:
            async with answering(self._client.transport, self._request) as response:
                status = response.status_code
                _refuse_status(status)
                async for chunk in chunks(response, started + bounds.seconds, bounds.max_bytes):
                    await self._room.acquire()
                    if not self._is_wanted:
                        return
                    self._arrived.put_nowait(chunk)
        finally:
            duration_ms = round((monotonic() - started) * 1000)
            # As it is sent: unquoted it might have a NUL, which PostgreSQL does not store.
            path = self._request.url.raw_path.partition(b"?")[0].decode()
            self._context.calls.append(Call(at, "GET", path, status, None, duration_ms, None))

    def finish(self, task: asyncio.Task[None]) -> None:
        """Tell the reader how the download ended."""
        self._arrived.put_nowait(asyncio.CancelledError() if task.cancelled() else task.exception())

    async def next_chunk(self) -> bytes | None:
        """The next chunk, or None at the end; raises what ended the download early, or that it was cancelled."""
        arrived = await self._context.unless_cancelled(self._arrived.get())
        if isinstance(arrived, BaseException):
            raise arrived
        self._room.release()
        return arrived

    async def chunks(self) -> AsyncIterator[bytes]:
        """All chunks from the first one on."""
        chunk = self.first
        while chunk is not None:
            yield chunk
            chunk = await self.next_chunk()

    def stop(self) -> None:
        """Let the download end at its next chunk."""
        self._is_wanted = False
        self._room.release()


def _checked(url: str, client: WishClient, environment: Environment) -> httpx.URL:
    """The address, if it is where Wish itself is or on https at a host that the settings allow."""
    try:
        return checked_address(url, client.file_hosts, httpx.URL(client.base_url(environment)))
    except BadAddress as error:
        raise not_understood("bad_file_address", f"Wish names a file where none is read: {error}") from None


def _refuse_status(status: int) -> None:
    if status == 429 or status >= 500:
        raise ChannelUnavailable("server_error", f"The file host answered {status}.")
    if 300 <= status < 400:
        raise not_understood("redirect", "The file host answered with a redirect.")
    if status != 200:
        raise ChannelRefused(f"http_{status}", f"The file host answered {status}.")
