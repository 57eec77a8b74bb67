from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.factories import NOW

from channel_sync.persistence.database import UnitOfWork


@pytest.mark.parametrize("durable", [True, False])
async def test_only_a_durable_commit_waits_for_the_disk(database, durable):
    of_postgres = "SELECT source FROM pg_settings WHERE name = 'synchronous_commit'"
    question = text("PRAGMA synchronous" if database.single_process else of_postgres)

    async def ask(work: UnitOfWork) -> object:
        return await work.turns._session.value(question)

    async with database.begin(durable=durable) as work:
        asked = await ask(work)

    # The server of the tests itself was told to sync nothing, on its command line.
    assert asked in ((2, "command line") if durable else (1, "session"))
    assert await database.run_transaction(ask, durable=durable) == asked


async def test_a_commit_that_is_not_durable_is_seen_at_once(database):
    async with database.begin(durable=False) as work:
        assert await work.turns.take("chore", NOW, NOW + timedelta(hours=1))

    async with database.begin() as work:
        assert not await work.turns.take("chore", NOW, NOW + timedelta(hours=1))
