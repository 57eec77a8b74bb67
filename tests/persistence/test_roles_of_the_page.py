"""The roles of docs/deployment.md and of compose.yaml, made as they stand there on a server of their own."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import yaml
from sqlalchemy import text
from tests.app_role import APP_PASSWORD, blocks_of_the_page
from tests.factories import a_channel_order, connected
from tests.persistence.order_steps import store
from tests.postgres import Cluster, postgres_cluster, programs_of_postgres

from channel_sync.persistence.database import Database
from channel_sync.persistence.migrations import migrate
from channel_sync.persistence.rows.encryption import Cipher
from channel_sync.persistence.sql.tables import metadata

ROOT = Path(__file__).parent.parent.parent
THE_FIRST_VERSION = "2026_11_23_trade"
OWNER, APP = "channel_sync", "channel_sync_app"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with postgres_cluster() as running:
        yield running


def url(cluster: Cluster, user: str, password: str = "") -> str:
    colon = f":{password}" if password else ""
    return cluster.url(OWNER).replace("//postgres@", f"//{user}{colon}@")


async def run_as(address: str, sql: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def is_bound_and_reaches_every_table(address: str) -> bool:
    database = Database(address, Cipher({"k1": os.urandom(32)}))
    try:
        await database.initialise_key()
        _, account = await connected(database)
        await store(database, account, a_channel_order())
        async with database.session() as session:
            for name in metadata.tables:
                await session.value(text(f"SELECT count(*) FROM {name}"))
            await session.value(text("SELECT count(*) FROM added_by_an_upgrade"))
        return await database.keeps_tenants_apart() is True
    finally:
        await database.close()


@pytest.mark.parametrize("by", [OWNER, "postgres"])
def test_the_pages_statements_work_for_owner_and_superuser_and_for_tables_of_later_versions(cluster, by):
    makes_role, gives_rights = blocks_of_the_page()
    asyncio.run(cluster.run(f"CREATE ROLE {OWNER} LOGIN"))
    asyncio.run(cluster.run(f"CREATE DATABASE {OWNER} OWNER {OWNER}"))
    migrate(url(cluster, OWNER), THE_FIRST_VERSION)

    asyncio.run(cluster.run(makes_role))
    asyncio.run(run_as(url(cluster, by), gives_rights))
    migrate(url(cluster, OWNER))
    asyncio.run(run_as(url(cluster, OWNER), "CREATE TABLE added_by_an_upgrade (id serial)"))

    assert asyncio.run(is_bound_and_reaches_every_table(url(cluster, APP, APP_PASSWORD)))


def test_the_roles_of_compose_are_made_by_its_script_and_named_in_its_addresses(cluster):
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    passwords = {"POSTGRES_USER": "postgres", "OWNER_PASSWORD": 'it\'s "owned"', "APP_PASSWORD": "$bound"}
    path = f"{programs_of_postgres()}:{os.environ['PATH']}"

    subprocess.run(
        [ROOT / "compose" / "make-roles.sh"],
        env={"PATH": path, "PGHOST": str(cluster.folder), **passwords},
        check=True,
        capture_output=True,
    )
    migrate(url(cluster, OWNER))
    asyncio.run(run_as(url(cluster, OWNER), "CREATE TABLE added_by_an_upgrade (id serial)"))

    assert asyncio.run(is_bound_and_reaches_every_table(url(cluster, APP)))
    owners, apps = (services[name]["environment"]["CHANNEL_SYNC_DATABASE_URL"] for name in ("migrate", "service"))
    assert owners.startswith(f"postgresql://{OWNER}:${{OWNER_PASSWORD:?")
    assert apps.startswith(f"postgresql://{APP}:${{APP_PASSWORD:?")
    assert owners.endswith(f"@database/{OWNER}")
    assert apps.endswith(f"@database/{OWNER}")
    assert services["worker"]["environment"] == services["service"]["environment"]
