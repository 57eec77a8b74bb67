"""Behind PgBouncer in transaction mode every transaction may come over another connection."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.factories import a_channel_order, an_event, connected
from tests.persistence.order_steps import feed, store
from tests.pgbouncer import CONNECTIONS

from channel_sync.persistence.database import Database
from channel_sync.persistence.migrations import migrate, newest
from channel_sync.persistence.rows.encryption import Cipher

AT_ONCE = 20
LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")


async def write_and_read(database: Database, number: int) -> int:
    """How many orders the feed of a tenant has after two passes over them, in statements of many shapes."""
    tenant = f"tenant-{number}"
    _, account = await connected(database, tenant=tenant)
    orders = [a_channel_order(channel_order_id=f"{number}-{one}") for one in range(number + 1)]
    for turn in range(2):
        await store(database, account, *orders)
        async with database.begin() as work:
            await work.events.add([an_event(id=f"event-{number}-{turn}", tenant=tenant)])
    return len(await feed(database, tenant))


async def test_transactions_of_many_tasks_share_few_connections(pooled_database):
    found = await asyncio.gather(*(write_and_read(pooled_database, number) for number in range(AT_ONCE)))

    assert found == [number + 1 for number in range(AT_ONCE)]
    async with pooled_database.session() as session:
        used = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert await session.value(text(used)) <= CONNECTIONS


async def test_two_services_share_them_too(pooled_url, pooled_database, cipher):
    other = Database(pooled_url, cipher)
    databases = [pooled_database, other] * 5

    found = await asyncio.gather(*(write_and_read(database, number) for number, database in enumerate(databases)))

    assert found == [number + 1 for number in range(10)]
    await other.close()


async def test_it_takes_an_address_that_names_the_pooler(pooled_url, cipher):
    unaware = Database(pooled_url.removesuffix("&pooler=transaction"), cipher)

    tries = (write_and_read(unaware, number) for number in range(AT_ONCE))
    found = await asyncio.gather(*tries, return_exceptions=True)

    broken = [error for error in found if isinstance(error, DBAPIError)]
    assert any("prepared statement" in str(error) for error in broken)
    await unaware.close()


async def test_the_limits_hold_behind_it_and_end_with_the_transaction(pooled_url, cipher):
    database = Database(pooled_url, cipher)
    async with database.session() as session:
        limits = [await session.value(text(f"SHOW {name}")) for name in LIMITS]
        mine = await session.value(text("SELECT pg_backend_pid()"))
    stranger = await asyncpg.connect(pooled_url.removesuffix("&pooler=transaction"), statement_cache_size=0)
    left = [await stranger.fetchval(f"SHOW {name}") for name in LIMITS]
    its = await stranger.fetchval("SELECT pg_backend_pid()")
    await stranger.close()
    await database.close()

    assert limits == ["5s", "30s", "3s"]
    assert (left, its) == (["0", "0", "0"], mine)


async def test_a_write_cancelled_at_any_moment_leaves_no_transaction_behind(pooled_database):
    for number in range(40):
        task = asyncio.create_task(write_and_read(pooled_database, number))
        await asyncio.sleep(number / 10_000)
        task.cancel()
        await asyncio.wait([task])

    assert await write_and_read(pooled_database, 50) == 51
    async with pooled_database.session() as session:
        open_ones = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        assert await session.value(text(open_ones)) == 0


def test_the_schema_is_made_through_it(pooled_url, cipher: Cipher):
    async def version():
        database = Database(pooled_url, cipher)
        found = await database.schema_version()
        await database.close()
        return found

    migrate(pooled_url, "base")
    assert asyncio.run(version()) is None
    for _ in range(2):
        migrate(pooled_url)
    assert asyncio.run(version()) == newest()


def test_another_kind_of_pooling_is_refused(cipher: Cipher):
    with pytest.raises(ValueError, match="pooler must be one of: transaction"):
        Database("postgresql://x@y/z?pooler=session", cipher)
