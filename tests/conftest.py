import asyncio
import gc
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from tests.app_role import AppRole
from tests.browser.chromium import NO_BROWSER
from tests.forks import end_forks
from tests.pgbouncer import NO_POOLER, Pooler, find_pgbouncer, pgbouncer
from tests.postgres import PostgresServer, postgres_server
from tests.spare_databases import SpareDatabases
from tests.stores import COMPRESSION, STORES, chosen_database

from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_every_tenant
from channel_sync.persistence.migrations import migrate
from channel_sync.persistence.rows.encryption import Cipher

_TEMPLATE = f"template_{os.getpid()}"
APP_ROLE = AppRole(f"app_{os.getpid()}")


def pytest_collection_finish() -> None:
    """What is there by now stays: a tenth of the time would go into finding that out again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session", autouse=True)
def every_tenant() -> Iterator[None]:
    """What a test asks the database itself may be about any tenant. Requests and jobs say whom they are for."""
    with for_every_tenant():
        yield


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest schema, to be copied."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def cipher() -> Cipher:
    """A cipher with a key of its own."""
    return Cipher({"k1": os.urandom(32)})


@pytest.fixture
def sqlite_file(migrated_file: Path, tmp_path: Path) -> Path:
    """An empty SQLite database at the newest schema."""
    return Path(shutil.copy(migrated_file, tmp_path / "channel-sync.db"))


@pytest.fixture
async def sqlite_database(sqlite_file: Path, cipher: Cipher) -> AsyncIterator[Database]:
    """An empty database on SQLite."""
    database = Database(f"sqlite:///{sqlite_file}", cipher, compression=COMPRESSION)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL with a template database at the newest schema."""
    with postgres_server() as server:
        asyncio.run(server.run(f"CREATE DATABASE {_TEMPLATE}"))
        asyncio.run(server.run(APP_ROLE.statements(server.user), _TEMPLATE))
        migrate(server.url(_TEMPLATE))
        yield server
        asyncio.run(server.run(f"DROP DATABASE {_TEMPLATE} WITH (FORCE)"))
        asyncio.run(server.run(f"DROP ROLE {APP_ROLE.name}"))


@pytest.fixture(scope="session")
def spare_databases(postgres: PostgresServer) -> Iterator[SpareDatabases]:
    """PostgreSQL databases that tests of this process use one after the other."""
    databases = SpareDatabases(postgres, _TEMPLATE)
    yield databases
    asyncio.run(databases.drop_all())


@pytest.fixture
async def postgres_name(request: pytest.FixtureRequest, spare_databases: SpareDatabases) -> AsyncIterator[str]:
    """The name of an empty PostgreSQL database at the newest schema."""
    unused = request.node.get_closest_marker("unused_store") is not None
    name = await spare_databases.take(unused)
    yield name
    await spare_databases.give_back(name)


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_name: str) -> str:
    """An empty PostgreSQL database at the newest schema."""
    return postgres.url(postgres_name)


@pytest.fixture
def app_url(postgres_url: str) -> str:
    """An empty PostgreSQL database at the newest schema, as the role that row-level security binds."""
    return APP_ROLE.url(postgres_url)


@pytest.fixture(scope="session")
def shared_name(postgres: PostgresServer) -> Iterator[str]:
    """The name of a PostgreSQL database at the newest schema, for processes that many tests share."""
    with _new_database(postgres) as name:
        yield name


@contextmanager
def _new_database(postgres: PostgresServer) -> Iterator[str]:
    name = f"shared_{uuid4().hex}"
    asyncio.run(postgres.run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}"))
    yield name
    asyncio.run(postgres.run(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
def module_name(postgres: PostgresServer) -> Iterator[str]:
    """The name of such a database for the tests of one module."""
    with _new_database(postgres) as name:
        yield name


@pytest.fixture(scope="module")
def module_app_url(postgres: PostgresServer, module_name: str) -> str:
    """That database, as the role that row-level security binds."""
    return APP_ROLE.url(postgres.url(module_name))


@pytest.fixture(scope="module")
def module_pooled_app_url(pooler: Pooler, module_name: str) -> str:
    """The same, behind PgBouncer."""
    return APP_ROLE.url(pooler.url(module_name))


@pytest.fixture(scope="session")
def shared_app_url(postgres: PostgresServer, shared_name: str) -> str:
    """That database, as the role that row-level security binds."""
    return APP_ROLE.url(postgres.url(shared_name))


@pytest.fixture(scope="session")
def shared_pooled_app_url(pooler: Pooler, shared_name: str) -> str:
    """The same, behind PgBouncer."""
    return APP_ROLE.url(pooler.url(shared_name))


@pytest.fixture
async def postgres_database(app_url: str, cipher: Cipher) -> AsyncIterator[Database]:
    """An empty database on PostgreSQL."""
    database = Database(app_url, cipher, compression=COMPRESSION)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def pgbouncer_path() -> str:
    """Where PgBouncer is. Without one the tests are skipped, and in CI they fail."""
    if (found := find_pgbouncer()) is not None:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(NO_POOLER)
    pytest.skip(NO_POOLER)


@pytest.fixture(scope="session")
def pooler(pgbouncer_path: str, postgres: PostgresServer) -> Iterator[Pooler]:
    """A PgBouncer before that PostgreSQL."""
    with pgbouncer(pgbouncer_path, postgres, APP_ROLE) as running:
        yield running


@pytest.fixture
def pooled_url(pooler: Pooler, postgres_name: str) -> str:
    """An empty PostgreSQL database at the newest schema, behind PgBouncer."""
    return pooler.url(postgres_name)


@pytest.fixture
def pooled_app_url(pooled_url: str) -> str:
    """The same, as the role that row-level security binds."""
    return APP_ROLE.url(pooled_url)


@pytest.fixture
async def pooled_database(pooled_app_url: str, cipher: Cipher) -> AsyncIterator[Database]:
    """An empty database on PostgreSQL, behind PgBouncer."""
    database = Database(pooled_app_url, cipher, compression=COMPRESSION)
    yield database
    await database.close()


@pytest.fixture(params=STORES)
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database, the test run on each kind."""
    return chosen_database(request)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Say it last, where nobody overlooks it, when a program was missing."""
    yield
    end_forks()
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None:
        return
    skipped = [str(one.longrepr) for one in terminal.stats.get("skipped", [])]
    for missing in (NO_BROWSER, NO_POOLER):
        if any(missing in why for why in skipped):
            terminal.write_line(missing, red=True, bold=True)
