import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine

from channel_sync.main.process import CannotStart
from channel_sync.main.runtime import check_clock, warn_of_a_missing_wall
from channel_sync.persistence.database import Database

# What lets a role pass row-level security, and what takes that back.
WAYS_AROUND = {
    "bypassrls": ("ALTER ROLE {role} BYPASSRLS", "ALTER ROLE {role} NOBYPASSRLS"),
    "owner": ("ALTER TABLE orders OWNER TO {role}", "ALTER TABLE orders OWNER TO CURRENT_USER"),
    "member": (
        "CREATE ROLE {role}_owner; ALTER TABLE orders OWNER TO {role}_owner; GRANT {role}_owner TO {role}",
        "ALTER TABLE orders OWNER TO CURRENT_USER; DROP ROLE {role}_owner",
    ),
}


async def may_start(database: Database, lease_s: float) -> bool:
    try:
        await check_clock(database, lease_s)
    except CannotStart:
        return False
    return True


async def test_a_clock_that_is_right_is_no_matter(database):
    assert await may_start(database, lease_s=60)


@pytest.mark.parametrize("wrong", [timedelta(seconds=20), -timedelta(seconds=20)])
async def test_a_clock_that_would_take_the_living_for_dead_is_refused(postgres_database, wrong):
    with time_machine.travel(datetime.now(UTC) + wrong, tick=True):
        assert await may_start(postgres_database, lease_s=120)
        with pytest.raises(CannotStart, match="clock is 20 s away"):
            await check_clock(postgres_database, lease_s=60)


async def test_a_single_process_has_no_other_clock_to_differ_from(sqlite_database):
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1), tick=True):
        assert await may_start(sqlite_database, lease_s=5)


async def warnings(database: Database, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What an operator is told at the start."""
    caplog.clear()
    await warn_of_a_missing_wall(database)
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_role_that_row_level_security_binds_is_no_matter(postgres_database, caplog):
    assert await warnings(postgres_database, caplog) == []


@pytest.mark.parametrize("way", WAYS_AROUND)
async def test_a_role_with_a_way_around_it_is_told_of_in_one_line(
    postgres, postgres_name, app_url, postgres_database, caplog, way
):
    open_it, close_it = (words.format(role=urlsplit(app_url).username) for words in WAYS_AROUND[way])
    await postgres.run(open_it, postgres_name)
    try:
        [line] = await warnings(postgres_database, caplog)
    finally:
        await postgres.run(close_it, postgres_name)

    assert line.startswith("Row-level security does not bind this PostgreSQL role")
    assert "\n" not in line
    assert await warnings(postgres_database, caplog) == []


async def test_a_superuser_is_told_of_too(postgres_url, cipher, caplog):
    database = Database(postgres_url, cipher)
    [line] = await warnings(database, caplog)
    await database.close()

    assert line.startswith("Row-level security")


async def test_an_owner_whom_the_tables_bind_by_force_is_no_matter(
    postgres, postgres_name, app_url, postgres_database, caplog
):
    owned = f"ALTER TABLE orders OWNER TO {urlsplit(app_url).username}"
    await postgres.run(f"{owned}; ALTER TABLE orders FORCE ROW LEVEL SECURITY", postgres_name)
    try:
        assert await warnings(postgres_database, caplog) == []
    finally:
        await postgres.run("ALTER TABLE orders OWNER TO CURRENT_USER", postgres_name)


async def test_sqlite_has_no_such_wall_to_miss(sqlite_database, caplog):
    assert await warnings(sqlite_database, caplog) == []
