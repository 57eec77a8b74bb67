from dataclasses import replace
from datetime import timedelta

import pytest
from tests.factories import NOW, a_draft, a_grant, an_integration, later
from tests.stored import held_grant

from channel_sync.domain.integrations import GRANT_REVOKED
from channel_sync.domain.secrets import Secret
from channel_sync.persistence.renewals import RenewalLease

MINUTE = timedelta(minutes=1)
TOMORROW = 86_400
ME, OTHER = "process-1", "process-2"


async def store(database, integration=None, grant=None):
    integration = integration or a_draft()
    async with database.begin() as work:
        await work.integrations.add(integration, Secret("a-secret-of-the-app"))
        assert await work.credentials.store_grant(integration.id, grant or a_grant(), integration.generation)
    return integration


async def held(database, integration):
    async with database.read() as work:
        return await held_grant(work, integration.id)


async def take(database, integration, generation=1, now=NOW, not_if_renewed_after=None, owner=ME):
    async with database.begin() as work:
        lease = RenewalLease(owner, now, MINUTE)
        return await work.renewals.take(integration.id, generation, lease, not_if_renewed_after)


async def release(database, integration, generation=1, owner=ME, retry_at=None):
    async with database.begin() as work:
        await work.renewals.release(integration.id, generation, owner, retry_at)


async def unsettled(database, now):
    async with database.read() as work:
        return await work.renewals.unsettled(now, MINUTE, 10)


async def due(database, now):
    async with database.read() as work:
        return await work.renewals.due("wish", now, MINUTE, later(100), 10)


async def test_a_renewal_is_taken_once(database):
    integration = await store(database)

    assert await take(database, integration)
    assert not await take(database, integration, now=later(59), owner=OTHER)
    assert (await held(database, integration)).renewing_until == later(60)


async def test_a_lease_that_is_kept_alive_is_not_taken_and_one_that_ran_out_is(database):
    integration = await store(database)
    await take(database, integration)
    async with database.begin() as work:
        assert await work.renewals.keep(integration.id, 1, ME, later(90))

    assert not await take(database, integration, now=later(89), owner=OTHER)
    assert await take(database, integration, now=later(90), owner=OTHER)
    async with database.begin() as work:
        assert not await work.renewals.keep(integration.id, 1, ME, later(500))
    assert (await held(database, integration)).renewing_until == later(150)


async def test_a_renewal_of_another_generation_is_not_taken(database):
    integration = await store(database)

    assert not await take(database, integration, generation=0)
    assert not await take(database, integration, generation=2)


async def test_a_grant_just_renewed_is_not_renewed_again(database):
    integration = await store(database)
    await take(database, integration)
    async with database.begin() as work:
        await work.credentials.store_grant(integration.id, a_grant(), 1)

    found = await held(database, integration)
    assert (found.renewed_at, found.renewing_until) == (NOW, None)
    assert not await take(database, integration, generation=2, now=later(5), not_if_renewed_after=later(-600))
    assert await take(database, integration, generation=2, now=later(600), not_if_renewed_after=NOW)


async def test_a_failed_renewal_waits_until_it_may_be_tried_again_but_for_a_person(database):
    integration = await store(database)
    await take(database, integration)
    await release(database, integration, retry_at=later(300))

    assert (await held(database, integration)).renewed_at is None
    assert not await take(database, integration, now=later(299), not_if_renewed_after=later(-600))
    assert await take(database, integration, now=later(299))
    await release(database, integration, retry_at=later(300))
    assert await take(database, integration, now=later(300), not_if_renewed_after=later(-600))


@pytest.mark.parametrize("late", [{"generation": 0}, {"owner": OTHER}])
async def test_a_late_release_does_not_end_the_renewal_of_somebody_else(database, late):
    integration = await store(database)
    await take(database, integration)
    await release(database, integration, retry_at=later(300), **late)

    found = await held(database, integration)
    assert (found.renewing_until, found.retry_at) == (later(60), None)


async def test_the_only_process_ends_the_leases_of_those_before_it_and_keeps_its_own(database):
    mine, left = await store(database, an_integration()), await store(database, an_integration())
    await take(database, mine)
    await take(database, left, owner=OTHER)
    async with database.begin() as work:
        await work.renewals.end_of_others(ME, later(1))

    assert await unsettled(database, later(1)) == [(left.id, 1)]
    assert (await held(database, mine)).renewing_until == later(60)


async def test_what_a_process_left_open_is_unsettled_once_its_lease_ran_out(database):
    stored = {name: await store(database, an_integration(name=name)) for name in ("left", "disabled", "at work")}
    async with database.begin() as work:
        await work.integrations.save(replace(stored["disabled"], enabled=False))
    for name in ("left", "disabled"):
        await take(database, stored[name])
    await take(database, stored["at work"], now=later(30))

    assert await unsettled(database, later(59)) == []
    assert await unsettled(database, later(60)) == [(stored["left"].id, 1)]


async def test_what_was_left_open_may_be_taken_at_once_however_lately_it_was_renewed(database):
    integration = await store(database, an_integration())
    await take(database, integration)
    async with database.begin() as work:
        await work.credentials.store_grant(integration.id, a_grant(), 1)
    await take(database, integration, generation=2, now=later(5))

    assert await take(database, integration, 2, later(65), not_if_renewed_after=later(-535), owner=OTHER)


async def test_what_was_left_open_stays_so_until_it_is_answered(database):
    integration = await store(database, an_integration())
    await take(database, integration)
    await take(database, integration, now=later(60), owner=OTHER)
    async with database.begin() as work:
        await work.renewals.release(integration.id, 1, OTHER, later(390), open_since=later(90))

    assert await unsettled(database, later(389)) == []
    assert await unsettled(database, later(390)) == [(integration.id, 1)]
    assert (await held(database, integration)).renewing_until is not None


async def test_a_revocation_in_doubt_is_asked_about_once_more_in_its_time(database):
    revoked, rejected = await store(database, an_integration()), await store(database, an_integration())
    async with database.begin() as work:
        await work.integrations.save(replace(revoked, rejected_reason=GRANT_REVOKED))
        await work.integrations.save(replace(rejected, rejected_reason="refresh_token_rejected"))
        for integration in (revoked, rejected):
            await work.renewals.doubt(integration.id, 1, later(600))

    assert await unsettled(database, later(599)) == []
    assert await unsettled(database, later(600)) == [(revoked.id, 1)]
    async with database.begin() as work:
        await work.renewals.doubt(revoked.id, 1, None)
    assert await unsettled(database, later(9999)) == []


async def leased(database, integration):
    await take(database, integration, now=later(TOMORROW))


async def failed(database, integration):
    await leased(database, integration)
    await release(database, integration, retry_at=later(TOMORROW + 300))


async def renewed(database, integration):
    await leased(database, integration)
    async with database.begin() as work:
        await work.credentials.store_grant(integration.id, a_grant(expires_at=later(90)), 1)


@pytest.mark.parametrize("happened", [leased, failed, renewed])
async def test_what_happened_by_a_clock_that_was_set_back_since_holds_no_renewal_up(database, happened):
    integration = await store(database, an_integration(), a_grant(expires_at=later(90)))
    await happened(database, integration)

    assert await due(database, NOW) == [integration.id]
    generation = (await held(database, integration)).generation
    assert await take(database, integration, generation, not_if_renewed_after=later(-600))


async def test_only_active_integrations_whose_token_ends_soon_are_due(database):
    soon, last, late = later(10), later(20), later(1000)
    grants = {"soon": soon, "last": last, "late": late, "disabled": soon, "waiting": soon, "leased": soon}
    stored = {
        name: await store(database, an_integration(name=name), a_grant(expires_at=at))
        for name, at in grants.items()
    }
    async with database.begin() as work:
        await work.integrations.save(replace(stored["disabled"], enabled=False))
    await take(database, stored["waiting"])
    await release(database, stored["waiting"], retry_at=later(5))
    await take(database, stored["leased"])

    now_due, later_due = await due(database, NOW), await due(database, later(60))

    assert now_due == [stored["last"].id, stored["soon"].id][::-1]
    assert set(later_due) == {stored[name].id for name in ("soon", "last", "waiting", "leased")}
