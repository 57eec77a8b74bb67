"""Brings a database to the newest schema. Of two that try at once one migrates, the other waits for it."""

import asyncio
import sqlite3
from functools import cache
from pathlib import Path
from random import uniform
from time import monotonic, sleep

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import channel_sync
from channel_sync.persistence.engine.postgres import DRIVER, connecting
from channel_sync.persistence.engine.postgres_address import SCHEME, PostgresAddress, postgres_address
from channel_sync.persistence.engine.sqlite import begin_immediate, create_private, prepare_writer
from channel_sync.persistence.engine.storage_errors import translated, translated_connecting

_WAIT_MS = 60_000
_ADVISORY_LOCK = 0x57_15_48


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database to a revision, by default the newest; `StorageUnavailable` where that takes too long.

    All of it is one transaction, so a crash leaves the database as it was.
    """
    if url.startswith(SCHEME):
        asyncio.run(_migrate_postgres(postgres_address(url), revision))
    else:
        _migrate_sqlite(make_url(url), revision)


def newest() -> str:
    """The revision that this code needs."""
    head = _scripts().get_current_head()
    assert head is not None, "There are no migrations."
    return head


def outdated() -> frozenset[str]:
    """The revisions that this code has left behind.

    One that it does not know is newer: it belongs to the next release, whose migrations only add, and this one
    goes on beside it until it is replaced.
    """
    return frozenset(script.revision for script in _scripts().walk_revisions()) - {newest()}


def is_described(name: str | None, kind: str) -> bool:
    """Whether our tables are to say of this what it is like.

    The engine of distributed jobs describes its tables itself, and SQLite keeps a foreign key that nobody needs:
    it would copy every order to be rid of it.
    """
    return not (kind == "table" and (name or "").startswith("pgqueuer")) and name != "fk_orders_account_id"


def config() -> Config:
    """Alembic, told where the migrations are: inside the wheel, or beside `src`."""
    package = Path(channel_sync.__file__).parent
    inside = package / "migrations"
    folder = inside if inside.is_dir() else package.parent.parent / "migrations"
    found = Config()
    found.set_main_option("script_location", str(folder).replace("%", "%%"))
    return found


@cache
def _scripts() -> ScriptDirectory:
    """All there are, read once: each of them is a module to be carried out."""
    return ScriptDirectory.from_config(config())


def _run(connection: Connection, revision: str) -> None:
    # Alembic goes on in the transaction that is open on the connection it is given.
    settings = config()
    settings.attributes["connection"] = connection
    downwards = revision == "base" or revision.startswith("-")
    (command.downgrade if downwards else command.upgrade)(settings, revision)


def _migrate_sqlite(address: URL, revision: str) -> None:
    file = Path(address.database or "")
    with translated_connecting():
        file.parent.mkdir(parents=True, exist_ok=True)
        create_private(file)
    engine = create_engine(
        address.set(drivername="sqlite"),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": _WAIT_MS / 1000},
    )
    event.listen(engine, "connect", prepare_writer)
    event.listen(engine, "begin", begin_immediate)
    with translated(), _connected(engine) as connection:
        # Altering a table copies it; with foreign keys on, dropping the old one takes the rows of its children.
        driver = connection.connection.cursor()
        driver.execute("PRAGMA foreign_keys = OFF")
        driver.close()
        with connection.execution_options(patience_ms=_WAIT_MS).begin():
            _run(connection, revision)
            if connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
                raise RuntimeError("The migration would leave rows without their parents; nothing was changed.")
    engine.dispose()


def _connected(engine: Engine) -> Connection:
    """A connection, waited for while another makes the same file: SQLite does not wait to change its journal."""
    give_up_at = monotonic() + _WAIT_MS / 1000
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            is_busy = isinstance(error.orig, sqlite3.Error) and error.orig.sqlite_errorcode == sqlite3.SQLITE_BUSY
            if not is_busy or monotonic() >= give_up_at:
                raise
            sleep(uniform(0.01, 0.1))


async def _migrate_postgres(address: PostgresAddress, revision: str) -> None:
    arguments = connecting(address)
    engine = create_async_engine(DRIVER, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
    with translated(), translated_connecting():
        async with engine.begin() as connection:
            await connection.execute(text(f"SET LOCAL lock_timeout = {_WAIT_MS}"))
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
            # From here on a lock that traffic holds ends the migration soon: waiting for it would stop traffic.
            await connection.execute(text("SET LOCAL lock_timeout = '3s'"))
            # Nor may one that stands still keep what it has locked.
            await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '5s'"))
            await connection.run_sync(_run, revision)
    await engine.dispose()
