"""How a database means to find what a repository asks for."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection, event

from channel_sync.persistence.database import Database, UnitOfWork


async def plans_of(database: Database, ask: Callable[[UnitOfWork], Awaitable[Any]]) -> list[str]:
    """The steps of SQLite's plan of every statement that asking takes."""
    statements: list[str] = []

    def listen(connection: Connection) -> list[str]:
        driver = connection.connection.driver_connection
        assert driver is not None
        found = [row[3] for sql in statements for row in driver.execute(f"EXPLAIN QUERY PLAN {sql}")]
        driver.set_trace_callback(statements.append if not statements else None)
        return found

    async with database.session() as session:
        await session.run(listen)
        await ask(UnitOfWork(session, database.personal, database.platform_apps))
        return await session.run(listen)


async def postgres_plans_of(database: Database, ask: Callable[[UnitOfWork], Awaitable[Any]]) -> list[str]:
    """The same of PostgreSQL, which would rather read through the few rows of a test, or collect and sort them."""
    statements: list[tuple[str, Any]] = []

    def listen(connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        event.listen(
            connection,
            "before_cursor_execute",
            lambda _connection, _cursor, sql, parameters, *_: statements.append((sql, parameters)),
        )

    def explain(connection: Connection) -> list[str]:
        asked = statements.copy()
        plans = [connection.exec_driver_sql(f"EXPLAIN {sql}", values) for sql, values in asked]
        return [row[0].strip() for plan in plans for row in plan]

    async with database.begin() as work:
        session = work.events._session
        await session.run(listen)
        await ask(work)
        return await session.run(explain)
