"""The service as `main` puts it together, on marketplaces that a test brings."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from tests.flows.workshop import NoReader
from tests.second_channel import BAZAAR, DICTIONARY

from channel_sync.api.app import create_api
from channel_sync.channels.registry import dictionaries
from channel_sync.domain.addresses import public_address
from channel_sync.domain.channel import Channel
from channel_sync.domain.clock import utcnow
from channel_sync.domain.ids import new_id
from channel_sync.domain.keys import ApiKey, key_hash, new_key
from channel_sync.main.runtime import Runtime
from channel_sync.main.service import build
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_every_tenant
from channel_sync.persistence.rows.compression import Compression
from channel_sync.persistence.rows.encryption import Cipher
from channel_sync.settings import Settings


def a_database(sqlite_file: Path, cipher: Cipher) -> Database:
    """The store, which knows the dictionaries of both."""
    compression = Compression({**dictionaries(), BAZAAR: (DICTIONARY,)})
    return Database(f"sqlite:///{sqlite_file}", cipher, compression=compression)


async def a_key(database: Database) -> str:
    """A new key of the tenant `acme` that may do everything."""
    text, now = new_key(), utcnow()
    key = ApiKey(new_id("key", now), "acme", "test", ("admin",), text.last4, now, None)
    with for_every_tenant():
        async with database.begin() as work:
            await work.api_keys.add(key, key_hash(text.value))
    return text.value


@asynccontextmanager
async def serving(
    database: Database, channels: Mapping[str, Channel], public_url: str, console: str
) -> AsyncIterator[FastAPI]:
    """The application, jobs at work."""
    settings = Settings(return_origins=(console,), rate_limit_per_s=0)
    ground = Runtime(settings, database, channels, NoReader())
    services, runner, doubts = build(ground, database, public_address(public_url))
    await runner.start()
    try:
        yield create_api(services)
    finally:
        await runner.stop(5)
        await doubts.stop()
