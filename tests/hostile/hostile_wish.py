"""A Wish that answers every operation as it should, but for those replies that a test spoils."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from tests.channels.factories import BASE, NOW, HastyContext, an_access, limits
from tests.hostile import replies

from channel_sync.channels.wish.client import WishClient
from channel_sync.channels.wish.connection import WishConnection
from channel_sync.channels.wish.shop import WishShop
from channel_sync.domain.calls import Priority
from channel_sync.domain.channel import Environment

API = "/api/v3"
FILE = "/files/1"
_PIECE = 16 * 1024

Route = tuple[str, str]


def _lines(*documents: Any) -> bytes:
    return b"\n".join(json.dumps(document).encode() for document in documents)


def envelope(data: bytes) -> bytes:
    """A success with that text as its data."""
    return b'{"code":0,"message":"","data":' + data + b"}"


async def _in_pieces(body: bytes) -> AsyncIterator[bytes]:
    """As the body comes from a socket."""
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]
        await asyncio.sleep(0)


GOOD: dict[Route, bytes] = {
    route: envelope(json.dumps(data).encode())
    for route, data in {
        ("GET", f"{API}/orders"): [replies.order()],
        ("GET", f"{API}/orders/o1"): replies.order(),
        ("GET", f"{API}/orders/shipping_carriers"): replies.CARRIERS,
        ("PUT", f"{API}/orders/o1/tracking"): replies.changing("UPDATE_TRACKING"),
        ("GET", f"{API}/orders/o1/refund_reasons"): replies.REASONS,
        ("PUT", f"{API}/orders/o1/refund"): replies.changing("REFUND"),
        ("POST", f"{API}/orders/bulk_get"): replies.QUEUED,
        ("GET", f"{API}/orders/bulk_get/job1"): replies.JOB,
        ("POST", f"{API}/products/bulk_get"): replies.QUEUED,
        ("GET", f"{API}/products/bulk_get/job1"): replies.JOB,
        ("GET", f"{API}/products"): [replies.CHANGED],
        ("GET", f"{API}/products/p1"): replies.product(),
        ("PUT", f"{API}/products/p1"): replies.product(),
        ("POST", f"{API}/products/bulk_update"): replies.QUEUED,
        ("GET", f"{API}/products/bulk_update/job1"): replies.JOB,
        ("GET", f"{API}/oauth/test"): replies.MERCHANT,
        ("GET", f"{API}/merchant/account_details"): replies.ACCOUNT,
        ("GET", f"{API}/merchant/warehouses"): replies.WAREHOUSES,
        ("POST", f"{API}/oauth/access_token"): replies.TOKENS,
        ("GET", f"{API}/oauth/refresh_token"): replies.TOKENS,
    }.items()
}


@dataclass
class HostileWish:
    """`spoilt` are whole bodies by method and path, in place of the good ones; `asked` is what was asked for."""

    spoilt: dict[Route, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    asked: set[Route] = field(default_factory=set)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The reply to one call."""
        route = request.method, request.url.path
        self.asked.add(route)
        if route in self.spoilt:
            return httpx.Response(self.status, headers=self.headers, content=_in_pieces(self.spoilt[route]))
        return httpx.Response(200, content=GOOD.get(route, b'{"code":90001,"message":"","data":{}}'))


def client_of(wish: HostileWish) -> WishClient:
    """The client as the service has it, on a connection to that Wish."""
    urls = dict.fromkeys(Environment, BASE)
    bounds = limits(rate_per_s=10_000.0)
    transport = httpx.MockTransport(wish.answer)
    return WishClient(transport, urls, bounds, now=lambda: NOW, jitter=lambda seconds: seconds / 10_000)


def shop_of(client: WishClient) -> tuple[WishConnection, WishShop]:
    """A shop there, whose waits take no time."""
    connection = WishConnection(client, an_access(), HastyContext(Priority.ORDERS))
    return connection, WishShop(connection)
