from dataclasses import replace

from sqlalchemy import text

from channel_sync.persistence.migrations import newest, outdated


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
