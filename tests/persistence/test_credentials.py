from datetime import timedelta

import pytest
from sqlalchemy import update
from tests.factories import NOW, TENANT, a_draft, a_grant, later
from tests.stored import held_grant

from channel_sync.domain.channel import Environment
from channel_sync.domain.errors import NotFound
from channel_sync.domain.secrets import Secret
from channel_sync.persistence.renewals import RenewalLease
from channel_sync.persistence.sql.tables import integrations

SECRET = Secret("a-secret-of-the-app")


async def store(database, integration=None, grant=None):
    integration = integration or a_draft()
    async with database.begin() as work:
        await work.integrations.add(integration, SECRET)
        if grant:
            assert await work.credentials.store_grant(integration.id, grant, integration.generation)
    return integration


async def held(database, integration):
    async with database.read() as work:
        return await held_grant(work, integration.id)


async def test_the_app_comes_back_with_its_secret(database):
    integration = await store(database, a_draft(environment=Environment.SANDBOX, client_id="c1"))

    async with database.read() as work:
        app = await work.credentials.app(integration.id)

    assert (app.client_id, app.client_secret, app.environment) == ("c1", SECRET, Environment.SANDBOX)


async def test_another_app_replaces_the_first(database):
    integration = await store(database)

    async with database.begin() as work:
        await work.credentials.set_app(integration.id, "c2", Secret("another-secret-5678"), later(9))
        app = await work.credentials.app(integration.id)
        shown = await work.integrations.get(TENANT, integration.id)

    assert (app.client_id, app.client_secret.value) == ("c2", "another-secret-5678")
    assert (shown.client_secret_last4, shown.client_secret_updated_at) == ("5678", later(9))


async def test_a_draft_has_no_grant(database):
    integration = await store(database)

    assert await held(database, integration) is None


async def test_a_stored_grant_comes_back_and_shows_on_the_integration(database):
    grant = a_grant()
    integration = await store(database, grant=grant)

    found = await held(database, integration)
    async with database.read() as work:
        shown = await work.integrations.get(TENANT, integration.id)

    assert (found.grant, found.generation) == (grant, 1)
    assert (shown.access_token_last4, shown.refresh_token_last4) == (
        grant.access_token.last4,
        grant.refresh_token.last4,
    )
    assert (shown.access_token_expires_at, shown.scopes) == (grant.expires_at, grant.scopes)
    assert (shown.merchant_id, shown.generation, shown.version) == (grant.merchant_id, 1, 1)


async def test_a_grant_of_an_old_generation_is_not_stored(database):
    first, late = a_grant(), a_grant()
    integration = await store(database, grant=first)

    async with database.begin() as work:
        assert not await work.credentials.store_grant(integration.id, late, 0)

    assert (await held(database, integration)).grant == first


async def test_a_new_grant_wipes_the_pair_before_it_that_an_earlier_build_kept(database):
    integration = await store(database, grant=a_grant())
    async with database.session() as session:
        kept = {"previous_access_token": b"sealed", "previous_refresh_token": b"sealed"}
        await session.execute(update(integrations).values(kept))

    async with database.begin() as work:
        await work.credentials.store_grant(integration.id, a_grant(), 1)

    async with database.session() as session:
        row = await session.row(integrations.select())
    assert (row.previous_access_token, row.previous_refresh_token) == (None, None)


async def test_destroyed_credentials_are_gone_and_a_late_renewal_brings_none_back(database):
    integration = await store(database, grant=a_grant())
    async with database.begin() as work:
        lease = RenewalLease("process-1", NOW, timedelta(minutes=1))
        assert await work.renewals.take(integration.id, 1, lease, None)
        await work.credentials.destroy(integration.id)
        assert not await work.credentials.store_grant(integration.id, a_grant(), 1)

    assert await held(database, integration) is None
    async with database.session() as session:
        row = await session.row(integrations.select())
    secret = [getattr(row, name) for name in row._fields if name.endswith(("_token", "client_secret"))]
    assert len(secret) == 5
    assert not any(secret)
    async with database.read() as work:
        with pytest.raises(NotFound):
            await work.credentials.app(integration.id)
        shown = await work.integrations.get(TENANT, integration.id)
    assert (shown.client_secret_last4, shown.access_token_last4, shown.scopes) == ("", None, ())


async def test_a_token_copied_to_another_integration_does_not_open(database):
    mine, other = await store(database, grant=a_grant()), await store(database, grant=a_grant())
    async with database.session() as session:
        token = await session.value(integrations.select().with_only_columns(integrations.c.access_token))
        await session.execute(update(integrations).values(access_token=token))

    async with database.read() as work:
        held = await work.credentials.held_by([mine.id, other.id])
    assert sorted(one is not None for one in held.values()) == [False, True]


async def test_a_new_grant_replaces_one_that_cannot_be_opened(database):
    integration = await store(database, grant=a_grant())
    async with database.session() as session:
        await session.execute(update(integrations).values(refresh_token=b"damaged"))

    fresh = a_grant()
    async with database.begin() as work:
        assert await work.credentials.store_grant(integration.id, fresh, 1)
    assert (await held(database, integration)).grant == fresh
