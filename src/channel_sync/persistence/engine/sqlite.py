"""SQLite as a store: one connection writes, in a thread of its own; the others only read, in the caller's."""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from channel_sync.domain.errors import StorageUnavailable
from channel_sync.persistence.engine.session import Session

T = TypeVar("T")

_log = logging.getLogger(__name__)

# Orders are about 4 KB: pages of 16 KB waste less and make the download a quarter faster.
_PAGE_BYTES = 16_384
_LOG_BYTES = 64 * 1024 * 1024
# A reader meets a lock only while a log is being recovered; it waits in the event loop's thread, so not for long.
_READER_PATIENCE_S = 0.1
_BESIDE = ("-wal", "-shm", "-journal", ".lock")
_OF_OTHERS = 0o077

_WRITER_PRAGMAS = (
    f"PRAGMA page_size = {_PAGE_BYTES}",  # counts for a new file only, and only before the log is switched on
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -8192",
    f"PRAGMA wal_autocheckpoint = {_LOG_BYTES // _PAGE_BYTES}",
    f"PRAGMA journal_size_limit = {_LOG_BYTES}",
)

# https://sqlite.org/wal.html, "the WAL-reset bug": two connections that checkpoint may damage the file.
_SAFE_VERSION = (3, 51, 3)


def keep_private(path: Path) -> None:
    """Let nobody but its owner read the file and those beside it; SQLite makes new ones with the file's rights."""
    for file in (path, *(path.with_name(f"{path.name}{ending}") for ending in _BESIDE)):
        if not file.exists() or not file.stat().st_mode & _OF_OTHERS:
            continue
        try:
            file.chmod(file.stat().st_mode & ~_OF_OTHERS)
        except OSError:
            _log.warning("Others may read %s, and its rights are not ours to change: chmod 600 it.", file)


def create_private(path: Path) -> None:
    """An empty file, if there is none, that nobody but its owner can read."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    keep_private(path)


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
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {options['patience_ms']}")
    # Without a sync of its own a commit is on the disk with the next one that has it. Never in the middle of one.
    connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if options.get('durable', True) else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_read(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


class SqliteStore:
    """Transactions on one SQLite file.

    `patience_s` bounds the wait for the writer before us in this process and for other processes, together.
    """

    single_process = True

    def __init__(self, path: Path, patience_s: float) -> None:
        keep_private(path)
        self._path = path
        self._patience_s = patience_s
        self._turn = asyncio.Lock()
        self._writer = _Writer(path)
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
    async def begin(self, _tenant: str | None, durable: bool = True) -> AsyncIterator[Session]:
        """A transaction that holds the write lock. Only the repositories keep tenants apart here."""
        async with self._turn_to_write() as left_s:
            try:
                await self._writer.do(lambda: self._writer.open(left_s, durable))
                yield Session(self._writer.run, postgres=False)
                await self._writer.do(self._writer.commit)
            finally:
                await self._writer.do(self._writer.close)

    async def run_transaction(
        self, act: Callable[[Session], Coroutine[Any, Any, T]], _tenant: str | None, durable: bool = True
    ) -> T:
        """What `act` returns from a transaction that is carried out whole in the writer's thread."""
        async with self._turn_to_write() as left_s:
            return await self._writer.do(lambda: self._writer.transaction(act, left_s, durable))

    @asynccontextmanager
    async def _turn_to_write(self) -> AsyncIterator[float]:
        """The writer, ours until the end, and the seconds of patience that are left for the file's lock."""
        asked = time.monotonic()
        try:
            async with asyncio.timeout(self._patience_s):
                await self._turn.acquire()
        except TimeoutError:
            raise StorageUnavailable from None
        try:
            yield max(0.0, self._patience_s - (time.monotonic() - asked))
        finally:
            self._turn.release()

    @asynccontextmanager
    async def read(self, _tenant: str | None) -> AsyncIterator[Session]:
        """A read-only transaction; it sees one moment and waits for no writer.

        It runs in the calling thread: a short indexed read costs less than the way to another thread and back.
        """
        with self._reader.connect() as connection, connection.begin():

            async def run(ask: Callable[[Connection], T]) -> T:
                return ask(connection)

            yield Session(run, postgres=False)

    async def close(self) -> None:
        """Close every connection. Readers first: the last one out writes the log back."""
        self._reader.dispose()
        await self._writer.do(self._writer.dispose)
        self._writer.thread.shutdown()


class _Writer:
    """The connection that writes. All but `do` and `run` belong to its thread.

    The thread does one thing after another, also what nobody waits for any more: a transaction whose task was
    cancelled is closed before the next one begins.
    """

    def __init__(self, path: Path) -> None:
        # Without it sqlite3 looks in vain for an adapter of every bool, at a third of a microsecond each.
        sqlite3.register_adapter(bool, int)
        self.thread = ThreadPoolExecutor(1, "sqlite-writer")
        self._engine = create_engine(
            f"sqlite:///{path}",
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,
            connect_args={"isolation_level": None},
        )
        event.listen(self._engine, "connect", prepare_writer)
        # Here, not sooner: a process that refuses to start says only why.
        event.listen(self._engine, "connect", _warn_of_damage, once=True)
        event.listen(self._engine, "begin", begin_immediate)
        self._connection: Connection | None = None

    async def do(self, act: Callable[[], T]) -> T:
        """What the function returns, called in the thread; it is carried out even if the caller is cancelled."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self.thread, act))

    async def run(self, ask: Callable[[Connection], T]) -> T:
        """What the function returns, called in the thread with the open connection."""
        connection = self._connection
        assert connection is not None, "Only within a transaction."
        return await self.do(lambda: ask(connection))

    def transaction(self, act: Callable[[Session], Coroutine[Any, Any, T]], patience_s: float, durable: bool) -> T:
        """What `act` returns, committed."""
        try:
            self.open(patience_s, durable)
            result = _driven(act(Session(self._at_hand, postgres=False)))
            self.commit()
            return result
        finally:
            self.close()

    async def _at_hand(self, ask: Callable[[Connection], T]) -> T:
        assert self._connection is not None, "Only within a transaction."
        return ask(self._connection)

    def open(self, patience_s: float, durable: bool) -> None:
        """Begin a transaction."""
        options = {"patience_ms": int(patience_s * 1000), "durable": durable}
        self._connection = self._engine.connect().execution_options(**options)
        self._connection.begin()

    def commit(self) -> None:
        """Commit the transaction."""
        if self._connection is not None:
            self._connection.commit()

    def close(self) -> None:
        """End the transaction; what is not committed is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def dispose(self) -> None:
        """Close the connection."""
        self._engine.dispose()


def _driven(steps: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing, worked out without an event loop."""
    try:
        steps.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    steps.close()
    raise RuntimeError("Only repositories may be awaited in a transaction that is carried out at once.")
