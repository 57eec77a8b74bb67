"""One HTTP exchange: bounded in time and bytes, never cancelled, its failures in our words.

Cancelling an httpx call can lose a connection slot for good (httpcore issue 1093). So there is no asyncio.timeout
here: connecting and each wait for bytes have short time-outs of their own, and the deadline is looked at between
chunks.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import aiohttp
import httpx

from channel_sync.channels.wish.replies import Answer, not_understood
from channel_sync.channels.wish.times import wait_from_headers
from channel_sync.domain.errors import ChannelUnavailable

MEGABYTE = 1024 * 1024
_READABLE_ENCODINGS = ("", "identity", "gzip")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long one answer may take in all, and how many bytes it may have when unpacked."""

    seconds: float = 30.0
    max_bytes: int = 16 * MEGABYTE


async def exchange(http: httpx.AsyncClient, request: httpx.Request, bounds: Bounds, now: datetime) -> Answer:
    """The whole answer; ChannelUnavailable when there is none, ReplyNotUnderstood when it has no end."""
    deadline = monotonic() + bounds.seconds
    async with answering(http, request) as response:
        body = b"".join([chunk async for chunk in chunks(response, deadline, bounds.max_bytes)])
        return Answer(
            status=response.status_code,
            body=body,
            is_html=_is_html(response, body),
            request_id=response.headers.get("Wish-Request-Id"),
            remaining=_whole_number(response.headers.get("Wish-Rate-Limit-Remaining")),
            wait_s=wait_from_headers(
                response.headers.get("Wish-Rate-Limit-Reset"), response.headers.get("Retry-After"), now
            ),
        )


@asynccontextmanager
async def answering(http: httpx.AsyncClient, request: httpx.Request) -> AsyncIterator[httpx.Response]:
    """The response as soon as its headers are there. Redirects are not followed."""
    with plain_errors():
        response = await http.send(request, stream=True, auth=None, follow_redirects=False)
        try:
            yield response
        finally:
            await response.aclose()


async def chunks(response: httpx.Response, deadline: float, max_bytes: int) -> AsyncIterator[bytes]:
    """The body, unpacked, while it keeps within its bounds; the deadline is a monotonic time."""
    if response.headers.get("Content-Encoding", "").lower() not in _READABLE_ENCODINGS:
        raise not_understood("bad_encoding", "The reply is packed in a way we did not ask for.")
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > max_bytes:
            raise not_understood("reply_too_large", f"The reply is larger than {max_bytes} bytes.")
        if monotonic() > deadline:
            raise ChannelUnavailable("timeout", "The reply came too slowly.")
        yield chunk


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn the HTTP libraries' exceptions into ours and drop their texts, which may hold a URL with secrets."""
    try:
        yield
    except (httpx.TimeoutException, TimeoutError):
        raise ChannelUnavailable("timeout", "Wish did not answer in time.") from None
    except httpx.DecodingError:
        raise not_understood("bad_encoding", "The reply cannot be unpacked.") from None
    except (httpx.RequestError, aiohttp.ClientError, OSError):
        raise ChannelUnavailable("connection_failed", "The connection to Wish failed.") from None


def _is_html(response: httpx.Response, body: bytes) -> bool:
    return "text/html" in response.headers.get("Content-Type", "") or body[:64].lstrip().startswith(b"<")


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None
