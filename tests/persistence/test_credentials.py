from dataclasses import replace

import pytest
from sqlalchemy import text, update
from tests.factories import NOW, TENANT, a_draft, a_grant, an_integration, later

from channel_sync.domain.channel import Environment
from channel_sync.domain.errors import NotFound
from channel_sync.domain.secrets import Secret
from channel_sync.persistence.encryption import Unreadable
from channel_sync.persistence.tables import integrations

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
        return await work.credentials.grant(integration.id)


IN_A_MINUTE = later(60)


async def take(database, integration, generation=1, now=NOW, until=IN_A_MINUTE, not_if_renewed_after=None):
    async with database.begin() as work:
        return await work.credentials.take_renewal(integration.id, generation, now, until, not_if_renewed_after)


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


async def test_the_pair_before_is_kept_until_the_new_one_is_confirmed(database):
    integration = await store(database, grant=a_grant())
    async with database.begin() as work:
        await work.credentials.store_grant(integration.id, a_grant(), 1)

    async def kept():
        async with database.session() as session:
            return await session.value(text("SELECT previous_refresh_token IS NOT NULL FROM integrations"))

    assert await kept()
    async with database.begin() as work:
        await work.credentials.confirm(integration.id, 1)
    assert await kept()
    async with database.begin() as work:
        await work.credentials.confirm(integration.id, 2)
    assert not await kept()


async def test_a_renewal_is_taken_once(database):
    integration = await store(database, grant=a_grant())

    assert await take(database, integration)
    assert not await take(database, integration, now=later(59))
    assert (await held(database, integration)).renewing_until == later(60)


async def test_a_lease_that_ran_out_is_taken_over(database):
    integration = await store(database, grant=a_grant())
    await take(database, integration)

    assert await take(database, integration, now=later(60), until=later(120))


async def test_a_renewal_of_another_generation_is_not_taken(database):
    integration = await store(database, grant=a_grant())

    assert not await take(database, integration, generation=0)
    assert not await take(database, integration, generation=2)


async def test_a_grant_just_renewed_is_not_renewed_again(database):
    integration = await store(database, grant=a_grant())
    await take(database, integration)
    async with database.begin() as work:
        await work.credentials.store_grant(integration.id, a_grant(), 1)

    found = await held(database, integration)
    assert (found.renewed_at, found.renewing_until) == (NOW, None)
    assert not await take(database, integration, generation=2, now=later(5), not_if_renewed_after=later(-600))
    assert await take(database, integration, generation=2, now=later(600), not_if_renewed_after=NOW)


async def test_a_failed_renewal_waits_until_it_may_be_tried_again(database):
    integration = await store(database, grant=a_grant())
    await take(database, integration)
    async with database.begin() as work:
        await work.credentials.release_renewal(integration.id, 1, later(300))

    assert (await held(database, integration)).renewed_at is None
    assert not await take(database, integration, now=later(299), until=later(400))
    assert await take(database, integration, now=later(300), until=later(400))


async def test_a_late_release_does_not_end_the_renewal_of_a_newer_generation(database):
    integration = await store(database, grant=a_grant())
    await take(database, integration)
    async with database.begin() as work:
        await work.credentials.release_renewal(integration.id, 0, later(300))

    found = await held(database, integration)
    assert (found.renewing_until, found.retry_at) == (later(60), None)


async def test_destroyed_credentials_are_gone_and_a_late_renewal_brings_none_back(database):
    integration = await store(database, grant=a_grant())
    await take(database, integration)
    async with database.begin() as work:
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


TOMORROW = 86_400


async def leased(database, integration):
    await take(database, integration, now=later(TOMORROW), until=later(TOMORROW + 120))


async def failed(database, integration):
    await leased(database, integration)
    async with database.begin() as work:
        await work.credentials.release_renewal(integration.id, 1, later(TOMORROW + 300))


async def renewed(database, integration):
    await leased(database, integration)
    async with database.begin() as work:
        await work.credentials.store_grant(integration.id, a_grant(expires_at=later(90)), 1)


@pytest.mark.parametrize("happened", [leased, failed, renewed])
async def test_what_happened_by_a_clock_that_was_set_back_since_holds_no_renewal_up(database, happened):
    integration = await store(database, an_integration(), a_grant(expires_at=later(90)))
    await happened(database, integration)

    async with database.read() as work:
        assert await work.credentials.renewable(NOW, later(100), 10) == [integration.id]
    generation = (await held(database, integration)).generation
    assert await take(database, integration, generation, not_if_renewed_after=later(-600))


async def test_only_active_integrations_whose_token_ends_soon_are_renewable(database):
    soon, last, late = later(10), later(20), later(1000)
    grants = {"soon": soon, "last": last, "late": late, "disabled": soon, "waiting": soon, "leased": soon}
    stored = {
        name: await store(database, an_integration(name=name), a_grant(expires_at=at))
        for name, at in grants.items()
    }
    async with database.begin() as work:
        await work.integrations.save(replace(stored["disabled"], enabled=False))
        await work.credentials.release_renewal(stored["waiting"].id, 1, later(5))
    await take(database, stored["leased"])

    async with database.read() as work:
        now_due = await work.credentials.renewable(NOW, later(100), 10)
        later_due = await work.credentials.renewable(later(60), later(100), 10)

    assert now_due == [stored["last"].id, stored["soon"].id][::-1]
    assert set(later_due) == {stored[name].id for name in ("soon", "last", "waiting", "leased")}


async def test_a_token_copied_to_another_integration_does_not_open(database):
    mine, other = await store(database, grant=a_grant()), await store(database, grant=a_grant())
    async with database.session() as session:
        token = await session.value(integrations.select().with_only_columns(integrations.c.access_token))
        await session.execute(update(integrations).values(access_token=token))

    opened = 0
    async with database.read() as work:
        for integration in (mine, other):
            try:
                await work.credentials.grant(integration.id)
                opened += 1
            except Unreadable:
                pass
    assert opened == 1


async def test_a_new_grant_replaces_one_that_cannot_be_opened(database):
    integration = await store(database, grant=a_grant())
    async with database.session() as session:
        await session.execute(update(integrations).values(refresh_token=b"damaged"))

    fresh = a_grant()
    async with database.begin() as work:
        assert await work.credentials.store_grant(integration.id, fresh, 1)
    assert (await held(database, integration)).grant == fresh
