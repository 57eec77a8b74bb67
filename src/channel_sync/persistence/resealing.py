"""Everything sealed, sealed anew under the first key of the ring, while the service runs."""

import logging
from dataclasses import dataclass

from sqlalchemy import Table, and_, func, or_, select, tuple_, update

from channel_sync.persistence.database import Database
from channel_sync.persistence.encryption import Cipher, Unreadable, place
from channel_sync.persistence.session import Session
from channel_sync.persistence.tables import attempts, idempotency, integrations, meta
from channel_sync.persistence.trade_tables import held_orders, orders

_log = logging.getLogger(__name__)

_Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _SealedTable:
    """A table with its sealed columns; `row` names the columns that tell a row, in `place` and as a key."""

    table: Table
    columns: tuple[str, ...]
    row: tuple[str, ...]


_TOKENS = ("access_token", "refresh_token", "previous_access_token", "previous_refresh_token")
SEALED = (
    _SealedTable(integrations, ("client_secret", *_TOKENS), ("id",)),
    _SealedTable(attempts, ("code_verifier", "client_secret"), ("id",)),
    _SealedTable(orders, ("personal", "address", "tax", "raw"), ("tenant", "id")),
    _SealedTable(held_orders, ("raw",), ("tenant", "id")),
    _SealedTable(idempotency, ("body",), ("tenant", "key")),
    _SealedTable(meta, ("value",), ("key",)),
)


async def reseal(database: Database, limit: int = 500) -> int:
    """Seal anew what is not under the first key; how many rows.

    Each `limit` rows are a transaction of their own; cut off anywhere, the next call goes on. A value that no key
    opens is left as it is and logged.
    """
    return sum([await _reseal_table(database, sealed, limit) for sealed in SEALED])


async def _reseal_table(database: Database, sealed: _SealedTable, limit: int) -> int:
    done, last = 0, None
    while True:
        async with database.session() as session:
            count, last = await _Resealing(session, database.cipher, sealed).part(last, limit)
        done += count
        if last is None:
            return done


@dataclass(frozen=True, slots=True)
class _Resealing:
    """The work of one transaction."""

    session: Session
    cipher: Cipher
    sealed: _SealedTable

    async def part(self, after: _Row | None, limit: int) -> tuple[int, _Row | None]:
        """How many of the next rows were sealed anew, and the last one looked at unless it was the last of all."""
        table, header = self.sealed.table, self.cipher.first_header
        key = [table.c[name] for name in self.sealed.row]
        values = [table.c[name] for name in self.sealed.columns]
        old = or_(*(func.substr(value, 1, len(header)) != header for value in values))
        statement = select(*key, *values).where(old).order_by(*key).limit(limit).with_for_update()
        if after is not None:
            statement = statement.where(tuple_(*key) > tuple_(*after))
        rows = await self.session.rows(statement)
        done = 0
        for row in rows:
            done += await self._row(tuple(row[: len(key)]), row[len(key) :])
        return done, tuple(rows[-1][: len(key)]) if len(rows) == limit else None

    async def _row(self, row: _Row, values: tuple[bytes | None, ...]) -> bool:
        table = self.sealed.table
        fresh: dict[str, bytes] = {}
        for column, value in zip(self.sealed.columns, values, strict=True):
            where = place(table.name, column, *row)
            try:
                fresh |= {} if value is None else {column: self._anew(value, where)}
            except Unreadable:
                _log.error("A sealed value in %s.%s cannot be opened and stays: %s", table.name, column, row[-1])
        if not fresh:
            return False
        mine = and_(*(table.c[name] == part for name, part in zip(self.sealed.row, row, strict=True)))
        await self.session.execute(update(table).where(mine).values(fresh))
        return True

    def _anew(self, value: bytes, where: str) -> bytes:
        return self.cipher.seal(self.cipher.open(value, where), where)
