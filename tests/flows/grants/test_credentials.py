"""Credentials read whole. Those that somebody moved or put back by writing to the database are not used."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from tests.connecting import Desk, utc_now
from tests.fake_channel import DESCRIPTION

from channel_sync.domain.errors import GrantRejected
from channel_sync.domain.integrations import Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.grants.credentials import HeldCredentials, more_of, read_all_credentials, read_credentials
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


async def test_they_are_the_application_and_the_newest_grant(database):
    desk = Desk(database)
    integration = await desk.active()

    found = await read_credentials(database, integration.id)

    assert found.integration == integration
    assert found.app is not None
    assert (found.app.client_id, found.app.client_secret) == ("app1", Secret("s3cret-of-app1"))
    access = found.access()
    assert (access.integration_id, access.environment) == (integration.id, integration.environment)
    assert (access.token, access.generation) == (Secret(await desk.token(integration.id)), integration.generation)


async def test_of_many_each_has_its_own_or_what_would_be_raised(database):
    desk = Desk(database)
    one, other = await desk.active(), await desk.active("m2")
    draft, _ = await desk.draft()

    found = await read_all_credentials(database, [other.id, draft.id, one.id, "int_gone"])

    theirs = [one.integration.id if isinstance(one, HeldCredentials) else str(one) for one in found]
    none = "The integration is not connected."
    assert theirs == [other.id, none, one.id, none]


async def test_those_of_a_removed_integration_are_of_no_use(sqlite_database):
    desk = Desk(sqlite_database)
    integration = await desk.active()
    await change(desk, integration.id, removed_at=utc_now())

    with pytest.raises(GrantRejected) as refused:
        await read_credentials(sqlite_database, integration.id)

    assert refused.value.code == "not_connected"
    assert (await desk.read(integration.id)).rejected_reason is None


@pytest.mark.parametrize(("until_s", "is_held"), [(1, True), (0, False), (-1, False), (None, False)])
async def test_a_lease_is_somebodys_until_it_ends(sqlite_database, until_s, is_held):
    desk = Desk(sqlite_database)
    now = utc_now()
    found = await read_credentials(sqlite_database, (await desk.active()).id)
    until = None if until_s is None else now + timedelta(seconds=until_s)

    assert replace(found, held=replace(found.held, renewing_until=until)).lease_of_another(now) is is_held


PARTICULAR = replace(DESCRIPTION, credential_fields=("client_id", "client_secret", "partner_key"))


async def more(desk, integration_id, channel):
    async with desk.database.read() as work:
        return await more_of(work, channel, integration_id)


async def test_further_fields_are_read_where_the_marketplace_has_any(sqlite_database):
    desk = Desk(sqlite_database)
    desk.channel.description = PARTICULAR
    given = (("partner_key", Secret("a-partner-key")),)
    draft, _ = await desk.draft(more=given)

    assert await more(desk, draft.id, PARTICULAR) == given
    assert await more(desk, draft.id, DESCRIPTION) == ()


async def test_further_fields_that_cannot_be_read_or_are_gone_are_none(sqlite_database):
    desk = Desk(sqlite_database)
    integration = await desk.active()
    assert await more(desk, "int_gone", PARTICULAR) == ()

    await change(desk, integration.id, tenant="bolt")

    assert await more(desk, integration.id, PARTICULAR) == ()
