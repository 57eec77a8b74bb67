"""Everything sealed, sealed anew under the first key of the ring, while the service runs."""

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, and_, func, or_, select, tuple_, update

from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.rows.encryption import AssociatedData, Cipher, Unreadable
from channel_sync.persistence.rows.sealed_columns import SEALED, SealedColumns
from channel_sync.persistence.sql.tables import metadata

_log = logging.getLogger(__name__)

_Row = tuple[str, ...]


async def reseal(database: Database, limit: int = 500) -> int:
    """Seal anew what is not under the first key in the newest format; how many rows.

    Each `limit` rows are a transaction of their own; cut off anywhere, the next call goes on. A value that no key
    opens is left as it is and logged.
    """
    return sum([await _reseal_table(database, sealed, limit) for sealed in SEALED])


async def _reseal_table(database: Database, sealed: SealedColumns, limit: int) -> int:
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
    sealed: SealedColumns

    @property
    def table(self) -> Table:
        """Where they are."""
        return metadata.tables[self.sealed.table]

    async def part(self, after: _Row | None, limit: int) -> tuple[int, _Row | None]:
        """How many of the next rows were sealed anew, and the last one looked at unless it was the last of all."""
        # The header is of the format and the first key.
        table, header = self.table, self.cipher.first_header
        key = [table.c[name] for name in self.sealed.row]
        names = dict.fromkeys((*self.sealed.row, *self.sealed.bound, *self.sealed.columns))
        old = or_(*(func.substr(table.c[name], 1, len(header)) != header for name in self.sealed.columns))
        statement = select(*(table.c[name] for name in names)).where(old).order_by(*key).limit(limit)
        if after is not None:
            statement = statement.where(tuple_(*key) > tuple_(*after))
        rows = await self.session.rows(statement.with_for_update())
        done = 0
        for row in rows:
            done += await self._row(row)
        return done, self._key(rows[-1]) if len(rows) == limit else None

    def _key(self, row: Row[*tuple[Any, ...]]) -> _Row:
        return tuple(row._mapping[name] for name in self.sealed.row)

    async def _row(self, row: Row[*tuple[Any, ...]]) -> bool:
        fresh: dict[str, bytes] = {}
        for column in self.sealed.columns:
            value, place = row._mapping[column], self.sealed.place(column, row._mapping)
            try:
                fresh |= {} if value is None else {column: self._anew(value, place)}
            except Unreadable:
                told = (self.table.name, column, self._key(row)[-1])
                _log.error("A sealed value in %s.%s cannot be opened and stays: %s", *told)
        if not fresh:
            return False
        key = zip(self.sealed.row, self._key(row), strict=True)
        mine = and_(*(self.table.c[name] == part for name, part in key))
        await self.session.execute(update(self.table).where(mine).values(fresh))
        return True

    def _anew(self, value: bytes, place: AssociatedData) -> bytes:
        return self.cipher.seal(self.cipher.open(value, place), place)
