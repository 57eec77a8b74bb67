from dataclasses import replace

import httpx
import pytest
from sqlalchemy import text

from channel_sync.api.app import create_health_api
from channel_sync.api.http.services import Vitals
from channel_sync.persistence.migrations import newest, outdated

pytestmark = pytest.mark.every_store


async def test_a_healthy_process_is_alive_and_ready(world):
    async with world.browser() as probe:
        live, ready = await probe.get("/health/live"), await probe.get("/health/ready")
    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "reason": None})


async def test_jobs_that_stand_still_are_not_alive(world):
    world.health.lively = False
    async with world.browser() as probe:
        live = await probe.get("/health/live")
    assert (live.status_code, live.json()) == (503, {"status": "stalled"})


async def test_a_process_about_to_stop_is_not_ready(world):
    world.health.draining = True
    async with world.browser() as probe:
        ready = await probe.get("/health/ready")
        live = await probe.get("/health/live")
    assert (ready.status_code, ready.json()["reason"]) == (503, "draining")
    assert live.status_code == 200


async def test_an_old_schema_is_not_ready(world):
    async with replace(world, outdated_schemas=frozenset({newest()})).browser() as probe:
        ready = await probe.get("/health/ready")
    assert (ready.status_code, ready.json()["reason"]) == (503, "schema_outdated")


async def test_the_schema_of_the_next_release_is_served_on_until_the_process_is_replaced(world):
    async with world.database.session() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = 'of_the_next_release'"))
    async with replace(world, outdated_schemas=outdated()).browser() as probe:
        ready = await probe.get("/health/ready")
    assert (ready.status_code, ready.json()["reason"]) == (200, None)


async def test_a_process_without_the_rest_of_the_api_answers_for_its_health_alone(world):
    app = create_health_api(Vitals(world.database, world.health, frozenset()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker") as probe:
        well = [await probe.get(path) for path in ("/health/live", "/health/ready")]
        world.health.lively, world.health.draining = False, True
        ill = [await probe.get(path) for path in ("/health/live", "/health/ready")]
        beyond = [await probe.get(path) for path in ("/orders", "/docs", "/openapi.json")]

    assert [(one.status_code, one.json()) for one in well] == [
        (200, {"status": "ok"}),
        (200, {"status": "ok", "reason": None}),
    ]
    assert [(one.status_code, one.json()) for one in ill] == [
        (503, {"status": "stalled"}),
        (503, {"status": "not_ready", "reason": "draining"}),
    ]
    assert {one.status_code for one in beyond} == {404}
