"""Commands on the store alone: schema, API keys, encryption."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from channel_sync.domain.clock import utcnow
from channel_sync.domain.ids import new_id
from channel_sync.domain.keys import PRESETS, SCOPES, ApiKey, is_tenant, key_hash, new_key
from channel_sync.domain.secrets import Secret
from channel_sync.main.process import CannotStart
from channel_sync.main.start import start
from channel_sync.main.store import migrate_database, open_database
from channel_sync.observability import configure_logging
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_every_tenant
from channel_sync.persistence.resealing import reseal
from channel_sync.persistence.rows.encryption import new_key_text
from channel_sync.persistence.sql.paging import PageRequest

T = TypeVar("T")

_RESEAL_AT_ONCE = 500
_KEYS_AT_ONCE = 200


def migrate() -> str:
    """The schema that the database is at now."""
    return migrate_database(start())


def create_key(tenant: str, scopes: str, name: str) -> tuple[ApiKey, Secret]:
    """A stored key, and the key itself, which is not stored."""
    wanted = PRESETS.get(scopes) or tuple(
        dict.fromkeys(part.strip() for part in scopes.split(",") if part.strip())
    )
    _check_name(tenant, "--tenant")
    _check_name(name, "--name")
    if not wanted:
        raise CannotStart("--scopes names none")
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise CannotStart(f"there is no scope {', '.join(unknown)}; there are: {', '.join(SCOPES)}")
    secret, now = new_key(), utcnow()
    key = ApiKey(new_id("key", now), tenant, name, wanted, secret.last4, now, None)

    async def add(database: Database) -> None:
        async with database.begin() as work:
            await work.api_keys.add(key, key_hash(secret.value))

    _with_database(add)
    return key, secret


def _check_name(text: str, option: str) -> None:
    if not is_tenant(text):
        raise CannotStart(f"{option} must be 1 to 200 characters that can be seen, and not blank")


def list_keys(tenant: str) -> list[ApiKey]:
    """The tenant's keys, revoked ones too."""

    async def read(database: Database) -> list[ApiKey]:
        keys: list[ApiKey] = []
        after = None
        async with database.read() as work:
            while True:
                page = await work.api_keys.list(tenant, PageRequest(_KEYS_AT_ONCE, after))
                keys += page.items
                if (after := page.next) is None:
                    return keys

    return _with_database(read)


def revoke_key(tenant: str, key_id: str) -> None:
    """Let nobody use the key from now on."""

    async def revoke(database: Database) -> None:
        async with database.begin() as work:
            await work.api_keys.revoke(tenant, key_id, utcnow())

    _with_database(revoke)


def is_known(key: str) -> bool:
    """Whether the key opens the API."""

    async def find(database: Database) -> ApiKey | None:
        async with database.read() as work:
            return await work.api_keys.find(key_hash(key))

    found = _with_database(find)
    return found is not None and found.revoked_at is None


def new_encryption_key() -> str:
    """A random key for the ring."""
    return new_key_text(utcnow())


def rotate_encryption() -> int:
    """How many rows were encrypted anew under the ring's first key."""

    async def rotate(database: Database) -> int:
        rows = 0
        while done := await reseal(database, _RESEAL_AT_ONCE):
            rows += done
        return rows

    return _with_database(rotate)


def _with_database(ask: Callable[[Database], Awaitable[T]]) -> T:
    """The answer of a migrated database that our keys fit."""
    settings = start()
    configure_logging("error")

    async def answer() -> T:
        async with open_database(settings) as database:
            with for_every_tenant():
                return await ask(database)

    return asyncio.run(answer())
