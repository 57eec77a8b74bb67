"""The HTTP client for what this process asks of others in production."""

import asyncio
import logging
import re
from collections.abc import Collection, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from channel_sync.channels.http.addresses import BlockedAddress, public_socket

CONNECT_S = 5.0
READ_S = 10.0
HEADERS_S = 30.0
_KEEP_ALIVE_S = 30.0
# Of one line of an answer's head, and how many lines there may be. aiohttp's own 8190 bytes are less than some
# cookies take, and what it does not read it reports like a connection that failed.
_LINE_BYTES = 64 * 1024
_HEADERS = 256
# Both come as the same exception as what is no HTTP at all.
_TOO_LARGE = re.compile("Got more than|Too many headers")


def http_client(concurrency: int, headers_s: float = HEADERS_S) -> httpx.AsyncClient:
    """The client for at most `concurrency` calls at once; close it with `aclose`.

    `headers_s` bounds the time to an answer's last header.
    aiohttp carries it: a shared plain httpx pool collapses beyond 16 calls at once.
    """
    return _client(_transport(concurrency, headers_s))


def guarded_http_client(
    concurrency: int, trusted: Collection[str], headers_s: float = HEADERS_S
) -> httpx.AsyncClient:
    """The same, but it connects to public addresses only, apart from the origins of these `trusted` addresses."""
    open_ = _transport(concurrency, headers_s)
    guarded = _transport(concurrency, headers_s, public_socket)
    return _client(guarded, {str(httpx.URL(address).copy_with(raw_path=b"/")): open_ for address in trusted})


def _client(
    transport: httpx.AsyncBaseTransport, mounts: Mapping[str, httpx.AsyncBaseTransport] | None = None
) -> httpx.AsyncClient:
    # At INFO httpx logs whole URLs, and that of a token refresh may hold the client secret.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        transport=transport,
        mounts=mounts,
        timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
        headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "channel-sync"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        trust_env=False,
    )


class HeadTooLarge(aiohttp.ClientError):
    """The answer's head is larger than we read. The other side is there."""


class Blocked(aiohttp.ClientError):
    """The address may not be connected to, and was not."""


class AnswerLost(aiohttp.ClientError):
    """The connection ended before the answer: what was asked for may have been done, and repeating it is ours."""


def _transport(
    concurrency: int, headers_s: float, socket_factory: aiohttp.SocketFactoryType | None = None
) -> AiohttpTransport:
    return AiohttpTransport(client=lambda: _session(concurrency, headers_s, socket_factory), trust_env=False)


def _session(
    concurrency: int, headers_s: float, socket_factory: aiohttp.SocketFactoryType | None
) -> aiohttp.ClientSession:
    """Without the cookies that the transport's own session keeps: accounts share this one."""
    connector = aiohttp.TCPConnector(
        limit=concurrency,
        ssl=httpx.create_ssl_context(trust_env=False),
        keepalive_timeout=_KEEP_ALIVE_S,
        socket_factory=socket_factory,
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
