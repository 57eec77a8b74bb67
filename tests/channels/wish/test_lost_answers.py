"""A connection that is cut before the answer: every request that Wish sees is one that we decided on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from tests.channels.factories import APP, NOW, HastyContext, a_server, an_access, limits

from channel_sync.channels.http.transport import open_transport
from channel_sync.channels.wish.client import WishClient
from channel_sync.channels.wish.connection import WishConnection
from channel_sync.channels.wish.oauth import redeem, renew
from channel_sync.channels.wish.replies import Family
from channel_sync.domain.calls import Priority
from channel_sync.domain.channel import Consent, Environment
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.secrets import Secret

CONSENT = Consent(Secret("code"), Secret("verifier"), "https://us.test/wish/callback")
FINE = b'HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{"code":0,"data":null}'


@dataclass
class CuttingWish:
    """Takes every request whole, answers the first ones and then cuts the connection instead."""

    answers: int
    requests: int = 0

    async def serve(self, reader, writer) -> None:
        while self.answers:
            self.answers -= 1
            self.requests += 1
            writer.write(FINE)
            await writer.drain()
            await reader.readuntil(b"\r\n\r\n")
        self.requests += 1


@asynccontextmanager
async def a_shop_at(wish: CuttingWish) -> AsyncIterator[WishConnection]:
    """A connection through the transport that production has; it is kept alive after each of the answers."""
    async with a_server(wish.serve) as address, open_transport(2) as transport:
        urls = dict.fromkeys(Environment, address)
        client = WishClient(transport, urls, limits(), lambda: NOW, lambda seconds: seconds / 1000)
        shop = WishConnection(client, an_access(), HastyContext(Priority.ORDERS))
        for _ in range(wish.answers):
            await shop.get(Family.ORDERS, "/answered")
        yield shop


@pytest.mark.parametrize("answers", [0, 1], ids=["fresh", "kept"])
@pytest.mark.parametrize(
    ("call", "tries"),
    [
        (lambda shop: shop.get(Family.ORDERS, "/x"), 3),
        (lambda shop: shop.put(Family.PRODUCTS, "/x", {"a": 1}), 1),
        (lambda shop: shop.post(Family.PRODUCTS, "/x", [1]), 1),
        (lambda shop: shop.queue(Family.PRODUCTS, "/x"), 1),
    ],
    ids=["get", "put", "post", "post-once"],
)
async def test_wish_sees_no_call_that_is_not_in_the_journal(
    call: Callable[[WishConnection], Awaitable[object]], tries: int, answers: int
):
    wish = CuttingWish(answers)
    async with a_shop_at(wish) as shop:
        with pytest.raises(ChannelUnavailable) as raised:
            await call(shop)
    assert raised.value.code == "connection_failed"
    assert wish.requests == len(shop.context.calls) == answers + tries


@pytest.mark.parametrize("answers", [0, 1], ids=["fresh", "kept"])
async def test_a_renewal_is_sent_twice_and_a_code_once(answers: int):
    for exchange, tries in (
        (lambda client: renew(client, APP, Secret("refresh")), 2),
        (lambda client: redeem(client, APP, CONSENT), 1),
    ):
        wish = CuttingWish(answers)
        async with a_shop_at(wish) as shop:
            with pytest.raises(ChannelUnavailable):
                await exchange(shop.client)
        assert wish.requests == answers + tries
