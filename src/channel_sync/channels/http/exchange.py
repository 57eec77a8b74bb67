"""What all who ask others share: a request's headers and time-outs, bounds for the answer, failures in our words.

Cancelling an httpx call can lose a connection slot for good (httpcore issue 1093). So there is no asyncio.timeout
here: connecting and each wait for bytes have short time-outs of their own, and the deadline is looked at between
chunks.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from time import monotonic

import aiohttp
import httpx

from channel_sync.channels.http.transport import Blocked, HeadTooLarge
from channel_sync.domain.errors import NoAnswer, ReplyNotUnderstood

MEGABYTE = 1024 * 1024
# What unpacked bytes are handed on in: a packed chunk of a few kilobytes may become megabytes.
PIECE = 64 * 1024
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "channel-sync"}
_TIME_OUTS = {"timeout": httpx.Timeout(10.0, connect=5.0).as_dict()}
_PLAIN = ("", "identity")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ReplyBounds:
    """How long one answer may take in all, and how many bytes it may have when unpacked."""

    seconds: float = 30.0
    max_bytes: int = 16 * MEGABYTE


def asking(
    method: str, url: httpx.URL | str, headers: Mapping[str, str] | None = None, content: bytes | None = None
) -> httpx.Request:
    """The request with the headers and time-outs that all of ours have; `headers` are more of them or others."""
    headers = _HEADERS if headers is None else {**_HEADERS, **headers}
    return httpx.Request(method, url, headers=headers, content=content, extensions=_TIME_OUTS)


@asynccontextmanager
async def answering(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> AsyncIterator[httpx.Response]:
    """The response as soon as its headers are there."""
    with plain_errors():
        response = await transport.handle_async_request(request)
        try:
            yield response
        finally:
            await response.aclose()


async def chunks(response: httpx.Response, deadline: float, max_bytes: int) -> AsyncIterator[bytes]:
    """The body, unpacked and without a byte order mark, while it keeps within its bounds; the deadline is a
    monotonic time.
    """
    size, start = 0, b""
    async for chunk in _unpacked(response):
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


def _unpacked(response: httpx.Response) -> AsyncIterator[bytes]:
    encoding = response.headers.get("Content-Encoding", "").lower()
    if encoding == "gzip":
        return response.aiter_bytes()
    if encoding not in _PLAIN:
        raise ReplyNotUnderstood("bad_encoding", "The reply is packed in a way we did not ask for.")
    assert isinstance(response.stream, httpx.AsyncByteStream), "So is every asynchronous transport's."
    # Not by `aiter_bytes`, which costs as much for what is not packed: a tenth of a call.
    return aiter(response.stream)


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
