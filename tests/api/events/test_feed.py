import asyncio
import time

import pytest

pytestmark = pytest.mark.every_store


async def test_a_connection_is_told_without_personal_data(world, admin):
    integration = await world.connect(admin)
    events = (await admin.get("/events")).json()["items"]
    assert [event["type"] for event in events] == ["integration.created", "integration.connected"]
    assert {event["integration_id"] for event in events} == {integration["id"]}
    assert all(event["id"].startswith("evt_") for event in events)


async def test_the_feed_is_followed_by_the_last_id(world, admin):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    first = (await admin.get("/events?limit=1")).json()
    assert first["next_cursor"] == first["items"][0]["id"]
    rest = (await admin.get("/events", params={"after": first["next_cursor"]})).json()
    empty = (await admin.get("/events", params={"after": rest["next_cursor"]})).json()
    assert empty == {"items": [], "next_cursor": rest["next_cursor"]}
    await admin.put(f"{href}/status", json={"enabled": False})
    news = (await admin.get("/events", params={"after": rest["next_cursor"]})).json()["items"]
    assert [event["type"] for event in news] == ["integration.disabled"]


async def test_a_feed_without_events_has_a_cursor_too(world, admin):
    start = (await admin.get("/events")).json()
    assert start["items"] == []
    await world.connect(admin)
    assert len((await admin.get("/events", params={"after": start["next_cursor"]})).json()["items"]) == 2


async def test_types_can_be_chosen(world, admin):
    await world.connect(admin)
    chosen = (await admin.get("/events?types=integration.connected,order.created")).json()["items"]
    assert [event["type"] for event in chosen] == ["integration.connected"]


@pytest.mark.parametrize("query", ["types=odd", "types=", "after=evt_nope", "wait_s=31", "wait_s=-1", "limit=0"])
async def test_an_unusable_query_is_422(admin, query):
    assert (await admin.get(f"/events?{query}")).status_code == 422


async def test_waiting_ends_with_the_first_event(world, admin):
    waiting = asyncio.create_task(admin.get("/events?wait_s=30", timeout=40))
    await asyncio.sleep(0.2)
    started = time.monotonic()
    await world.connect(admin)
    events = (await waiting).json()["items"]
    assert events
    assert time.monotonic() - started < 5


async def test_waiting_ends_in_time_without_an_event(admin):
    started = time.monotonic()
    page = (await admin.get("/events?wait_s=1")).json()
    assert page["items"] == []
    assert 0.9 < time.monotonic() - started < 5


async def test_waiting_ends_when_the_process_is_about_to_stop(world, admin):
    waiting = asyncio.create_task(admin.get("/events?wait_s=30", timeout=40))
    await asyncio.sleep(0.2)
    world.health.draining = True
    assert (await asyncio.wait_for(waiting, 5)).json()["items"] == []
