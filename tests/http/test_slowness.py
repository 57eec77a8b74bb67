"""How long a connection may take over what it sends and over what it is sent."""

import asyncio
import time
from dataclasses import replace

import pytest
from tests.http.running import GET, QUICK, check_shape, posting, running

from channel_sync.http.bounds import ConnectionBounds

# The server looks every half second.
SOON_S = 2.5


async def test_a_connection_without_a_request_is_closed(world):
    async with running(world.app) as server, server.client() as client:
        started = time.monotonic()
        assert await client.is_closed(QUICK.head_s + SOON_S)
        assert time.monotonic() - started > QUICK.head_s


@pytest.mark.parametrize("part", [GET[:5], GET[:-2], b"\r\n"], ids=["an address", "no end", "an empty line"])
@pytest.mark.parametrize("before", [b"", GET], ids=["first", "further"])
async def test_a_head_that_does_not_get_on_is_408(world, part, before):
    async with running(world.app) as server, server.client() as client:
        if before:
            await client.send(before)
            assert (await client.answer()).status == 200
        dripping = asyncio.create_task(
            client.send(part, *[b"\r\n" if part == b"\r\n" else b"a"] * 50, apart_s=0.1)
        )
        check_shape(await client.answer(QUICK.head_s + SOON_S), 408, "request_too_slow")
        dripping.cancel()


async def test_half_a_request_does_not_spoil_the_answer_to_the_one_before(world):
    async with running(world.app) as server, server.client() as client:
        slow = GET.replace(b"/health/live", b"/events?wait_s=3")
        key = f"Authorization: Bearer {await world.key()}\r\n\r\n".encode()
        await client.send(slow[:-2] + key + GET[:20])
        assert (await client.answer()).status == 200
        check_shape(await client.answer(), 408, "request_too_slow")


async def test_a_body_that_does_not_get_on_is_408(world):
    async with running(world.app) as server, server.client() as client:
        await client.send(await posting(world, 100_000), b"{")
        check_shape(await client.answer(QUICK.body_s + SOON_S), 408, "request_too_slow")


async def test_a_body_that_gets_on_may_take_its_time(world):
    body = b'{"items": [{"sku": "A", "available": 1}]}' + b" " * 80_000
    pieces = [body[at : at + 4_000] for at in range(0, len(body), 4_000)]
    async with running(world.app) as server, server.client() as client:
        started = time.monotonic()
        await client.send(await posting(world, len(body)), *pieces, apart_s=0.15)
        assert (await client.answer()).status == 200
        assert time.monotonic() - started > 2 * QUICK.body_s


async def test_a_body_that_nobody_needs_is_not_waited_for(world):
    async with running(world.app) as server, server.client() as client:
        await client.send((await posting(world, 100_000)).replace(b"Bearer", b"Barer"), b"{")
        assert (await client.answer()).status == 401
        assert await client.is_closed(QUICK.unread_s + SOON_S)


async def test_a_body_that_nobody_needs_may_end_and_the_connection_go_on(world):
    async with running(world.app) as server, server.client() as client:
        await client.send((await posting(world, 10)).replace(b"Bearer", b"Barer"), b"{")
        assert (await client.answer()).status == 401
        await client.send(b" " * 9, GET)
        assert (await client.answer()).status == 200


async def test_a_connection_may_rest_between_requests(world):
    async with running(world.app) as server, server.client() as client:
        for _ in range(2):
            await client.send(GET)
            assert (await client.answer()).status == 200
            await asyncio.sleep(QUICK.head_s + QUICK.unread_s + 1)


async def test_a_connection_rests_no_longer_than_it_may(world):
    async with running(world.app, replace(QUICK, keep_alive_s=1)) as server, server.client() as client:
        await client.send(GET)
        await client.answer()
        assert await client.is_closed(SOON_S)


async def test_an_answer_that_nobody_takes_is_given_up(world):
    async with running(world.app, replace(QUICK, least_bytes=64 * 1024)) as server, server.client() as client:
        await client.send(GET.replace(b"/health/live", b"/docs/swagger-ui-bundle.js") * 16)
        await asyncio.sleep(QUICK.answer_s + SOON_S)
        assert await client.is_closed(1)


def test_connections_rest_longer_than_a_balancer_lets_its_own():
    assert ConnectionBounds().keep_alive_s > 60
