"""PostgreSQL databases that tests use one after the other: emptying one is five times quicker than making one."""

from dataclasses import dataclass, field
from uuid import uuid4

import asyncpg
from tests.postgres import PostgresServer

# What a database must have in common with its template to be used again: its schema and settings, and no
# statistics from which a plan may come out otherwise.
_SHAPE = """
SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
    SELECT concat_ws(' ', relname, relkind, relrowsecurity, relacl, attname, atttypid, attnotnull)
    FROM pg_class LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', polname, polrelid::regclass, pg_get_expr(polqual, polrelid)) FROM pg_policy
    UNION ALL SELECT 'set ' || array_to_string(setconfig, ' ') FROM pg_db_role_setting
        JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()
    UNION ALL SELECT 'known ' || starelid::regclass FROM pg_statistic
        JOIN pg_class ON pg_class.oid = starelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT version_num FROM alembic_version
) AS parts (part)
"""
_OTHERS = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
# One that grew by more is slow to empty, and stays large.
_GROWTH_BYTES = 4 << 20


@dataclass
class SpareDatabases:
    """Databases like a template, each somebody's alone until it is given back."""

    server: PostgresServer
    template: str
    _spare: list[str] = field(default_factory=list)
    _shape: str = ""
    _bytes: int = 0

    async def take(self, unused: bool = False) -> str:
        """The name of an empty database. A used one has pages of what was deleted, and plans are made by pages."""
        if self._spare and not unused:
            return self._spare.pop()
        name = f"test_{uuid4().hex}"
        await self.server.run(f"CREATE DATABASE {name} TEMPLATE {self.template}")
        if not self._shape:
            connection = await asyncpg.connect(self.server.url(name))
            self._shape, self._bytes = await _look(connection)
            await connection.close()
        return name

    async def give_back(self, name: str) -> None:
        """Empty it for another test, or drop it where it is not what it was any more."""
        try:
            is_spare = await self._emptied(name)
        except (asyncpg.PostgresError, OSError):
            is_spare = False
        if is_spare:
            self._spare.append(name)
        else:
            await self._drop(name)

    async def drop_all(self) -> None:
        """Drop what nobody has."""
        while self._spare:
            await self._drop(self._spare.pop())

    async def _drop(self, name: str) -> None:
        await self.server.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _emptied(self, name: str) -> bool:
        connection = await asyncpg.connect(self.server.url(name))
        try:
            await connection.execute(f"SELECT pg_terminate_backend(pid) FROM {_OTHERS}")
            shape, size = await _look(connection)
            if shape != self._shape or size > self._bytes + _GROWTH_BYTES:
                return False
            tables = [row["relname"] for row in await connection.fetch(_TABLES)]
            deletes = "; ".join(f"DELETE FROM {table}" for table in tables if table != "alembic_version")
            # Foreign keys and triggers of the queue have no say.
            await connection.execute(f"SET session_replication_role = replica; {deletes}")
            return not await connection.fetchval(f"SELECT EXISTS (SELECT FROM {_OTHERS})")
        finally:
            await connection.close()


async def _look(connection: asyncpg.Connection) -> tuple[str, int]:
    return await connection.fetchval(_SHAPE), await connection.fetchval(
        "SELECT pg_database_size(current_database())"
    )
