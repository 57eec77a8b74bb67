import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.channels.factories import NOW, a_server, http_answer

from channel_sync.channels.http.exchange import ReplyBounds
from channel_sync.channels.http.http_client import http_client
from channel_sync.channels.wish.exchange import exchange
from channel_sync.domain.errors import ChannelUnavailable


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
    async with server, http_client(2) as http:
        for _ in range(2):
            assert (await http.get(address)).status_code == 200
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
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, http_client(1) as http:
        await http.get(address, params={"client_secret": odd})
    assert parse_qs(urlsplit(arrived[0]).query) == {"client_secret": [odd]}


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

    async with a_server(serve) as address, http_client(1, headers_s=0.2) as http:
        request = http.build_request("GET", address)
        with pytest.raises(ChannelUnavailable) as raised:
            await exchange(http, request, ReplyBounds(), NOW)
        assert (await exchange(http, request, ReplyBounds(), NOW)).status == 200
    assert raised.value.code == "timeout"


@pytest.mark.parametrize("garbage", [b"no http at all\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b""])
async def test_an_answer_that_is_no_http_is_a_failed_connection(garbage):
    async def serve(reader, writer):
        writer.write(garbage)
        await writer.drain()

    async with a_server(serve) as address, http_client(1) as http:
        with pytest.raises(ChannelUnavailable):
            await exchange(http, http.build_request("GET", address), ReplyBounds(), NOW)
