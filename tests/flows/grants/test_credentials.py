"""Credentials that somebody moved or put back by writing to the database: they are not used."""

import pytest
from sqlalchemy import select, update
from tests.connecting import Desk

from channel_sync.domain.errors import GrantRejected
from channel_sync.domain.integrations import Status
from channel_sync.persistence.rows.sealed_columns import GRANT
from channel_sync.persistence.sql.tables import integrations


async def change(desk, integration_id, **values):
    async with desk.database.session() as session:
        await session.execute(update(integrations).where(integrations.c.id == integration_id).values(values))


async def sealed_tokens(desk, integration_id):
    columns = [integrations.c[name] for name in GRANT.columns]
    async with desk.database.session() as session:
        row = await session.row(select(*columns).where(integrations.c.id == integration_id))
    return dict(row._mapping)


async def is_stopped(desk, integration, tenant):
    """Whether verification fails without a call, and the shop stands still with the reason in the open."""
    calls = desk.channel.calls.total()
    found = await desk.credentials.verify(tenant, integration.id)
    with pytest.raises(GrantRejected):
        await desk.grants.access(integration.id)
    stopped = await desk.read(integration.id)
    codes = {check.code for check in found.checks if check.field == "access_token"}
    return (
        (found.ok, codes) == (False, {"credentials_unreadable"})
        and (stopped.status, stopped.rejected_reason) == (Status.NEEDS_REAUTH, "credentials_unreadable")
        and desk.channel.calls.total() == calls
    )


async def test_an_integration_moved_to_another_tenant_is_of_no_use_there(database):
    desk = Desk(database)
    integration = await desk.active()

    await change(desk, integration.id, tenant="bolt")

    assert await is_stopped(desk, integration, "bolt")


async def test_an_older_pair_of_tokens_put_into_a_newer_row_is_not_used(database):
    desk = Desk(database)
    integration = await desk.active()
    older = await sealed_tokens(desk, integration.id)
    await desk.grants.prove(integration.id)

    await change(desk, integration.id, **older)

    assert await is_stopped(desk, integration, integration.tenant)
    assert (await desk.reauthorise(integration.id)).result == "connected"
