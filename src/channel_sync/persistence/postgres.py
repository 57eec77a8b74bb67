"""PostgreSQL as a store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from channel_sync.persistence.storage_errors import translated_connecting

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
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A connection inside a transaction."""
        async with self._connect(self._engine) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection inside a read-only transaction that sees one moment."""
        async with self._connect(self._snapshots) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def _connect(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        with translated_connecting():
            connection = await engine.connect()
        try:
            yield connection
        finally:
            await connection.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
