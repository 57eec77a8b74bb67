from datetime import timedelta
from typing import Any

import pytest
from tests.connecting import TENANT, Desk, utc_now

from channel_sync.domain.channel import Grant
from channel_sync.domain.errors import ChannelUnavailable, Conflict, GrantRejected, Invalid, NotFound
from channel_sync.domain.integrations import Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.credentials import PastedCredentials
from channel_sync.flows.lifecycle import IntegrationChange


def pasted(grant: Grant, **members):
    given: dict[str, Any] = {
        "client_id": "app1",
        "client_secret": Secret("s3cret-of-app1"),
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token,
    }
    return PastedCredentials(**(given | members))


async def test_pasted_credentials_finish_a_draft(database):
    desk = Desk(database)
    draft, _ = await desk.draft()

    connected = await desk.credentials.paste(TENANT, draft.id, pasted(desk.channel.issue("m1")))
    assert (connected.status, connected.connected, connected.merchant_id) == (Status.DRAFT, True, "m1")
    await desk.lifecycle.change(TENANT, draft.id, IntegrationChange(default_currency="EUR"))

    integration = await desk.read(draft.id)
    assert (integration.status, integration.shop_name) == (Status.ACTIVE, "Shop")
    access = await desk.grants.access(draft.id)
    assert access.token.value in desk.channel.tokens


async def test_pasted_credentials_replace_a_grant_and_its_app(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.client_secrets["app2"] = "another-secret"

    await desk.credentials.paste(
        TENANT,
        integration.id,
        pasted(desk.channel.issue("m1"), client_id="app2", client_secret=Secret("another-secret")),
    )

    after = await desk.read(integration.id)
    assert (after.client_id, after.generation) == ("app2", integration.generation + 1)
    assert (await desk.told())[-1] == "integration.reauthorised"


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ({"access_token": Secret("wrong-access")}, "access_token_rejected", "/access_token"),
        ({"refresh_token": Secret("wrong-refresh")}, "refresh_token_rejected", "/refresh_token"),
        ({"client_secret": Secret("wrong-secret")}, "client_rejected", "/client_secret"),
        ({"access_token": Secret("")}, "secret_masked", "/access_token"),
        ({"refresh_token": Secret("********")}, "secret_masked", "/refresh_token"),
        ({"client_id": " "}, "blank", "/client_id"),
    ],
)
async def test_a_field_that_fails_is_named_and_nothing_is_stored(database, members, code, pointer):
    desk = Desk(database)
    desk.channel.client_secrets["app1"] = "s3cret-of-app1"
    integration = await desk.active()
    token = await desk.token(integration.id)

    with pytest.raises(Invalid) as refused:
        await desk.credentials.paste(TENANT, integration.id, pasted(desk.channel.issue("m1"), **members))

    assert (refused.value.code, refused.value.pointer) == (code, pointer)
    assert await desk.read(integration.id) == integration
    assert await desk.token(integration.id) == token


async def test_tokens_of_two_merchants_are_not_stored(database):
    desk = Desk(database)
    draft, _ = await desk.draft()
    mixed = pasted(desk.channel.issue("m1"), refresh_token=desk.channel.issue("m2").refresh_token)

    with pytest.raises(Invalid) as refused:
        await desk.credentials.paste(TENANT, draft.id, mixed)

    assert refused.value.code == "tokens_differ"
    assert (await desk.read(draft.id)).access_token_last4 is None


async def test_tokens_of_another_merchant_are_refused_before_any_is_used_up(database):
    desk = Desk(database)
    integration = await desk.active()

    with pytest.raises(Conflict) as refused:
        await desk.credentials.paste(TENANT, integration.id, pasted(desk.channel.issue("m2")))

    assert refused.value.code == "account_mismatch"
    assert desk.channel.calls["renew"] == 0
    assert await desk.read(integration.id) == integration


async def test_a_merchant_of_another_integration_is_refused_with_its_id(database):
    desk = Desk(database)
    first = await desk.active()
    draft, _ = await desk.draft(client_id="app2")

    with pytest.raises(Conflict) as refused:
        await desk.credentials.paste(TENANT, draft.id, pasted(desk.channel.issue("m1"), client_id="app2"))

    assert (refused.value.code, refused.value.related_id) == ("account_already_connected", first.id)


async def test_too_few_scopes_are_refused_by_name(database):
    desk = Desk(database)
    draft, _ = await desk.draft()
    desk.channel.granted_scopes = ("merchant:read", "orders:read")

    with pytest.raises(Invalid) as refused:
        await desk.credentials.paste(TENANT, draft.id, pasted(desk.channel.issue("m1")))

    assert refused.value.code == "insufficient_scope"
    assert "products:write" in refused.value.message


async def test_an_outage_while_pasting_is_told_as_one(database):
    desk = Desk(database)
    draft, _ = await desk.draft()
    desk.channel.fail("merchant_id", ChannelUnavailable("timeout", "No answer."))

    with pytest.raises(ChannelUnavailable):
        await desk.credentials.paste(TENANT, draft.id, pasted(desk.channel.issue("m1")))


async def test_another_tenant_can_neither_paste_nor_verify(database):
    desk = Desk(database)
    integration = await desk.active()

    with pytest.raises(NotFound):
        await desk.credentials.paste("others", integration.id, pasted(desk.channel.issue("m1")))
    with pytest.raises(NotFound):
        await desk.credentials.verify("others", integration.id)


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
    ("code", "failing"),
    [
        ("client_rejected", {"client_id", "client_secret", "refresh_token"}),
        ("refresh_token_rejected", {"client_id", "client_secret", "refresh_token"}),
    ],
)
async def test_a_failed_verification_names_the_field_and_stops_nothing(database, code, failing):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.break_down("renew", GrantRejected(code, "No."))

    found = await desk.credentials.verify(TENANT, integration.id)

    checks = {check.field: check for check in found.checks}
    assert not found.ok
    assert {name for name, check in checks.items() if not check.ok} == failing
    assert code in {check.code for check in checks.values()}
    assert desk.channel.calls["renew"] == 1
    assert (await desk.read(integration.id)).status is Status.ACTIVE
    assert "integration.needs_reauth" not in await desk.told()


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
    await desk.grants.pause(await desk.grants.access(integration.id))

    assert (await desk.credentials.verify(TENANT, integration.id)).ok

    recovered = await desk.read(integration.id)
    assert (recovered.status, recovered.status_reason) == (Status.ACTIVE, None)
    assert (await desk.told())[-2:] == ["integration.paused", "integration.recovered"]
    next_at = await desk.next_at(integration.id)
    assert next_at is not None
    assert next_at <= utc_now()


async def test_a_corrected_secret_and_a_verification_end_a_rejection(database):
    desk = Desk(database)
    desk.channel.lifetime = timedelta(days=3)
    integration = await desk.active()
    desk.channel.client_secrets["app1"] = "rotated-at-wish"
    with pytest.raises(GrantRejected):
        await desk.grants.access(integration.id)
    assert (await desk.read(integration.id)).rejected_reason == "client_rejected"

    change = IntegrationChange(client_secret=Secret("rotated-at-wish"))
    await desk.lifecycle.change(TENANT, integration.id, change)
    found = await desk.credentials.verify(TENANT, integration.id)

    assert found.ok
    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_without_credentials_there_is_nothing_to_verify(database):
    desk = Desk(database)
    draft, _ = await desk.draft()

    with pytest.raises(Conflict) as refused:
        await desk.credentials.verify(TENANT, draft.id)

    assert refused.value.code == "not_connected"
