import asyncio
from datetime import timedelta

import pytest
import time_machine
from tests.connecting import Desk, utc_now
from tests.stored import held_grant

from channel_sync.domain.errors import AccountDisabled, ChannelUnavailable, ClientRejected, GrantRejected
from channel_sync.domain.integrations import Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.grants.renewal import MerchantChanged, Renewal, Renewals, RenewedLately
from channel_sync.flows.leases import Lease
from channel_sync.persistence.renewals import RenewalLease

DOWN = ChannelUnavailable("server_error", "Wish answered 502.")


def renewals_of(desk, owner="process-1", **lease):
    """Renewals as a process has them."""
    return Renewals(desk.database, {"wish": desk.channel}, Lease(owner, **lease), confirm_after_s=0)


async def held(desk, integration_id):
    async with desk.database.read() as work:
        found = await held_grant(work, integration_id)
    assert found is not None
    return found


async def renew(desk, integration, **members):
    """One renewal of what is held now; an hour has passed since the last one."""
    generation = (await held(desk, integration.id)).generation
    with time_machine.travel(utc_now() + timedelta(hours=1), tick=True):
        return await renewals_of(desk).carry_out(Renewal(integration.id, generation, **members))


async def test_a_renewal_stores_the_newer_grant_and_is_over(database):
    desk = Desk(database)
    integration = await desk.active()
    before = await held(desk, integration.id)

    renewed = await renew(desk, integration)

    after = await held(desk, integration.id)
    assert renewed.held == after
    assert (after.generation, after.renewing_until) == (before.generation + 1, None)
    assert desk.channel.log[-1] == ("renew", before.grant.refresh_token.value)
    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_who_asks_for_a_grant_that_is_newer_already_gets_it_without_a_call(database):
    desk = Desk(database)
    integration = await desk.active()
    await renew(desk, integration)

    found = await renewals_of(desk).carry_out(Renewal(integration.id, generation=1))

    assert found.held == await held(desk, integration.id)
    assert desk.channel.calls["renew"] == 1


async def test_a_grant_is_not_renewed_twice_within_the_pause_unless_a_person_wants_it(database):
    desk = Desk(database)
    integration = await desk.active()
    await renew(desk, integration)
    generation = (await held(desk, integration.id)).generation

    with time_machine.travel(utc_now() + timedelta(hours=1, minutes=4), tick=True):
        with pytest.raises(RenewedLately) as refused:
            await renewals_of(desk).carry_out(Renewal(integration.id, generation))
        assert refused.value.retry_after_s == pytest.approx(360, abs=5)
        assert desk.channel.calls["renew"] == 1

        renewed = await renewals_of(desk).carry_out(Renewal(integration.id, generation, by_person=True))
    assert renewed.held.generation == generation + 1


@pytest.mark.parametrize(
    ("rejected", "reason"),
    [
        (GrantRejected("invalid_grant", "No.", "req-1"), "refresh_token_rejected"),
        (ClientRejected("client_rejected", "No.", "req-1"), "client_rejected"),
    ],
)
async def test_a_rejection_that_is_heard_twice_has_its_final_name(database, rejected, reason):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.break_down("renew", rejected)

    with pytest.raises(GrantRejected) as raised:
        await renew(desk, integration)

    assert (raised.value.code, raised.value.message, raised.value.request_id) == (reason, "No.", "req-1")
    stopped = await desk.read(integration.id)
    assert (stopped.status, stopped.rejected_reason) == (Status.NEEDS_REAUTH, reason)
    assert (desk.channel.calls["renew"], (await held(desk, integration.id)).renewing_until) == (2, None)


async def test_an_account_that_is_closed_is_asked_about_twice_and_waits_for_the_marketplace(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.merchants["m1"].disabled = True

    with pytest.raises(AccountDisabled):
        await renew(desk, integration)

    stopped = await desk.read(integration.id)
    assert (stopped.status, stopped.paused_reason) == (Status.PAUSED, "account_disabled_at_wish")
    assert desk.channel.calls["renew"] == 2


async def test_the_grant_of_another_merchant_is_not_kept(database):
    desk = Desk(database)
    integration = await desk.active()
    before = await held(desk, integration.id)
    other = desk.channel.merchants["m2"]
    other.refresh_token, desk.channel.merchants["m1"].refresh_token = before.grant.refresh_token.value, ""

    with pytest.raises(MerchantChanged):
        await renew(desk, integration)

    assert (await held(desk, integration.id)).grant == before.grant
    assert (await desk.read(integration.id)).rejected_reason == "merchant_mismatch"
    assert desk.channel.calls["renew"] == 1


async def test_without_an_answer_it_is_asked_again_after_five_minutes(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.fail("renew", DOWN)
    with pytest.raises(ChannelUnavailable, match="502"):
        await renew(desk, integration)

    with pytest.raises(ChannelUnavailable) as postponed:
        await renew(desk, integration)
    assert (postponed.value.code, desk.channel.calls["renew"]) == ("renewal_postponed", 1)
    assert postponed.value.retry_after_s == pytest.approx(300, abs=5)
    stored = await desk.read(integration.id)
    assert stored.status is Status.ACTIVE
    assert stored.renewal_failing_since is not None

    await renew(desk, integration, by_person=True)
    assert (await desk.read(integration.id)).renewal_failing_since is None


async def test_what_a_person_tries_says_nothing_about_the_renewals_that_go_on_by_themselves(sqlite_database):
    desk = Desk(sqlite_database)
    integration = await desk.active()
    desk.channel.fail("renew", DOWN)

    with pytest.raises(ChannelUnavailable):
        await renew(desk, integration, by_person=True)

    assert (await desk.read(integration.id)).renewal_failing_since is None


async def test_a_secret_on_trial_is_stored_with_the_grant_that_it_brought(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.client_secrets["app1"] = "the-newer-secret"

    renewed = await renew(desk, integration, by_person=True, secret=Secret("the-newer-secret"))

    assert renewed.app.client_secret == Secret("the-newer-secret")
    assert (await desk.read(integration.id)).client_secret_last4 == "cret"


async def test_a_secret_that_is_wrong_is_asked_about_once_and_stops_nothing(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.client_secrets["app1"] = "s3cret-of-app1"

    with pytest.raises(ClientRejected):
        await renew(desk, integration, by_person=True, secret=Secret("a-wrong-secret"))

    assert (await desk.read(integration.id)).status is Status.ACTIVE
    assert desk.channel.calls["renew"] == 1


@pytest.mark.parametrize(
    ("failure", "stays_open"),
    [(DOWN, True), (GrantRejected("refresh_token_rejected", "No."), False)],
)
async def test_what_a_dead_process_left_open_stays_so_until_it_is_answered(database, failure, stays_open):
    desk = Desk(database)
    integration = await desk.active()
    generation = (await held(desk, integration.id)).generation
    async with database.begin() as work:
        dead = RenewalLease("process-0", utc_now(), timedelta(seconds=60))
        assert await work.renewals.take(integration.id, generation, dead, None)
    desk.channel.fail("renew", failure)

    with pytest.raises(type(failure)) as raised:
        await renew(desk, integration)

    assert ((await held(desk, integration.id)).renewing_until is not None) is stays_open
    assert raised.value.code == ("server_error" if stays_open else "refresh_outcome_unknown")
    assert desk.channel.calls["renew"] == 1


@pytest.mark.parametrize("by_person", [False, True])
async def test_another_process_waits_for_the_one_that_renews_and_has_its_grant(database, by_person):
    desk = Desk(database)
    integration = await desk.active()
    renewal = Renewal(integration.id, (await held(desk, integration.id)).generation, by_person)
    if by_person:
        # Nothing but a person's own renewal is made for some minutes now.
        desk.channel.fail("renew", DOWN)
        with pytest.raises(ChannelUnavailable):
            await renew(desk, integration)
    gate = desk.channel.hold("renew")
    with time_machine.travel(utc_now() + timedelta(hours=1), tick=True):
        first = asyncio.create_task(renewals_of(desk).carry_out(renewal))
        await gate.reached.wait()
        second = asyncio.create_task(renewals_of(desk, "process-2").carry_out(renewal))
        await asyncio.sleep(0.02)
        gate.open.set()

        assert (await first).held == (await second).held
    assert desk.channel.calls["renew"] == 1 + by_person


async def test_a_renewal_that_takes_long_keeps_its_lease(database):
    desk = Desk(database)
    integration = await desk.active()
    generation = (await held(desk, integration.id)).generation
    gate = desk.channel.hold("renew")
    with time_machine.travel(utc_now() + timedelta(hours=1), tick=True):
        renewing = renewals_of(desk, beat_s=0.01).carry_out(Renewal(integration.id, generation))
        running = asyncio.create_task(renewing)
        await gate.reached.wait()
        taken_until = (await held(desk, integration.id)).renewing_until
        async with asyncio.timeout(5):
            while (await held(desk, integration.id)).renewing_until == taken_until:
                await asyncio.sleep(0.005)
        gate.open.set()
        await running

    assert (await held(desk, integration.id)).generation == generation + 1
