"""PostgreSQL as a store, reached directly or through a pooler like PgBouncer in transaction mode."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from channel_sync.domain.errors import StorageUnavailable
from channel_sync.persistence.engine.postgres_address import PostgresAddress
from channel_sync.persistence.engine.postgres_driver import connect
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.engine.storage_errors import translated_connecting

T = TypeVar("T")

DRIVER = "postgresql+asyncpg://"

_CONNECTIONS = 10
_CONNECT_S = 3.0
# Waiting for a free connection ends early, so that a full pool is a quick 503 and not a slow one.
_POOL_WAIT_S = 2.0
# How long BEGIN may take, which waits for nothing but a pooler. A server that fell silent is noticed here.
_BEGIN_S = 2.0
# Longer than the server lets a statement run: only a server that fell silent meets this.
_ANSWER_S = 35.0
# A pooler knows no settings of a connection, only of a transaction. In one message with BEGIN they cost nothing.
# The last ends what a process holds that stands still, before others have waited for it as long as the first says.
_LIMITS = """\
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
SET LOCAL idle_in_transaction_session_timeout = '3s'"""
# Not READ WRITE: a server that was made read-only is to stay so.
_WRITING = f"BEGIN; {_LIMITS}"
# What a crash of the server may undo: commits of the last moment, each of them whole.
_NOTING = f"{_WRITING}; SET LOCAL synchronous_commit = off"
_READING = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_LIMITS}"

# Between two transactions a pooler changes the connection, and with it what is prepared. Statements without a name
# are used before that, and unlike named ones nobody has to drop them.
_NOTHING_PREPARED: dict[str, Any] = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": str,
}


class DriverMissing(Exception):
    """The packages that PostgreSQL needs are not installed."""


def connecting(address: PostgresAddress) -> dict[str, Any]:
    """The arguments of an engine of SQLAlchemy with which it connects to the address, and not to its own."""
    try:
        driver = make_url(DRIVER).get_dialect().import_dbapi().asyncpg
    except ModuleNotFoundError:
        raise DriverMissing from None
    arguments = {"async_creator_fn": partial(connect, driver, address, "channel-sync", _CONNECT_S)}
    return arguments | (_NOTHING_PREPARED if address.pooled else {})


def _for_whom(tenant: str | None) -> str:
    """What the policies of row-level security ask for; see the migration that made them.

    Both settings each time: a pooler hands connections on with what somebody once set for all of a session.
    """
    # A simple message has no parameters. In this form a backslash is the same whatever the server's settings are.
    quoted = (tenant or "").replace("\\", "\\\\").replace("'", "''")
    everybodys = "on" if tenant is None else "off"
    return f"SET LOCAL channel_sync.every_tenant = '{everybodys}'; SET LOCAL channel_sync.tenant = E'{quoted}'"


class PostgresStore:
    """Transactions on one PostgreSQL database.

    They begin and end here and not in SQLAlchemy, for which every connection is in autocommit: so BEGIN carries
    the limits, and asks by the way whether the connection is alive.
    """

    single_process = False
    exists = True

    def __init__(self, address: PostgresAddress) -> None:
        engine = create_async_engine(
            DRIVER,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_POOL_WAIT_S,
            hide_parameters=True,
            connect_args=connecting(address) | {"command_timeout": _ANSWER_S},
        )
        # Not an argument of the engine: what SQLAlchemy asks a new connection needs a transaction behind a pooler.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        driver: Any = engine.dialect.loaded_dbapi
        errors = driver.asyncpg
        # The last one is what the driver says of a connection that ends just now.
        self._refusals = (OSError, errors.PostgresError, errors.InterfaceError, errors.InternalClientError)

    @asynccontextmanager
    async def begin(self, tenant: str | None, durable: bool = True) -> AsyncIterator[Session]:
        """A transaction for one tenant, or for every one."""
        async with self._transaction(_WRITING if durable else _NOTING, tenant) as session:
            yield session

    async def run_transaction(
        self, act: Callable[[Session], Coroutine[Any, Any, T]], tenant: str | None, durable: bool = True
    ) -> T:
        """What `act` returns from a transaction."""
        async with self.begin(tenant, durable) as session:
            return await act(session)

    @asynccontextmanager
    async def read(self, tenant: str | None) -> AsyncIterator[Session]:
        """A read-only transaction that sees one moment."""
        async with self._transaction(_READING, tenant) as session:
            yield session

    @asynccontextmanager
    async def _transaction(self, opening: str, tenant: str | None) -> AsyncIterator[Session]:
        connection, driver = await self._opened(f"{opening}; {_for_whom(tenant)}")
        ended = False

        async def run(ask: Callable[[Connection], T]) -> T:
            with translated_connecting():
                return await connection.run_sync(ask)

        try:
            yield Session(run, postgres=True, driver=driver, tenant=tenant)
            with self._refused():
                outcome = await driver.execute("COMMIT")
            # PostgreSQL ends a transaction in which a statement failed by undoing it, and calls that no error.
            if outcome != "COMMIT" and opening is not _READING:
                raise StorageUnavailable
            ended = True
        finally:
            # Also when the task is cancelled: a connection with an open transaction must not be used again.
            await asyncio.shield(self._give_back(connection, driver, ended))

    async def _opened(self, opening: str) -> tuple[AsyncConnection, Any]:
        """A connection with an open transaction. Those that were cut while they lay idle are passed over."""
        for _ in range(_CONNECTIONS):
            connection, driver = await self._connected()
            try:
                await driver.execute(opening, timeout=_BEGIN_S)
            except BaseException as error:
                driver.terminate()
                await asyncio.shield(self._give_back(connection, driver, ended=True))
                if not isinstance(error, self._refusals):
                    raise
                if isinstance(error, TimeoutError):
                    break
            else:
                return connection, driver
        raise StorageUnavailable

    async def _connected(self) -> tuple[AsyncConnection, Any]:
        with translated_connecting():
            connection = await self._engine.connect()
        return connection, (await connection.get_raw_connection()).driver_connection

    async def _give_back(self, connection: AsyncConnection, driver: Any, ended: bool) -> None:
        """Undo what has not ended, and leave the connection to the next transaction if it is still good."""
        if not ended and not driver.is_closed():
            try:
                await driver.execute("ROLLBACK", timeout=_BEGIN_S)
            except self._refusals:
                driver.terminate()
        if driver.is_closed():
            await connection.invalidate()
        await connection.close()

    @contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except self._refusals:
            raise StorageUnavailable from None

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
