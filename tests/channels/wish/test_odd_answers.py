"""Answers whose head or first bytes are unusual: the same for every reader, and no sign of an outage."""

import json

import pytest
from tests.channels.factories import NOW, HastyContext, a_server, an_access, http_answer, limits

from channel_sync.channels.http.transport import open_transport
from channel_sync.channels.wish.client import WishClient
from channel_sync.channels.wish.connection import WishConnection
from channel_sync.channels.wish.shop import WishShop
from channel_sync.domain.calls import Priority
from channel_sync.domain.channel import Environment
from channel_sync.domain.errors import ChannelUnavailable, ReplyNotUnderstood
from channel_sync.main.issuer import PublishedKeys

BOM = b"\xef\xbb\xbf"
TOKEN_REPLY = b'{"code":0,"message":"","data":{"merchant_id":"m1"}}'


def a_shop(transport, address: str) -> tuple[WishConnection, WishShop]:
    client = WishClient(transport, dict.fromkeys(Environment, address), limits(), lambda: NOW)
    connection = WishConnection(client, an_access(), HastyContext(Priority.ORDERS))
    return connection, WishShop(connection)


def always(answer: bytes):
    async def serve(reader, writer):
        writer.write(answer)
        await writer.drain()

    return serve


def with_headers(body: bytes, *lines: bytes) -> bytes:
    head, _, rest = http_answer(body).partition(b"\r\n")
    return b"\r\n".join((head, *lines, rest))


@pytest.mark.parametrize(
    "lines", [(b"Set-Cookie: a=" + b"x" * 34_000,), tuple(b"X-%d: 1" % number for number in range(240))]
)
async def test_a_long_head_is_read(lines):
    async with a_server(always(with_headers(TOKEN_REPLY, *lines))) as address, open_transport(1) as transport:
        assert await a_shop(transport, address)[1].merchant_id() == "m1"


@pytest.mark.parametrize(
    "lines", [(b"Set-Cookie: a=" + b"x" * 70_000,), tuple(b"X-%d: 1" % number for number in range(400))]
)
async def test_a_head_without_end_is_a_fault_of_that_call_and_no_outage(lines):
    async with a_server(always(with_headers(TOKEN_REPLY, *lines))) as address, open_transport(1) as transport:
        connection, shop = a_shop(transport, address)
        for _ in range(8):
            with pytest.raises(ReplyNotUnderstood) as raised:
                await shop.merchant_id()
    assert raised.value.code == "headers_too_large"
    assert len(connection.context.calls) == 8


async def test_a_mark_before_an_envelope_or_a_token_reply_is_no_part_of_it():
    async with a_server(always(http_answer(BOM + TOKEN_REPLY))) as address, open_transport(1) as transport:
        assert await a_shop(transport, address)[1].merchant_id() == "m1"


@pytest.mark.parametrize("body", [b'{"a":1}\n{"a":2}\n', b'[{"a":1},{"a":2}]'])
async def test_a_mark_before_a_file_is_no_part_of_it(body):
    async with a_server(always(http_answer(BOM + body))) as address, open_transport(1) as transport:
        connection, _ = a_shop(transport, address)
        lines = [json.loads(line) async for line in connection.lines(f"{address}/f")]
    assert lines == [{"a": 1}, {"a": 2}]


async def test_a_mark_that_comes_in_pieces_is_taken_off_too():
    async def serve(reader, writer):
        head, _, body = http_answer(BOM + TOKEN_REPLY).partition(b"\r\n\r\n")
        for piece in (head + b"\r\n\r\n", body[:1], body[1:2], body[2:]):
            writer.write(piece)
            await writer.drain()

    async with a_server(serve) as address, open_transport(1) as transport:
        assert await a_shop(transport, address)[1].merchant_id() == "m1"


async def test_a_mark_before_the_keys_of_an_issuer_is_no_part_of_them():
    async def serve(reader, writer):
        document = {"issuer": addresses[0], "jwks_uri": f"{addresses[0]}/keys", "keys": []}
        writer.write(with_headers(BOM + json.dumps(document).encode(), b"X-Long: " + b"x" * 34_000))
        await writer.drain()

    addresses: list[str] = []
    async with a_server(serve) as address:
        addresses.append(address)
        assert (await PublishedKeys(address, lambda: open_transport(1)).keys())["keys"] == []


async def test_keys_behind_a_head_without_end_are_an_outage_of_the_issuer():
    async with a_server(always(with_headers(b"{}", b"X-Long: " + b"x" * 70_000))) as address:
        with pytest.raises(ChannelUnavailable) as raised:
            await PublishedKeys(address, lambda: open_transport(1)).keys()
    assert raised.value.code == "issuer_unavailable"
