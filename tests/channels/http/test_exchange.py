import asyncio
import gzip
from dataclasses import dataclass
from time import monotonic

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport
from tests.channels.factories import a_client, a_context, a_server, an_access, at_the_counter, http_answer

from channel_sync.channels.http.exchange import ReplyBounds
from channel_sync.channels.wish.client import Request
from channel_sync.channels.wish.replies import Family
from channel_sync.domain.channel import Environment
from channel_sync.domain.errors import ChannelUnavailable, NoAnswer, ReplyNotUnderstood

FINE = http_answer(b'{"code":0,"data":{"merchant_id":"m1"}}', Content_Type="application/json")


async def test_a_redirect_is_not_followed():
    reached = []

    async def trap(reader, writer):
        reached.append(1)

    async with a_server(trap) as trap_address:

        async def redirect(reader, writer):
            writer.write(f"HTTP/1.1 307 x\r\nLocation: {trap_address}/\r\nContent-Length: 0\r\n\r\n".encode())

        async with a_server(redirect) as address, at_the_counter(address) as counter:
            with pytest.raises(ReplyNotUnderstood) as raised:
                await counter.shop.merchant_id()
    assert raised.value.code == "redirect"
    assert reached == []


async def test_a_body_that_drips_ends_at_the_deadline():
    async def drip(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with a_server(drip) as address, at_the_counter(address, call=ReplyBounds(0.3)) as counter:
        started = monotonic()
        with pytest.raises(ChannelUnavailable) as raised:
            await counter.connection.queue(Family.PRODUCTS, "/x")
    assert raised.value.code == "timeout"
    assert monotonic() - started < 5.0


async def test_a_gzip_bomb_goes_off_at_the_cap():
    bomb = gzip.compress(bytes(8_000_000))

    async def serve(reader, writer):
        writer.write(http_answer(bomb, Content_Encoding="gzip"))
        await writer.drain()

    async with a_server(serve) as address, at_the_counter(address, call=ReplyBounds(5.0, 100_000)) as counter:
        with pytest.raises(ReplyNotUnderstood) as raised:
            await counter.shop.merchant_id()
    assert raised.value.code == "reply_too_large"


async def test_gzip_is_read_and_broken_gzip_is_not():
    bodies = [gzip.compress(b'{"code":0,"data":{"merchant_id":"m1"}}'), b"not gzip"]

    async def serve(reader, writer):
        writer.write(http_answer(bodies.pop(0), Content_Encoding="gzip"))
        await writer.drain()

    async with a_server(serve) as address, at_the_counter(address) as counter:
        assert await counter.shop.merchant_id() == "m1"
        with pytest.raises(ReplyNotUnderstood) as raised:
            await counter.shop.merchant_id()
    assert raised.value.code == "bad_encoding"


async def test_a_connection_cut_within_the_body_is_no_reply():
    async def cut(reader, writer):
        writer.write(FINE[:-10])
        await writer.drain()

    async with a_server(cut) as address, at_the_counter(address) as counter:
        with pytest.raises(ChannelUnavailable) as raised:
            await counter.connection.queue(Family.PRODUCTS, "/x")
    assert raised.value.code == "connection_failed"


@dataclass
class Hasty(httpx.AsyncBaseTransport):
    """Waits for an answer no longer than `patience_s`."""

    transport: httpx.AsyncBaseTransport
    patience_s: float = 0.03

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["timeout"] = httpx.Timeout(self.patience_s).as_dict()
        return await self.transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self.transport.aclose()


@pytest.mark.parametrize("carrier", [httpx.AsyncHTTPTransport, AiohttpTransport], ids=["httpcore", "aiohttp"])
async def test_after_many_timeouts_and_abandoned_calls_every_seat_is_free_again(carrier):
    is_healthy = False

    async def serve(reader, writer):
        if not is_healthy:
            await asyncio.sleep(0.1)
            return
        writer.write(FINE)
        await writer.drain()

    transport = Hasty(carrier(trust_env=False))
    async with a_server(serve) as address, a_client(address, concurrency=4, transport=transport) as client:
        call = Request(Family.OAUTH, "GET", "/api/v3/oauth/test")
        tasks = [asyncio.create_task(client.call_without_token(call, Environment.PRODUCTION)) for _ in range(120)]
        for task in tasks[::3]:
            await asyncio.sleep(0.005)
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        is_healthy, transport.patience_s = True, 10
        healthy = [client.call_without_token(call, Environment.PRODUCTION) for _ in range(40)]
        replies = await asyncio.gather(*healthy)
    assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError, NoAnswer}
    assert len(replies) == 40


async def test_a_cancelled_caller_leaves_the_call_to_end_by_itself():
    arrived, may_answer = asyncio.Event(), asyncio.Event()

    async def serve(reader, writer):
        arrived.set()
        await may_answer.wait()
        writer.write(FINE)
        await writer.drain()

    async with a_server(serve) as address, at_the_counter(address, concurrency=1) as counter:
        caller = asyncio.create_task(counter.shop.merchant_id())
        await arrived.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        may_answer.set()
        assert await counter.shop.merchant_id() == "m1"
    assert [call.status for call in counter.context.calls] == [200, 200]


async def test_no_more_calls_are_out_than_there_are_seats():
    out = most_out = 0

    async def serve(reader, writer):
        nonlocal out, most_out
        out += 1
        most_out = max(most_out, out)
        await asyncio.sleep(0.01)
        out -= 1
        writer.write(FINE)
        await writer.drain()

    async with a_server(serve) as address, a_client(address, concurrency=3) as client:
        call = Request(Family.OAUTH, "GET", "/api/v3/oauth/test")
        await asyncio.gather(*(client.call(call, an_access(), a_context()) for _ in range(20)))
    assert most_out == 3
