import asyncio
import os
import sqlite3
import time

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from tests.factories import a_draft, an_account

from channel_sync.domain.errors import Conflict, StorageUnavailable
from channel_sync.domain.secrets import Secret
from channel_sync.persistence.database import Database
from channel_sync.persistence.migrations import newest
from channel_sync.persistence.rows.encryption import Cipher, WrongKey

SECRET = Secret("a-secret-of-the-app")


async def store_draft(database, **members):
    draft = a_draft(**members)
    async with database.begin() as work:
        await work.integrations.add(draft, SECRET)
    return draft


async def is_stored(database, draft):
    async with database.read() as work:
        return await work.integrations.find(draft.id) is not None


async def test_leaving_a_transaction_commits_it(database):
    draft = await store_draft(database)

    assert await is_stored(database, draft)


async def test_an_exception_rolls_back(database):
    draft = a_draft()

    async def fail_half_way():
        async with database.begin() as work:
            await work.integrations.add(draft, SECRET)
            raise LookupError

    with pytest.raises(LookupError):
        await fail_half_way()
    assert not await is_stored(database, draft)


async def test_a_read_sees_one_moment_while_others_write(database):
    before, after = await store_draft(database), a_draft()

    async with database.read() as work:
        assert await work.integrations.find(before.id) is not None
        async with database.begin() as writing:
            await writing.integrations.add(after, SECRET)
        assert await work.integrations.find(after.id) is None

    assert await is_stored(database, after)


async def test_reading_never_writes(database):
    async with database.read() as work:
        with pytest.raises(Exception, match=r"(?i)read-?only|attempt to write"):
            await work.integrations.add(a_draft(), SECRET)


async def test_concurrent_changes_of_one_row_are_not_lost(database):
    draft = await store_draft(database)

    async def bump():
        async with database.begin() as work:
            await work.credentials.destroy(draft.id)

    await asyncio.gather(*(bump() for _ in range(20)))

    async with database.read() as work:
        assert (await work.integrations.get(draft.tenant, draft.id)).generation == 20


async def test_a_cancelled_write_is_undone_and_blocks_nobody(database):
    draft = a_draft()
    written = asyncio.Event()

    async def write_for_ever():
        async with database.begin() as work:
            await work.integrations.add(draft, SECRET)
            written.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write_for_ever())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    other = await store_draft(database)
    assert await is_stored(database, other)
    assert not await is_stored(database, draft)


async def test_writes_cancelled_at_any_moment_leave_a_store_that_works(database):
    async def write():
        await store_draft(database)

    for number in range(40):
        task = asyncio.create_task(write())
        await asyncio.sleep(number / 20_000)
        task.cancel()
        await asyncio.wait([task])

    assert await is_stored(database, await store_draft(database))


async def test_a_unique_violation_is_a_conflict_without_values(database):
    account = an_account(merchant_id="merchant-canary")
    async with database.begin() as work:
        await work.accounts.add(account)

    with pytest.raises(Conflict) as raised:
        async with database.begin() as work:
            await work.accounts.add(an_account(merchant_id="merchant-canary"))

    assert "canary" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


async def test_the_schema_of_a_migrated_database_is_the_newest(database):
    assert await database.schema_version() == newest()


async def test_an_empty_postgres_has_no_schema(postgres, cipher):
    database = Database(postgres.url("postgres"), cipher)

    assert await database.schema_version() is None
    await database.close()


async def test_a_missing_file_has_no_schema_and_is_not_made(tmp_path, cipher):
    database = Database(f"sqlite:///{tmp_path}/none.db", cipher)

    assert await database.schema_version() is None
    await database.close()
    assert list(tmp_path.iterdir()) == []


async def has_its_key(database):
    try:
        await database.check_key()
    except WrongKey:
        return False
    return True


async def test_the_key_that_sealed_the_check_value_is_the_right_one(database):
    assert await has_its_key(database)
    await database.initialise_key()
    await database.initialise_key()

    assert await has_its_key(database)


async def test_a_wrong_key_is_noticed(sqlite_database, sqlite_file):
    await sqlite_database.initialise_key()
    stranger = Database(f"sqlite:///{sqlite_file}", Cipher({"k1": os.urandom(32)}))

    assert not await has_its_key(stranger)
    await stranger.initialise_key()
    assert not await has_its_key(stranger)
    await stranger.close()


async def test_a_write_lock_of_another_process_makes_writes_wait(sqlite_database, sqlite_file):
    other = sqlite3.connect(sqlite_file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.3, other.execute, "COMMIT")

    draft = await store_draft(sqlite_database)

    other.close()
    assert await is_stored(sqlite_database, draft)


async def test_a_write_lock_that_stays_makes_writes_unavailable_and_leaves_reads_alone(sqlite_file, cipher):
    database = Database(f"sqlite:///{sqlite_file}", cipher, patience_s=0.3)
    known = await store_draft(database)
    other = sqlite3.connect(sqlite_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    asked = time.monotonic()
    results = await asyncio.gather(*(store_draft(database) for _ in range(5)), return_exceptions=True)
    waited_s = time.monotonic() - asked

    assert [type(result) for result in results] == [StorageUnavailable] * 5
    assert waited_s < 1.5
    assert await is_stored(database, known)
    other.close()
    assert await is_stored(database, await store_draft(database))
    await database.close()


async def test_a_write_that_waits_too_long_for_another_in_the_process_is_unavailable(sqlite_file, cipher):
    database = Database(f"sqlite:///{sqlite_file}", cipher, patience_s=0.1)

    async with database.begin():
        with pytest.raises(StorageUnavailable):
            await store_draft(database)

    assert await is_stored(database, await store_draft(database))
    await database.close()


async def test_a_read_only_file_is_unavailable_for_writes(sqlite_file, cipher):
    database = Database(f"sqlite:///{sqlite_file}", cipher)
    async with database.session() as session:
        await session.execute(text("PRAGMA query_only = ON"))

    with pytest.raises(StorageUnavailable):
        await store_draft(database)
    await database.close()


async def test_sqlite_is_set_up_to_lose_nothing(sqlite_database):
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "page_size": 16384}
    async with sqlite_database.session() as session:
        found = {name: await session.value(text(f"PRAGMA {name}")) for name in wanted}

    assert found == wanted


async def test_an_unreachable_postgres_is_unavailable(tmp_path, cipher):
    database = Database(f"postgresql://nobody@/none?host={tmp_path}", cipher)

    for transaction in (database.begin, database.read):
        with pytest.raises(StorageUnavailable):
            async with transaction():
                pass
    await database.close()


async def test_a_postgres_that_takes_no_writes_is_unavailable(postgres_url, postgres, cipher):
    name = postgres_url.partition("@/")[2].partition("?")[0] or postgres_url.rpartition("/")[2]
    await postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    database = Database(postgres_url, cipher)

    with pytest.raises(StorageUnavailable):
        await store_draft(database)
    await database.close()


async def test_a_postgres_that_lets_us_in_no_more_tells_callers_only_that_it_is_away(postgres_url, cipher):
    nobodys = make_url(postgres_url).set(username="no_such_user").render_as_string(hide_password=False)
    database = Database(nobodys, cipher)

    with pytest.raises(StorageUnavailable) as refused:
        await store_draft(database)
    assert refused.value.message == StorageUnavailable().message
    await database.close()


async def test_a_postgres_connection_that_was_cut_is_replaced(postgres_url, postgres, cipher):
    database = Database(postgres_url, cipher)
    await store_draft(database)
    await postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'channel-sync' AND datname IS NOT NULL"
    )

    assert await is_stored(database, await store_draft(database))
    await database.close()


async def test_a_postgres_connection_cut_in_a_transaction_is_unavailable(postgres_url, postgres, cipher):
    database = Database(postgres_url, cipher)

    async def lose_the_connection():
        async with database.session() as session:
            mine = await session.value(text("SELECT pg_backend_pid()"))
            await postgres.run(f"SELECT pg_terminate_backend({mine})")
            await session.value(text("SELECT 1"))

    with pytest.raises(StorageUnavailable):
        await lose_the_connection()
    assert await is_stored(database, await store_draft(database))
    await database.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "postgres"])
def test_an_address_of_another_kind_is_refused(url, cipher):
    with pytest.raises(Exception, match=r"(?i)database address|could not parse"):
        Database(url, cipher)
