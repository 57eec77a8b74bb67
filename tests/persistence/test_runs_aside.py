"""Runs that are open beside the ordinary one of their kind."""

import asyncio

import pytest
from alembic.script import ScriptDirectory
from tests.factories import NOW, connected, later
from tests.persistence.run_steps import finish, get, opened

from channel_sync.domain.errors import AlreadyRunning
from channel_sync.domain.ids import new_id
from channel_sync.domain.runs import RunStatus, Trigger
from channel_sync.persistence.database import Database
from channel_sync.persistence.migrations import config, migrate

BACKFILL = {"trigger": Trigger.BACKFILL}
BEFORE = "2026_11_28_renewals"


@pytest.fixture
async def shop(database):
    """An active integration with its account."""
    return await connected(database)


@pytest.mark.parametrize(
    "members",
    [
        {"window_from": NOW, **BACKFILL},
        {"window_from": NOW, "window_to": later(9), **BACKFILL},
        {"window_from": NOW, "window_to": later(9), "dry_run": True, **BACKFILL},
        {"dry_run": True},
    ],
)
async def test_the_same_again_is_told_of_the_first_and_everything_else_goes_beside_it(database, shop, members):
    first = await opened(database, shop, **members)

    with pytest.raises(AlreadyRunning) as raised:
        await opened(database, shop, **members)
    await opened(database, shop)
    await opened(database, shop, window_from=later(1), window_to=later(9), **BACKFILL)

    assert raised.value.related_id == first.id
    async with database.read() as work:
        assert await work.runs.count_aside(shop[0].id) == 2


async def test_what_is_closed_makes_room_for_the_same_again(database, shop):
    await finish(database, await opened(database, shop, window_from=NOW, **BACKFILL))

    assert await get(database, await opened(database, shop, window_from=NOW, **BACKFILL))


async def remigrated(url, cipher):
    """What was open under the schema before, with the runs that were opened again afterwards."""
    database = Database(url, cipher)
    alone, both = await connected(database), await connected(database)
    backfill = await opened(database, alone, window_from=NOW, window_to=later(9), **BACKFILL)
    older = await opened(database, both, id=new_id("run", NOW), window_from=NOW, **BACKFILL)
    newer = await opened(database, both, id=new_id("run", later(1)))
    await database.close()
    return alone, backfill, older, newer


async def compare(url, cipher, alone, backfill, older, newer):
    database = Database(url, cipher)
    with pytest.raises(AlreadyRunning) as raised:
        await opened(database, alone, window_from=NOW, window_to=later(9), **BACKFILL)
    assert raised.value.related_id == backfill.id
    await opened(database, alone)
    assert [(await get(database, run)).status for run in (older, newer)] == [
        RunStatus.INTERRUPTED,
        RunStatus.RUNNING,
    ]
    with pytest.raises(AlreadyRunning):
        await opened(database, alone)
    await database.close()


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_backfills_that_were_open_before_are_told_apart_afterwards(request, tmp_path, cipher, store):
    url = f"sqlite:///{tmp_path}/old.db" if store == "sqlite" else request.getfixturevalue("postgres_url")
    migrate(url)
    told = asyncio.run(remigrated(url, cipher))

    newer = ScriptDirectory.from_config(config()).iterate_revisions("head", BEFORE)
    migrate(url, f"-{len(list(newer))}")
    migrate(url)

    asyncio.run(compare(url, cipher, *told))
