"""Settings and the database they name: all that most commands need."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from pydantic import SecretStr

from channel_sync.channels.registry import dictionaries
from channel_sync.domain.errors import StorageAway
from channel_sync.main.platform_apps import PlatformAppsOfSettings
from channel_sync.main.process import CannotStart
from channel_sync.persistence import migrations
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.postgres import DriverMissing
from channel_sync.persistence.engine.run_queue import RunQueue
from channel_sync.persistence.rows.compression import Compression
from channel_sync.persistence.rows.encryption import Cipher, parse_keys
from channel_sync.settings import Settings, SettingsError, check_overheard, read_settings

_MORE_PACKAGES = "pip install 'channel-sync[postgres]'"


def load_settings() -> Settings:
    """The settings of this process; `CannotStart` says what is wrong with them."""
    try:
        return read_settings()
    except SettingsError as error:
        raise CannotStart(str(error)) from None


def seen_by_browsers(settings: Settings, listening: str) -> str:
    """What browsers see: the setting, or where it listens; `CannotStart` where that can be overheard."""
    address = settings.public_url or listening
    try:
        check_overheard(settings, "public_url", address)
    except SettingsError as error:
        raise CannotStart(str(error)) from None
    return address


def sqlite_file(settings: Settings) -> Path | None:
    """The file that the database is, where it is SQLite."""
    kind, _, path = settings.database_url.get_secret_value().partition(":///")
    return Path(path) if kind == "sqlite" else None


def migrate_database(settings: Settings) -> str:
    """The schema that the database is at now, which is the newest."""
    with reaching("CHANNEL_SYNC_DATABASE_URL"):
        migrations.migrate(settings.database_url.get_secret_value())
    return migrations.newest()


@contextmanager
def reaching(setting: str) -> Iterator[None]:
    """`CannotStart` names the setting that leads to no database, or to one that lets nobody in."""
    try:
        yield
    except StorageAway as away:
        raise CannotStart(f"{setting}: {away.reason}") from None
    except DriverMissing:
        raise CannotStart(f"{setting}: PostgreSQL needs more packages: {_MORE_PACKAGES}") from None


@asynccontextmanager
async def open_database(settings: Settings, queue: RunQueue | None = None) -> AsyncIterator[Database]:
    """A database at our schema or a newer one, that our keys fit; `CannotStart` otherwise."""
    with reaching("CHANNEL_SYNC_DATABASE_URL"):
        database = Database(
            settings.database_url.get_secret_value(),
            _cipher(settings),
            queue=queue,
            compression=Compression(dictionaries()),
            platform_apps=PlatformAppsOfSettings(settings),
        )
    try:
        with reaching("CHANNEL_SYNC_DATABASE_URL"):
            version = await database.schema_version()
        if version is None or version in migrations.outdated():
            raise CannotStart("the database is not at the newest schema; run: channel-sync migrate")
        await database.check_key()
        await database.initialise_key()
        yield database
    finally:
        await database.close()


def encryption_keys(settings: Settings) -> SecretStr:
    """The key ring as text."""
    if settings.encryption_keys is None:
        raise CannotStart(
            "CHANNEL_SYNC_ENCRYPTION_KEYS is not set; make one with: channel-sync encryption new-key"
        )
    return settings.encryption_keys


def _cipher(settings: Settings) -> Cipher:
    keys = encryption_keys(settings).get_secret_value()
    try:
        return Cipher(parse_keys(keys))
    except ValueError as error:
        raise CannotStart(f"CHANNEL_SYNC_ENCRYPTION_KEYS: {error}") from None
