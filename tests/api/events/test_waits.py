import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from starlette.requests import Request
from starlette.types import Message
from tests.api.world import World
from tests.factories import an_event
from tests.http.running import GET, running

from channel_sync.api.events.waits import EventWaits
from channel_sync.api.http.places import PlaceLimits

pytestmark = pytest.mark.every_store


async def tell(world: World, tenant: str, type_: str = "order.created") -> None:
    async with world.database.begin() as work:
        await work.events.add([an_event(tenant=tenant, type=type_)])


async def poll(world: World, tenant: str = "acme", wait_s: int = 10, query: str = "") -> httpx.Response:
    async with world.caller(tenant=tenant) as caller:
        return await caller.get(f"/events?wait_s={wait_s}{query}", timeout=40)


async def end(world: World, waits: Sequence[asyncio.Task[httpx.Response]], *tenants: str) -> None:
    """Waits that are still under way come to their end by news for their tenants."""
    assert not any(wait.done() for wait in waits)
    for tenant in dict.fromkeys(tenants):
        await tell(world, tenant)
    assert {(await wait).status_code for wait in waits} == {200}


@pytest.fixture
def statements():
    """How often each statement is carried out on any store."""
    seen: Counter[str] = Counter()

    def count(_connection, _cursor, statement, *_) -> None:
        seen[statement.split(" WHERE")[0]] += 1

    event.listen(Engine, "before_cursor_execute", count)
    yield seen
    event.remove(Engine, "before_cursor_execute", count)


async def test_who_has_news_is_told_and_nobody_else(world):
    waits = [asyncio.create_task(poll(world, f"tenant-{number}", wait_s=4)) for number in range(3)]
    await asyncio.sleep(1)
    await tell(world, "tenant-1")
    answer = await asyncio.wait_for(waits[1], 2)
    assert [one["type"] for one in answer.json()["items"]] == ["order.created"]
    assert not any(wait.done() for wait in (waits[0], waits[2]))
    assert [(await wait).json()["items"] for wait in (waits[0], waits[2])] == [[], []]


async def test_an_event_of_another_type_ends_no_wait(world):
    waiting = asyncio.create_task(poll(world, query="&types=order.held"))
    await asyncio.sleep(1)
    await tell(world, "acme")
    await asyncio.sleep(1)
    assert not waiting.done()
    await tell(world, "acme", "order.held")
    assert len((await asyncio.wait_for(waiting, 2)).json()["items"]) == 1


async def test_all_who_wait_share_one_look_at_the_store(world, statements):
    async with AsyncExitStack() as held:
        callers = [await held.enter_async_context(world.caller(tenant=f"t{number % 4}")) for number in range(20)]
        waits = [asyncio.create_task(caller.get("/events?wait_s=8", timeout=40)) for caller in callers]
        while sum(times for statement, times in statements.items() if "FROM events" in statement) < len(waits):
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.2)
        statements.clear()
        await asyncio.sleep(1.5)
        during = Counter(statements)
        await end(world, waits, *(f"t{number}" for number in range(4)))
    looks = sum(times for statement, times in during.items() if "positions" in statement)
    assert 1 <= looks <= 4
    assert sum(times for statement, times in during.items() if "FROM events" in statement) == 0


@pytest.mark.parametrize(
    ("limits", "tenants"),
    [
        (PlaceLimits(3, 50, 500), ["acme"] * 4),
        (PlaceLimits(10, 50, 3), ["a", "b", "c", "d"]),
    ],
    ids=["per key", "in all"],
)
async def test_so_many_wait_at_once_and_no_more(world, limits, tenants):
    world.set(waits=limits)
    async with AsyncExitStack() as held:
        callers = {one: await held.enter_async_context(world.caller(tenant=one)) for one in dict.fromkeys(tenants)}
        waits = [asyncio.create_task(callers[one].get("/events?wait_s=7", timeout=40)) for one in tenants[:3]]
        await asyncio.sleep(2.5)
        one_more = callers[tenants[3]]
        refused, unwaited = await one_more.get("/events?wait_s=2"), await one_more.get("/events")
        await end(world, waits, *tenants)
        again = await one_more.get("/events?wait_s=1")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_waits")
    assert int(refused.headers["retry-after"]) >= 1
    assert (unwaited.status_code, again.status_code) == (200, 200)


async def test_many_keys_of_a_tenant_make_no_more_waits(world):
    world.set(waits=PlaceLimits(10, 3, 500))
    waits = [asyncio.create_task(poll(world, wait_s=7)) for _ in range(3)]
    await asyncio.sleep(2.5)
    assert (await poll(world)).status_code == 429
    assert (await poll(world, "another", wait_s=1)).status_code == 200
    await end(world, waits, "acme")


async def test_who_is_gone_gives_up_the_place(world):
    world.set(waits=PlaceLimits(1, 50, 500))
    key = await world.key()
    wait = (
        GET.replace(b"/health/live", b"/events?wait_s=30")[:-2] + f"Authorization: Bearer {key}\r\n\r\n".encode()
    )
    async with running(world.app) as server:
        async with server.client() as client:
            await client.send(wait)
            await asyncio.sleep(0.5)
        await asyncio.sleep(0.5)
        async with server.client() as client:
            await client.send(wait.replace(b"wait_s=30", b"wait_s=1"))
            assert (await client.answer()).status == 200


async def test_nothing_looks_into_the_store_once_nobody_waits(world):
    await poll(world, wait_s=1)
    assert not [task for task in asyncio.all_tasks() if "keep_looking" in str(task.get_coro())]


async def test_who_is_done_does_not_wait_for_one_who_came_meanwhile(world):
    """The second comes in the moment in which the first, who was alone, goes."""
    waits = EventWaits(world.database, world.app.state.services.health, PlaceLimits(10, 50, 500))
    come: list[asyncio.Task[bool]] = []

    async def comes_when_the_other_goes() -> Message:
        try:
            return await stays()
        except asyncio.CancelledError:
            come.append(asyncio.create_task(waits.news("acme", 0, 5, Request({"type": "http"}, stays))))
            raise

    first = waits.news("acme", 0, 0.1, Request({"type": "http"}, comes_when_the_other_goes))
    assert not await asyncio.wait_for(first, 2)
    assert not come[0].done()
    await tell(world, "acme")
    assert await asyncio.wait_for(come[0], 2)


async def stays() -> Message:
    """What comes from a client that is there and says nothing."""
    await asyncio.sleep(60)
    raise AssertionError("that long")
