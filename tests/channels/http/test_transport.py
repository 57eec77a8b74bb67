import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.channels.factories import NOW, a_client, a_server, http_answer

from channel_sync.channels.http.exchange import ReplyBounds, asking
from channel_sync.channels.http.transport import open_transport
from channel_sync.channels.wish.client import Request
from channel_sync.channels.wish.exchange import exchange
from channel_sync.channels.wish.replies import Family
from channel_sync.domain.channel import Environment
from channel_sync.domain.errors import ChannelUnavailable, ReplyNotUnderstood


async def test_a_cookie_of_one_merchant_is_not_sent_with_the_next_call():
    requests = []

    async def serve(reader, writer):
        writer.write(http_answer(b"{}", Set_Cookie="session=CNRY; Path=/"))
        await writer.drain()

    async def recorded(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        requests.append(head)
        await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(recorded, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, open_transport(2) as transport:
        for _ in range(2):
            assert (await exchange(transport, asking("GET", address), ReplyBounds(), NOW)).status == 200
    assert len(requests) == 2
    assert not any(b"cookie" in head.lower() for head in requests)


async def test_a_query_arrives_as_it_was_meant():
    arrived = []

    async def serve(reader, writer):
        arrived.append((await reader.readline()).split()[1].decode())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http_answer(b"{}"))
        writer.close()

    odd = "a+b&c=%/é:?#"
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, open_transport(1) as transport, a_client(address, transport=transport) as client:
        request = Request(Family.GRANT, "GET", "/token", (("client_secret", odd), ("none", "")))
        with pytest.raises(ReplyNotUnderstood):
            await client.call_without_token(request, Environment.PRODUCTION)
    assert parse_qs(urlsplit(arrived[0]).query, keep_blank_values=True) == {"client_secret": [odd], "none": [""]}


async def test_neither_a_redirect_nor_the_surroundings_lead_elsewhere(monkeypatch, tmp_path):
    heads = []

    async def serve(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 307 x\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    (tmp_path / "netrc").write_text("default login CNRY password CNRY")
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, open_transport(1) as transport:
        assert (await exchange(transport, asking("GET", address), ReplyBounds(), NOW)).status == 307
    (head,) = heads
    assert head.startswith(b"GET / HTTP/1.1\r\n")
    assert b"authorization" not in head.lower()


def test_every_request_says_who_asks_for_what_and_how_long_it_may_take():
    request = asking("GET", "https://wish.test/f", {"Accept": "*/*"})
    assert request.headers == {
        "Host": "wish.test",
        "Accept": "*/*",
        "Accept-Encoding": "gzip",
        "User-Agent": "channel-sync",
    }
    assert request.extensions["timeout"] == {"connect": 5.0, "read": 10.0, "write": 10.0, "pool": 10.0}


async def test_headers_that_drip_in_end_in_time_and_leave_the_connection_free():
    drips = [True, False]

    async def serve(reader, writer):
        if not drips.pop(0):
            writer.write(http_answer(b"{}"))
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nSlow: ")
        while True:
            writer.write(b"H")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with a_server(serve) as address, open_transport(1, headers_s=0.2) as transport:
        request = asking("GET", address)
        with pytest.raises(ChannelUnavailable) as raised:
            await exchange(transport, request, ReplyBounds(), NOW)
        assert (await exchange(transport, request, ReplyBounds(), NOW)).status == 200
    assert raised.value.code == "timeout"


@pytest.mark.parametrize("garbage", [b"no http at all\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b""])
async def test_an_answer_that_is_no_http_is_a_failed_connection(garbage):
    async def serve(reader, writer):
        writer.write(garbage)
        await writer.drain()

    async with a_server(serve) as address, open_transport(1) as transport:
        with pytest.raises(ChannelUnavailable):
            await exchange(transport, asking("GET", address), ReplyBounds(), NOW)
