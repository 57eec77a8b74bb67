"""The statements of one transaction, in one colour for every store."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields
from typing import Any, Protocol, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    Row,
    Table,
    delete,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

# What is read without a turn for others, and what is sent in one piece: of that a process that is stopped has sent
# PostgreSQL all or nothing, so that the server knows that it waits.
_PART = 200
_EVERY_TENANT = text("SELECT set_config('channel_sync.every_tenant', :on, true)")

# Of one execution, or of several.
Parameters = dict[str, Any] | list[dict[str, Any]]
Values = tuple[Any, ...]


class RunStatement(Protocol):
    """Calls a function with the transaction's connection, wherever that may be used."""

    async def __call__(self, ask: Callable[[Connection], T], /) -> T:
        """What the function returns."""
        ...


class Session:
    """Runs statements by `run`; what a statement found is read before it comes back.

    `driver` is the driver's own connection, where the transaction has one that others may use. `tenant` is whom it
    is for, None for every one.
    """

    def __init__(self, run: RunStatement, postgres: bool, driver: Any = None, tenant: str | None = None) -> None:
        self.run = run
        self.postgres = postgres
        self.driver = driver
        self._tenant = tenant

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> None:
        """Run a statement, once or once for each of the parameters."""
        if isinstance(parameters, list):
            for start in range(0, len(parameters), _PART):
                await self._execute(statement, parameters[start : start + _PART])
        else:
            await self._execute(statement, parameters)

    async def _execute(self, statement: Executable, parameters: Parameters | None) -> None:
        await self.run(lambda connection: connection.execute(statement, parameters))

    async def change(self, statement: Executable) -> int:
        """How many rows the statement changed."""
        return await self.run(lambda connection: connection.execute(statement).rowcount)

    async def delete_some(self, table: Table, condition: ColumnElement[bool], by: Column[Any], limit: int) -> int:
        """Delete rows a condition holds for, of many the lowest by a column that is indexed; how many.

        A backlog is too much for one statement: it would be given up after its time, and tried in vain again.
        """
        key = tuple_(*table.primary_key.columns)
        some = select(*table.primary_key.columns).where(condition).order_by(by).limit(limit)
        return await self.change(delete(table).where(key.in_(some)))

    async def rows(self, statement: Executable, parameters: Parameters | None = None) -> Sequence[Row[*Values]]:
        """Every row found."""
        return await self.run(lambda connection: connection.execute(statement, parameters).all())

    async def row(self, statement: Executable, parameters: Parameters | None = None) -> Row[*Values] | None:
        """The first row found."""
        return await self.run(lambda connection: connection.execute(statement, parameters).first())

    async def column(self, statement: Executable, parameters: Parameters | None = None) -> list[Any]:
        """The first column of every row found."""
        return await self.run(lambda connection: list(connection.execute(statement, parameters).scalars()))

    async def value(self, statement: Executable, parameters: Parameters | None = None) -> Any:
        """The first column of the first row found, or None."""
        return await self.run(lambda connection: connection.execute(statement, parameters).scalar())

    async def parts(self, statement: Executable) -> AsyncIterator[Sequence[Row[*Values]]]:
        """Every row found, some at a time; the event loop gets its turn in between."""
        found: CursorResult[*Values] = await self.run(lambda connection: connection.execute(statement))
        while part := await self.run(lambda _: found.fetchmany(_PART)):
            yield part
            await asyncio.sleep(0)

    async def value_of_any_tenant(self, statement: Executable) -> Any:
        """`value`, found among the rows of every tenant also in a transaction for one."""
        if not self.postgres or self._tenant is None:
            return await self.value(statement)
        await self.value(_EVERY_TENANT.params(on="on"))
        # An error ends the transaction, and the setting with it.
        found = await self.value(statement)
        await self.value(_EVERY_TENANT.params(on="off"))
        return found

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say what to do on a conflict, which is not standard SQL."""
        return postgresql.insert(table) if self.postgres else sqlite.insert(table)


def columns_of(table: Table, shape: type) -> list[Column[Any]]:
    """The table's columns that are called like the fields of a dataclass."""
    return [table.c[field.name] for field in fields(shape)]
