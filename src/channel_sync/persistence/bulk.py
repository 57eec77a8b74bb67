"""Many rows at once, in the driver's own SQL: the statement builder would cost more than the database."""

from collections.abc import Sequence
from itertools import chain

from sqlalchemy import Connection, Table

from channel_sync.persistence.session import Session, Values

# Rows a statement on SQLite. sqlite3 gives the interpreter lock back once a statement, not once a row.
_CHUNK = 250


class BulkInsert:
    """INSERT of rows given as tuples in the order of `columns`; `conflict` is its ON CONFLICT clause.

    Values are as stored: moments in microseconds, amounts and documents as text.
    """

    def __init__(self, table: Table, columns: Sequence[str], conflict: str) -> None:
        self._head = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES "
        self._conflict = f" {conflict}"
        self._row = "(" + ", ".join("?" * len(columns)) + ")"
        numbered = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        self._one_row = f"{self._head}({numbered}){self._conflict}"
        self._full_chunk = self._chunk(_CHUNK)

    async def write(self, session: Session, rows: Sequence[Values]) -> None:
        """Insert the rows; no two of them may meet the same conflict."""
        if not rows:
            return
        if session.postgres:
            await session.run(lambda connection: connection.exec_driver_sql(self._one_row, list(rows)))
        else:
            await session.run(lambda connection: self._write_chunks(connection, rows))

    def _write_chunks(self, connection: Connection, rows: Sequence[Values]) -> None:
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            sql = self._full_chunk if len(chunk) == _CHUNK else self._chunk(len(chunk))
            connection.exec_driver_sql(sql, tuple(chain.from_iterable(chunk)))

    def _chunk(self, size: int) -> str:
        return self._head + ", ".join([self._row] * size) + self._conflict


def overwrite(columns: Sequence[str]) -> str:
    """The assignments of DO UPDATE that take these columns from the new row."""
    return ", ".join(f"{column} = excluded.{column}" for column in columns)
