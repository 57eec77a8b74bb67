"""Many connections at once."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from tests.http.running import GET, QUICK, Client, Running, running

FEW = replace(QUICK, max_connections=20, head_s=30)


async def crowd(held: AsyncExitStack, server: Running, number: int, *sent: bytes) -> list[Client]:
    clients = [await held.enter_async_context(server.client()) for _ in range(number)]
    for client in clients:
        await client.send(*sent)
    return clients


async def ended(clients: list[Client]) -> int:
    """How many of the connections have been closed."""
    return sum(await asyncio.gather(*(client.is_closed(0.5) for client in clients)))


async def test_half_open_connections_are_all_gone_in_time(world):
    async with running(world.app, replace(QUICK, max_connections=500)) as server, AsyncExitStack() as held:
        clients = await crowd(held, server, 150) + await crowd(held, server, 150, GET[:-4])
        await asyncio.sleep(QUICK.head_s + 1)
        assert await ended(clients) == 300


async def test_one_too_many_takes_the_place_of_one_without_a_request(world):
    async with running(world.app, FEW) as server, AsyncExitStack() as held:
        used = await crowd(held, server, 10, GET)
        for client in used:
            await client.answer()
        nobodys = await crowd(held, server, 10) + await crowd(held, server, 10, GET[:5])
        assert await ended(nobodys) == 10
        assert (await server_answers(server), await ended(used)) == (True, 0)


async def test_half_a_further_request_is_nobodys_too(world):
    async with running(world.app, FEW) as server, AsyncExitStack() as held:
        clients = await crowd(held, server, 20, GET)
        for client in clients:
            await client.answer()
        for client in clients[10:]:
            await client.send(GET[:5])
        assert await server_answers(server)
        assert (await ended(clients[:10]), await ended(clients[10:])) == (0, 1)


async def test_one_too_many_takes_the_place_of_the_one_that_rested_longest(world):
    async with running(world.app, FEW) as server, AsyncExitStack() as held:
        used = await crowd(held, server, 20, GET)
        for client in used:
            await client.answer()
        await used[0].send(GET)
        await used[0].answer()
        assert await server_answers(server)
        assert (await ended(used[1:2]), await ended([used[0], *used[2:]])) == (1, 0)


async def test_a_request_under_way_keeps_its_connection(world):
    world.set(waits=replace(world.settings.waits, per_key=FEW.max_connections))
    key = f"Authorization: Bearer {await world.key()}\r\n\r\n".encode()
    waiting = GET.replace(b"/health/live", b"/events?wait_s=3")[:-2] + key
    async with running(world.app, FEW) as server, AsyncExitStack() as held:
        clients = await crowd(held, server, 20, waiting)
        await asyncio.sleep(0.5)
        (newcomer,) = await crowd(held, server, 1, GET)
        assert await newcomer.is_closed()
        assert {(await client.answer()).status for client in clients} == {200}


async def server_answers(server: Running) -> bool:
    async with server.client() as client:
        await client.send(GET)
        return (await client.answer()).status == 200
