"""The statements of one transaction, in one colour for both databases."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, CursorResult, Executable, Row, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")

_PART = 200

Parameters = dict[str, Any] | list[dict[str, Any]]
Values = tuple[Any, ...]


class Session:
    """Runs statements on a connection.

    A read on SQLite has a plain connection and runs in the calling thread: a short indexed read costs less than
    the way to another thread and back. Everything else is awaited.
    """

    def __init__(self, connection: AsyncConnection | Connection) -> None:
        self._connection = connection
        self.postgres = connection.dialect.name == "postgresql"

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[*Values]:
        """The result of a statement; a list of parameters runs it once for each."""
        if isinstance(self._connection, AsyncConnection):
            return await self._connection.execute(statement, parameters)
        return self._connection.execute(statement, parameters)

    async def rows(self, statement: Executable) -> Sequence[Row[*Values]]:
        """Every row found."""
        return (await self.execute(statement)).all()

    async def row(self, statement: Executable) -> Row[*Values] | None:
        """The first row found."""
        return (await self.execute(statement)).first()

    async def parts(self, statement: Executable) -> AsyncIterator[Sequence[Row[*Values]]]:
        """Every row found, some at a time; the event loop gets its turn in between."""
        for part in (await self.execute(statement)).partitions(_PART):
            yield part
            await asyncio.sleep(0)

    async def column(self, statement: Executable) -> list[Any]:
        """The first column of every row found."""
        return list((await self.execute(statement)).scalars())

    async def value(self, statement: Executable) -> Any:
        """The first column of the first row found, or None."""
        return (await self.execute(statement)).scalar()

    async def change(self, statement: Executable) -> int:
        """How many rows the statement changed."""
        return (await self.execute(statement)).rowcount

    async def write(self, sql: str, values: Values | list[Values]) -> None:
        """Run the driver's own SQL, once, or once for each of a list of value tuples."""
        if isinstance(self._connection, AsyncConnection):
            await self._connection.exec_driver_sql(sql, values)
        else:
            self._connection.exec_driver_sql(sql, values)

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say what to do on a conflict, which is not standard SQL."""
        return postgresql.insert(table) if self.postgres else sqlite.insert(table)

    async def run(self, ask: Callable[[Connection], T]) -> T:
        """What a function finds out with the plain connection."""
        if isinstance(self._connection, AsyncConnection):
            return await self._connection.run_sync(ask)
        return ask(self._connection)


def columns_of(table: Table, shape: type) -> list[Column[Any]]:
    """The table's columns that are called like the fields of a dataclass."""
    return [table.c[field.name] for field in fields(shape)]
