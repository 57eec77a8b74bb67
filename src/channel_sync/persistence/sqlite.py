"""SQLite as a store: one connection writes, others only read."""

import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, QueuePool

_log = logging.getLogger(__name__)

# Orders are about 4 KB: pages of 16 KB waste less and make the download a quarter faster.
_PAGE_BYTES = 16_384
_LOG_BYTES = 64 * 1024 * 1024
# A reader meets a lock only while a log is being recovered; it waits in the event loop's thread, so not for long.
_READER_PATIENCE_S = 0.1

_WRITER_PRAGMAS = (
    f"PRAGMA page_size = {_PAGE_BYTES}",  # counts for a new file only, and only before the log is switched on
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -32768",
    f"PRAGMA wal_autocheckpoint = {_LOG_BYTES // _PAGE_BYTES}",
    f"PRAGMA journal_size_limit = {_LOG_BYTES}",
)

# https://sqlite.org/wal.html, "the WAL-reset bug": two connections that checkpoint may damage the file.
_SAFE_VERSION = (3, 51, 3)


def prepare_writer(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Set a new connection up for writing. It alone writes the log back into the file."""
    cursor = connection.cursor()
    for pragma in _WRITER_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _warn_of_damage(_connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    if sqlite3.sqlite_version_info < _SAFE_VERSION:
        _log.warning(
            "SQLite %s may damage a file that two connections write back; here one does, keep it one process.",
            sqlite3.sqlite_version,
        )


def begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a read that turns into a write fails without waiting."""
    patience_ms = connection.get_execution_options().get("patience_ms", 0)
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience_ms}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_read(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


class SqliteStore:
    """Transactions on one SQLite file.

    `patience_s` bounds the wait for the writer before us in this process and for other processes, together.
    """

    single_process = True

    def __init__(self, path: Path, patience_s: float) -> None:
        self._path = path
        self._patience_s = patience_s
        self._writer = create_async_engine(
            f"sqlite+aiosqlite:///{path}",
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            pool_timeout=patience_s,
            hide_parameters=True,
            connect_args={"isolation_level": None, "timeout": patience_s},
        )
        event.listen(self._writer.sync_engine, "connect", prepare_writer)
        event.listen(self._writer.sync_engine, "connect", _warn_of_damage, once=True)
        event.listen(self._writer.sync_engine, "begin", begin_immediate)
        # As many connections as there are open reads, so that the pool never waits in the event loop's thread.
        self._reader = create_engine(
            "sqlite://", creator=self._connect_reader, poolclass=QueuePool, max_overflow=-1, hide_parameters=True
        )
        event.listen(self._reader, "begin", _begin_read)

    def _connect_reader(self) -> sqlite3.Connection:
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(
            address, uri=True, isolation_level=None, timeout=_READER_PATIENCE_S, check_same_thread=False
        )

    @property
    def exists(self) -> bool:
        """Whether there is a file to read."""
        return self._path.exists()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """The writing connection inside a transaction that holds the write lock."""
        asked = time.monotonic()
        async with self._writer.connect() as connection:
            left_s = max(0.0, self._patience_s - (time.monotonic() - asked))
            await connection.execution_options(patience_ms=int(left_s * 1000))
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A reading connection inside a transaction; it sees one moment and waits for no writer."""
        with self._reader.connect() as connection, connection.begin():
            yield connection

    async def close(self) -> None:
        """Close every connection. Readers first: the last one out writes the log back."""
        self._reader.dispose()
        await self._writer.dispose()
