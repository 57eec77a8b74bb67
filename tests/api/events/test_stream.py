"""The feed as server-sent events, over a real socket."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.api.world import World
from tests.factories import an_event
from tests.http.running import running

from channel_sync.api.http.places import PlaceLimits
from channel_sync.domain.clock import utcnow

pytestmark = pytest.mark.every_store


@dataclass(frozen=True)
class Told:
    """One event as a browser would hand it over."""

    id: str
    type: str
    data: dict[str, Any]


@dataclass
class Stream:
    """An answer under way."""

    response: httpx.Response
    lines: AsyncIterator[str]

    async def next(self, within_s: float = 5) -> Told:
        """The next event; what is none is passed over."""
        members: dict[str, str] = {}
        async with asyncio.timeout(within_s):
            async for line in self.lines:
                if line:
                    name, _, value = line.partition(": ")
                    members[name] = value
                elif "data" in members:
                    return Told(members["id"], members["event"], json.loads(members["data"]))
        raise EOFError

    async def ends(self, within_s: float = 5) -> bool:
        """Whether it ends without another event."""
        try:
            await self.next(within_s)
        except EOFError:
            return True
        except TimeoutError:
            return False
        return False


@dataclass(frozen=True)
class Server:
    """The app of a world on a socket."""

    url: str
    headers: Mapping[str, str]

    @asynccontextmanager
    async def stream(self, query: str = "", **headers: str) -> AsyncIterator[Stream]:
        async with (
            httpx.AsyncClient(base_url=self.url, headers={**self.headers, **headers}) as client,
            client.stream("GET", f"/events/stream{query}", timeout=20) as response,
        ):
            yield Stream(response, response.aiter_lines())


@asynccontextmanager
async def served(world: World) -> AsyncIterator[Server]:
    key = await world.key()
    async with running(world.app) as server:
        yield Server(f"http://127.0.0.1:{server.port}", {"Authorization": f"Bearer {key}"})


async def tell(world: World, *types: str, tenant: str = "acme") -> list[str]:
    """Ids of new events."""
    events = [an_event(tenant=tenant, type=type_) for type_ in types]
    async with world.database.begin() as work:
        await work.events.add(events)
    return [event.id for event in events]


async def test_what_there_is_comes_first_and_then_what_happens(world, admin):
    ids = await tell(world, "order.created", "order.updated")
    async with served(world) as server, server.stream() as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert "no-store" in stream.response.headers["cache-control"]
        first = [await stream.next() for _ in range(2)]
        ids += await tell(world, "order.held")
        first.append(await stream.next())

    page = (await admin.get("/events")).json()["items"]
    assert [(one.id, one.type, one.data) for one in first] == [(one["id"], one["type"], one) for one in page]
    assert [one.id for one in first] == ids


async def test_who_comes_back_misses_nothing_and_gets_nothing_twice(world):
    ids = await tell(world, "order.created", "order.updated", "order.held")
    async with served(world) as server:
        async with server.stream("?after=" + ids[0]) as stream:
            assert (await stream.next()).id == ids[1]
        async with server.stream("?after=" + ids[0], **{"Last-Event-ID": ids[1]}) as stream:
            assert (await stream.next()).id == ids[2]


async def test_only_types_that_are_asked_for_come(world):
    await tell(world, "order.created", "order.held")
    async with served(world) as server, server.stream("?types=order.held,run.finished") as stream:
        assert (await stream.next()).type == "order.held"
        await tell(world, "order.created", "run.finished")
        assert (await stream.next()).type == "run.finished"


async def test_nothing_of_another_tenant_comes(world):
    async with served(world) as server, server.stream() as stream:
        await tell(world, "order.created", tenant="another")
        [mine] = await tell(world, "order.created")
        assert (await stream.next()).id == mine


@pytest.mark.parametrize(
    ("query", "code"),
    [("?after=evt_00000000000000000000000009", "unknown_event"), ("?types=order.made", "unknown_event_type")],
)
async def test_what_is_wrong_is_told_before_the_stream_begins(world, query, code):
    async with served(world) as server, server.stream(query) as stream:
        await stream.response.aread()
        assert (stream.response.status_code, stream.response.json()["code"]) == (422, code)


async def test_a_stream_has_a_place_among_those_who_wait(world):
    world.set(waits=PlaceLimits(1, 5, 5))
    async with served(world) as server:
        async with server.stream(), server.stream() as second:
            assert second.response.status_code == 429
        await asyncio.sleep(0.3)
        async with server.stream() as third:
            assert third.response.status_code == 200


async def test_a_revoked_key_hears_nothing_more(world, admin):
    made = (await admin.post("/api-keys", json={"name": "reader", "scopes": ["events:read"]})).json()
    async with running(world.app) as running_server:
        server = Server(f"http://127.0.0.1:{running_server.port}", {"Authorization": f"Bearer {made['key']}"})
        async with server.stream() as stream:
            await tell(world, "order.created")
            await stream.next()
            await admin.delete(f"/api-keys/{made['id']}")
            await asyncio.sleep(0.6)
            await tell(world, "order.created")
            assert await stream.ends()


async def test_a_stream_ends_when_the_process_is_to_stop(world):
    async with served(world) as server, server.stream() as stream:
        world.health.draining = True
        began = utcnow()
        assert await stream.ends()
        assert (utcnow() - began).total_seconds() < 2


async def test_whoever_only_looks_ahead_gets_the_beginning(world):
    await tell(world, "order.created")
    async with served(world) as server, server.stream(**{"Sec-Purpose": "prefetch"}) as stream:
        assert stream.response.status_code == 200
        assert await stream.ends()


async def test_sixteen_writers_at_once_are_heard_whole_and_in_order(world, admin):
    """A commit that comes late takes its place when it comes."""

    async def write(seed: int) -> list[str]:
        chance, ids = random.Random(seed), []
        for _ in range(8):
            await asyncio.sleep(chance.random() / 50)
            ids += await tell(world, "order.created")
        return ids

    async with served(world) as server, server.stream() as stream:
        written = await asyncio.gather(*(write(seed) for seed in range(16)))
        heard = [(await stream.next()).id for _ in range(128)]

    assert sorted(heard) == sorted(id for ids in written for id in ids)
    page = (await admin.get("/events?limit=200")).json()["items"]
    assert heard == [one["id"] for one in page]
