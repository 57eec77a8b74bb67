"""What every reader of answers shares: bounded in time and bytes, never cancelled, failures in our words.

Cancelling an httpx call can lose a connection slot for good (httpcore issue 1093). So there is no asyncio.timeout
here: connecting and each wait for bytes have short time-outs of their own, and the deadline is looked at between
chunks.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from time import monotonic

import aiohttp
import httpx

from channel_sync.channels.http.http_client import Blocked, HeadTooLarge
from channel_sync.domain.errors import NoAnswer, ReplyNotUnderstood

MEGABYTE = 1024 * 1024
# What unpacked bytes are handed on in: a packed chunk of a few kilobytes may become megabytes.
PIECE = 64 * 1024
_READABLE_ENCODINGS = ("", "identity", "gzip")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ReplyBounds:
    """How long one answer may take in all, and how many bytes it may have when unpacked."""

    seconds: float = 30.0
    max_bytes: int = 16 * MEGABYTE


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
    """The body, unpacked and without a byte order mark, while it keeps within its bounds; the deadline is a
    monotonic time.
    """
    if response.headers.get("Content-Encoding", "").lower() not in _READABLE_ENCODINGS:
        raise ReplyNotUnderstood("bad_encoding", "The reply is packed in a way we did not ask for.")
    size, start = 0, b""
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > max_bytes:
            raise ReplyNotUnderstood("reply_too_large", f"The reply is larger than {max_bytes} bytes.")
        if monotonic() > deadline:
            raise NoAnswer("timeout", "The reply came too slowly.")
        if size - len(chunk) < len(_BYTE_ORDER_MARK):
            start += chunk
            if size < len(_BYTE_ORDER_MARK):
                continue
            chunk, start = start.removeprefix(_BYTE_ORDER_MARK), b""
        for at in range(0, len(chunk), PIECE):
            yield chunk[at : at + PIECE]
    if start:
        yield start


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn the HTTP libraries' exceptions into ours and drop their texts, which may hold a URL with secrets."""
    try:
        yield
    except HeadTooLarge:
        raise ReplyNotUnderstood("headers_too_large", "The reply's headers are larger than we read.") from None
    except Blocked:
        raise ReplyNotUnderstood("blocked_address", "The address is not on the public internet.") from None
    except httpx.ConnectError:
        raise NoAnswer("connection_failed", "There was no connection.", did_nothing=True) from None
    except (httpx.TimeoutException, TimeoutError):
        raise NoAnswer("timeout", "There was no answer in time.") from None
    except httpx.DecodingError:
        raise ReplyNotUnderstood("bad_encoding", "The reply cannot be unpacked.") from None
    except (httpx.RequestError, aiohttp.ClientError, OSError):
        raise NoAnswer("connection_failed", "The connection failed.") from None
