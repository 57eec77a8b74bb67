"""PostgreSQL as a store."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from channel_sync.persistence.session import Session
from channel_sync.persistence.storage_errors import translated_connecting

T = TypeVar("T")

_CONNECTIONS = 10
_CONNECT_S = 5.0
# Waiting for a free connection ends early, so that a full pool is a quick 503 and not a slow one.
_POOL_WAIT_S = 2.0
_LIMITS = {
    "application_name": "channel-sync",
    "lock_timeout": "5s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "30s",
}


class PostgresStore:
    """Transactions on one PostgreSQL database."""

    single_process = False
    exists = True

    def __init__(self, url: URL) -> None:
        self._engine: AsyncEngine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_POOL_WAIT_S,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"timeout": _CONNECT_S, "server_settings": _LIMITS},
        )
        self._snapshots = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Session]:
        """A transaction."""
        async with self._transaction(self._engine) as session:
            yield session

    async def at_once(self, act: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """What `act` returns from a transaction."""
        async with self.begin() as session:
            return await act(session)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """A read-only transaction that sees one moment."""
        async with self._transaction(self._snapshots) as session:
            yield session

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[Session]:
        with translated_connecting():
            connection = await engine.connect()
        try:
            async with connection.begin():
                driver = (await connection.get_raw_connection()).driver_connection
                yield Session(connection.run_sync, postgres=True, driver=driver)
        finally:
            await connection.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
