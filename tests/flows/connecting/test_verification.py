from datetime import timedelta

import pytest
from tests.connecting import TENANT, Desk, utc_now

from channel_sync.domain.errors import ChannelUnavailable, ClientRejected, Conflict, GrantRejected
from channel_sync.domain.integrations import Status


async def test_verifying_proves_every_field_by_one_renewal_that_is_stored(database):
    desk = Desk(database)
    integration = await desk.active()

    found = await desk.credentials.verify(TENANT, integration.id)

    assert found.ok
    assert [check.field for check in found.checks] == [
        "client_id",
        "client_secret",
        "access_token",
        "refresh_token",
        "endpoint",
        "scopes",
    ]
    assert all(check.ok and check.code is None for check in found.checks)
    assert (found.merchant_id, found.shop_name) == ("m1", "Shop")
    assert found.expires_at is not None
    assert found.expires_at > utc_now() + timedelta(days=29)
    assert desk.channel.calls["renew"] == 1
    assert await desk.token(integration.id) in desk.channel.tokens


@pytest.mark.parametrize(
    ("rejected", "failing"),
    [
        (ClientRejected("client_rejected", "No."), {"client_id", "client_secret", "refresh_token"}),
        (GrantRejected("refresh_token_rejected", "No."), {"client_id", "client_secret", "refresh_token"}),
    ],
)
async def test_a_refused_renewal_names_the_field_and_stops_the_integration_as_a_job_would(
    database, rejected, failing
):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.break_down("renew", rejected)

    found = await desk.credentials.verify(TENANT, integration.id)

    checks = {check.field: check for check in found.checks}
    assert not found.ok
    assert {name for name, check in checks.items() if not check.ok} == failing
    assert rejected.code in {check.code for check in checks.values()}
    assert desk.channel.calls["renew"] == 2
    stopped = await desk.read(integration.id)
    assert (stopped.status, stopped.status_reason) == (Status.NEEDS_REAUTH, rejected.code)
    assert (await desk.told())[-1] == "integration.needs_reauth"
    assert await desk.next_at(integration.id) is None


async def test_a_refusal_that_is_not_repeated_stops_nothing(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.fail("renew", GrantRejected("refresh_token_rejected", "No."))

    assert (await desk.credentials.verify(TENANT, integration.id)).ok

    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_an_account_found_closed_is_paused(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.merchants["m1"].disabled = True

    found = await desk.credentials.verify(TENANT, integration.id)

    stopped = await desk.read(integration.id)
    assert not found.ok
    assert (stopped.status, stopped.status_reason) == (Status.PAUSED, "account_disabled_at_wish")


async def test_an_outage_of_the_renewal_stops_nothing(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.break_down("renew", ChannelUnavailable("server_error", "Down."))

    assert not (await desk.credentials.verify(TENANT, integration.id)).ok

    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_a_draft_that_is_found_refused_waits_for_another_consent_and_nobody_hears_of_it(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()
    await desk.arrive(ticket)
    desk.channel.break_down("renew", GrantRejected("refresh_token_rejected", "No."))

    await desk.credentials.verify(TENANT, draft.id)

    refused = await desk.read(draft.id)
    assert (refused.status, refused.rejected_reason) == (Status.DRAFT, "refresh_token_rejected")
    assert await desk.told() == []


async def test_while_the_marketplace_is_away_no_renewal_is_risked(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.break_down("merchant_id", ChannelUnavailable("server_error", "Down."))

    found = await desk.credentials.verify(TENANT, integration.id)

    codes = {check.field: check.code for check in found.checks}
    assert (codes["endpoint"], codes["access_token"], codes["scopes"]) == ("server_error", "not_checked", None)
    assert desk.channel.calls["renew"] == 0


async def test_a_person_may_verify_again_at_once(database):
    desk = Desk(database)
    integration = await desk.active()

    assert (await desk.credentials.verify(TENANT, integration.id)).ok
    assert (await desk.credentials.verify(TENANT, integration.id)).ok


async def test_verifying_names_the_missing_scope(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.granted_scopes = ("merchant:read", "orders:read", "products:read")

    found = await desk.credentials.verify(TENANT, integration.id)

    scopes = next(check for check in found.checks if check.field == "scopes")
    assert (found.ok, scopes.code) == (False, "insufficient_scope")
    assert "products:write" in scopes.message


async def test_a_good_verification_ends_a_pause(database):
    desk = Desk(database)
    integration = await desk.active()
    await desk.grants.pause(await desk.grants.access(integration.id), desk.channel)

    assert (await desk.credentials.verify(TENANT, integration.id)).ok

    recovered = await desk.read(integration.id)
    assert (recovered.status, recovered.status_reason) == (Status.ACTIVE, None)
    assert (await desk.told())[-2:] == ["integration.paused", "integration.recovered"]
    next_at = await desk.next_at(integration.id)
    assert next_at is not None
    assert next_at <= utc_now()


async def test_without_credentials_there_is_nothing_to_verify(database):
    desk = Desk(database)
    draft, _ = await desk.draft()

    with pytest.raises(Conflict) as refused:
        await desk.credentials.verify(TENANT, draft.id)

    assert refused.value.code == "not_connected"
