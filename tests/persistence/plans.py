"""How SQLite means to find what a repository asks for."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection

from channel_sync.persistence.database import Database, UnitOfWork


async def plans_of(database: Database, ask: Callable[[UnitOfWork], Awaitable[Any]]) -> list[str]:
    """The steps of the plan of every statement that asking takes."""
    statements: list[str] = []

    def listen(connection: Connection) -> list[str]:
        driver = connection.connection.driver_connection
        assert driver is not None
        found = [row[3] for sql in statements for row in driver.execute(f"EXPLAIN QUERY PLAN {sql}")]
        driver.set_trace_callback(statements.append if not statements else None)
        return found

    async with database.session() as session:
        await session.run(listen)
        await ask(UnitOfWork(session, database.cipher))
        return await session.run(listen)
