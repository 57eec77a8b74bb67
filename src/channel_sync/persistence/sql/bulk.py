"""Many rows at once, in the driver's own SQL: the statement builder would cost more than the database."""

from collections.abc import Sequence
from itertools import chain

from sqlalchemy import Connection, Table
from sqlalchemy.engine import make_url

from channel_sync.persistence.engine.session import Session, Values

# Rows a statement on SQLite. sqlite3 gives the interpreter lock back once a statement, not once a row.
_CHUNK = 250
_POSTGRES = make_url("postgresql://").get_dialect()()


class BulkInsert:
    """INSERT of rows given as tuples in the order of `columns`; `conflict` is its ON CONFLICT clause.

    Values are as stored: moments in microseconds, amounts and documents as text.

    On PostgreSQL it is one message. A row each would be many, and no time limit ends a transaction whose process
    is stopped between two of them: the server counts only how long it waits after all of them.
    """

    def __init__(self, table: Table, columns: Sequence[str], conflict: str) -> None:
        self.columns = columns
        self._head = f"INSERT INTO {table.name} ({', '.join(columns)}) "
        self._conflict = f" {conflict}"
        self._row = "(" + ", ".join("?" * len(columns)) + ")"
        self._full_chunk = self._chunk(_CHUNK)
        self._arrays = [f"{table.c[name].type.compile(dialect=_POSTGRES)}[]" for name in columns]
        self._unnested = f"{self._head}SELECT * FROM {self._unnest(self.columns, 1)}{self._conflict}"

    async def write(self, session: Session, rows: Sequence[Values]) -> None:
        """Insert the rows; no two of them may meet the same conflict."""
        if not rows:
            return
        if session.postgres:
            arrays = tuple(list(column) for column in zip(*rows, strict=True))
            await session.run(lambda connection: connection.exec_driver_sql(self._unnested, arrays))
        else:
            await session.run(lambda connection: self._write_chunks(connection, rows))

    def ordered(self, first: int, before: str, source: str) -> str:
        """The statement for PostgreSQL as a part of a larger one; parameters from `first` on are its columns.

        All but the last, which counts the rows, beginning after `before`, a value of `source`.
        """
        fresh = f"{self._unnest(self.columns[:-1], first)} WITH ORDINALITY AS fresh ({', '.join(self.columns)})"
        *given, number = (f"fresh.{name}" for name in self.columns)
        select = f"SELECT {', '.join(given)}, {before} + {number} FROM {source}, {fresh} ORDER BY {number}"
        return f"{self._head}{select}{self._conflict}"

    def _unnest(self, columns: Sequence[str], first: int) -> str:
        numbered = zip(range(first, first + len(columns)), self._arrays, strict=False)
        return f"unnest({', '.join(f'${number}::{kind}' for number, kind in numbered)})"

    def _write_chunks(self, connection: Connection, rows: Sequence[Values]) -> None:
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            sql = self._full_chunk if len(chunk) == _CHUNK else self._chunk(len(chunk))
            connection.exec_driver_sql(sql, tuple(chain.from_iterable(chunk)))

    def _chunk(self, size: int) -> str:
        return f"{self._head}VALUES {', '.join([self._row] * size)}{self._conflict}"


def overwrite(columns: Sequence[str]) -> str:
    """The assignments of DO UPDATE that take these columns from the new row."""
    return ", ".join(f"{column} = excluded.{column}" for column in columns)
