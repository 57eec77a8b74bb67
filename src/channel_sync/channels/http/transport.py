"""What carries the calls of this process in production.

There is no httpx client above it: redirects, cookies, credentials and the proxies of its surroundings are what one
adds, none of which we want.
"""

import asyncio
import re
import ssl
from collections.abc import Collection

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from channel_sync.channels.http.addresses import BlockedAddress, origin, public_socket

HEADERS_S = 30.0
_KEEP_ALIVE_S = 30.0
# Of one line of an answer's head, and how many lines there may be. aiohttp's own 8190 bytes are less than some
# cookies take, and what it does not read it reports like a connection that failed.
_LINE_BYTES = 64 * 1024
_HEADERS = 256
# Both come as the same exception as what is no HTTP at all.
_TOO_LARGE = re.compile("Got more than|Too many headers")


def open_transport(
    concurrency: int, headers_s: float = HEADERS_S, socket_factory: aiohttp.SocketFactoryType | None = None
) -> httpx.AsyncBaseTransport:
    """The transport of at most `concurrency` calls at once; close it with `aclose`.

    `headers_s` bounds the time to an answer's last header.
    aiohttp carries it: a shared plain httpx pool collapses beyond 16 calls at once.
    """
    tls = httpx.create_ssl_context(trust_env=False)
    return AiohttpTransport(
        tls, client=lambda: _session(concurrency, headers_s, socket_factory, tls), trust_env=False
    )


class GuardedTransport(httpx.AsyncBaseTransport):
    """The same, but it connects to public addresses only, apart from the origins of these `trusted` addresses."""

    def __init__(self, concurrency: int, trusted: Collection[str], headers_s: float = HEADERS_S) -> None:
        self._trusted = frozenset(origin(httpx.URL(address)) for address in trusted)
        self._open = open_transport(concurrency, headers_s)
        self._guarded = open_transport(concurrency, headers_s, public_socket)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer as soon as its headers are there."""
        transport = self._open if origin(request.url) in self._trusted else self._guarded
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._open.aclose()
        await self._guarded.aclose()


class HeadTooLarge(aiohttp.ClientError):
    """The answer's head is larger than we read. The other side is there."""


class Blocked(aiohttp.ClientError):
    """The address may not be connected to, and was not."""


class AnswerLost(aiohttp.ClientError):
    """The connection ended before the answer: what was asked for may have been done, and repeating it is ours."""


def _session(
    concurrency: int, headers_s: float, socket_factory: aiohttp.SocketFactoryType | None, tls: ssl.SSLContext
) -> aiohttp.ClientSession:
    """Without the cookies that the transport's own session keeps: accounts share this one."""
    connector = aiohttp.TCPConnector(
        limit=concurrency, ssl=tls, keepalive_timeout=_KEEP_ALIVE_S, socket_factory=socket_factory
    )

    async def end_dripping_headers(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """The time-out between two bytes does not end headers that drip in.

        This cancels inside aiohttp, which closes the connection and frees its slot; the httpx call just fails.
        """
        async with asyncio.timeout(headers_s):
            return await send(request)

    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(end_dripping_headers, _send_once),
        max_line_size=_LINE_BYTES,
        max_field_size=_LINE_BYTES,
        max_headers=_HEADERS,
    )


async def _send_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp would send GET and PUT again by itself after these errors, past journal, budget and retry table."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError as error:
        # There was no connection, so nothing was sent; aiohttp does not repeat these.
        if isinstance(error.os_error, BlockedAddress):
            raise Blocked from None
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise AnswerLost from None
    except aiohttp.ClientResponseError as error:
        if _TOO_LARGE.match(error.message):
            raise HeadTooLarge from None
        raise
