import pytest
from sqlalchemy import select
from tests.factories import NOW, TENANT, connected, later
from tests.flows.scheduling.steps import due_at, runs_of

from channel_sync.domain.integrations import Status
from channel_sync.domain.runs import RunKind, Trigger
from channel_sync.flows.status.recovery import recover
from channel_sync.persistence.sql.tables import integrations


async def stored(database, shop):
    async with database.read() as work:
        return await work.integrations.get(TENANT, shop[0].id)


async def asked_again_at(database):
    async with database.session() as session:
        return await session.value(select(integrations.c.retry_at))


async def told(database):
    async with database.read() as work:
        return [event.type for event in await work.events.after(TENANT, None, (), 100)]


@pytest.mark.parametrize(
    "stopped_by", [{"paused_reason": "account_disabled_at_wish"}, {"rejected_reason": "client_rejected"}]
)
async def test_what_stopped_it_is_over_and_its_jobs_are_due(database, stopped_by):
    shop = await connected(database, **stopped_by)

    assert await recover(database, shop[0].id)

    working = await stored(database, shop)
    assert (working.status, working.status_reason) == (Status.ACTIVE, None)
    assert working.status_since > NOW
    # Of changes of orders there are none to tell.
    assert set(await due_at(database, shop)) == set(RunKind) - {RunKind.ORDER_CHANGES}
    assert [(run.kind, run.trigger) for run in await runs_of(database, shop)] == [
        (RunKind.ORDERS, Trigger.CATCH_UP)
    ]
    assert await told(database) == ["integration.recovered"]


async def test_a_verdict_that_was_in_doubt_is_asked_about_no_more(database):
    shop = await connected(database, rejected_reason="grant_revoked")
    async with database.begin() as work:
        await work.renewals.doubt(shop[0].id, shop[0].generation, later(60))
    assert await asked_again_at(database) == later(60)

    await recover(database, shop[0].id)

    assert await asked_again_at(database) is None


async def test_one_that_works_is_left_alone(database):
    shop = await connected(database)

    assert not await recover(database, shop[0].id)

    assert await stored(database, shop) == shop[0]
    assert (await due_at(database, shop), await told(database)) == ({}, [])


async def test_one_that_is_gone_is_nothing_to_recover(sqlite_database):
    assert not await recover(sqlite_database, "int_gone")


async def test_nobody_hears_of_a_draft_that_works_again(sqlite_database):
    shop = await connected(sqlite_database, rejected_reason="client_rejected", activated_at=None)

    assert await recover(sqlite_database, shop[0].id)

    assert (await stored(sqlite_database, shop)).rejected_reason is None
    assert (await told(sqlite_database), await due_at(sqlite_database, shop)) == ([], {})
