import asyncio
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from tests.factories import a_draft

from channel_sync.domain.secrets import Secret
from channel_sync.persistence.database import Database
from channel_sync.persistence.migrations import config, is_described, migrate, newest
from channel_sync.persistence.sql.tables import metadata

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty_postgres_url(postgres):
    """A PostgreSQL database without a schema."""
    name = f"test_{uuid4().hex}"
    asyncio.run(postgres.run(f"CREATE DATABASE {name}"))
    yield postgres.url(name)
    asyncio.run(postgres.run(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request, tmp_path):
    """A database without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/folder/empty.db"
    return request.getfixturevalue("empty_postgres_url")


@pytest.fixture
def look(empty_url, cipher):
    """What a function finds out with a connection to that database."""

    async def ask(question):
        database = Database(empty_url, cipher)
        async with database.session() as session:
            answer = await session.run(question)
        await database.close()
        return answer

    return lambda question: asyncio.run(ask(question))


def add_draft(url, cipher):
    async def add():
        database = Database(url, cipher)
        async with database.begin() as work:
            await work.integrations.add(a_draft(), Secret("a-secret-of-the-app"))
        await database.close()

    asyncio.run(add())


def differences(connection):
    """What the tables of the code and of the database do not have in common."""
    ours = {"include_name": lambda name, kind, _: is_described(name, kind)}
    return compare_metadata(MigrationContext.configure(connection, opts=ours), metadata)


def drafts(connection):
    return connection.execute(text("SELECT count(*) FROM integrations")).scalar()


def test_the_tables_are_what_the_migrations_make(empty_url, look):
    migrate(empty_url)

    assert look(differences) == []


def test_only_sqlite_goes_on_checking_orders_for_their_account(empty_url, look):
    def checks(connection):
        return [key["name"] for key in inspect(connection).get_foreign_keys("orders")]

    migrate(empty_url, "2026_11_28_waiting")
    before = look(checks)
    migrate(empty_url)

    assert before == ["fk_orders_account_id"]
    assert look(checks) == (before if empty_url.startswith("sqlite") else [])


def test_migrating_twice_changes_nothing(empty_url, look, cipher):
    migrate(empty_url)
    add_draft(empty_url, cipher)

    migrate(empty_url)

    assert look(drafts) == 1


def test_a_step_down_and_up_again_keeps_the_rows_of_other_tables(empty_url, look, cipher):
    migrate(empty_url)
    add_draft(empty_url, cipher)

    migrate(empty_url, "-1")
    migrate(empty_url)

    assert look(drafts) == 1
    assert look(differences) == []


def test_all_the_way_down_leaves_no_table(empty_url, look):
    migrate(empty_url)
    migrate(empty_url, "base")

    def tables(connection):
        return set(connection.dialect.get_table_names(connection))

    assert look(tables) == {"alembic_version"}


def test_four_that_migrate_at_once_all_find_it_done(empty_url, look, cipher):
    with ThreadPoolExecutor(4) as four:
        list(four.map(migrate, [empty_url] * 4))

    add_draft(empty_url, cipher)
    assert look(drafts) == 1


def test_a_file_that_another_is_making_just_now_is_waited_for(tmp_path):
    url = f"sqlite:///{tmp_path}/new.db"
    with closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as thread:
            migrating = thread.submit(migrate, url)
            assert wait([migrating], timeout=0.3).not_done
            other.execute("COMMIT")
            migrating.result()


def test_there_is_one_newest_revision():
    assert ScriptDirectory.from_config(config()).get_heads() == [newest()]


def test_file_names_begin_with_a_date_and_each_revision_goes_down():
    for script in ScriptDirectory.from_config(config()).walk_revisions():
        assert Path(script.path).name[:4].isdigit()
        assert callable(script.module.downgrade)


def test_the_developers_file_points_to_the_same_migrations():
    settings = (ROOT / "alembic.ini").read_text()

    assert "script_location = %(here)s/migrations" in settings
    assert Path(config().get_main_option("script_location") or "") == ROOT / "migrations"


def test_a_migration_that_would_orphan_rows_is_undone(tmp_path):
    url = f"sqlite:///{tmp_path}/broken.db"
    migrate(url)
    with sqlite3.connect(tmp_path / "broken.db") as connection:
        connection.execute(
            "INSERT INTO schedules (integration_id, kind, failures) VALUES ('int_that_is_not_there', 'orders', 0)"
        )
    connection.close()

    with pytest.raises(RuntimeError, match="without their parents"):
        migrate(url, "-1")

    with sqlite3.connect(tmp_path / "broken.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest(),)]
    connection.close()


def test_a_killed_migration_leaves_no_half_schema(tmp_path):
    file = tmp_path / "killed.db"
    dying = subprocess.run([sys.executable, "-c", DIE_IN_THE_MIDDLE, f"sqlite:///{file}"], check=False)
    assert dying.returncode == 9

    migrate(f"sqlite:///{file}")

    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest(),)]
    connection.close()


DIE_IN_THE_MIDDLE = """
import os, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from channel_sync.persistence.migrations import migrate

def die(connection, cursor, statement, *rest):
    if "CREATE TABLE listings" in statement:
        os._exit(9)

event.listen(Engine, "before_cursor_execute", die)
migrate(sys.argv[1])
"""
