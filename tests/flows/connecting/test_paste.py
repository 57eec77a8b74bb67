from typing import Any

import pytest
from tests.connecting import TENANT, Desk

from channel_sync.domain.channel import Grant
from channel_sync.domain.errors import ChannelUnavailable, Conflict, Invalid, NoAnswer, NotFound
from channel_sync.domain.integrations import Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.paste import PastedCredentials
from channel_sync.flows.integrations.lifecycle import IntegrationChange


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
    desk.channel.fail("merchant_id", NoAnswer("timeout", "No answer."))

    with pytest.raises(ChannelUnavailable):
        await desk.credentials.paste(TENANT, draft.id, pasted(desk.channel.issue("m1")))


async def test_another_tenant_can_neither_paste_nor_verify(database):
    desk = Desk(database)
    integration = await desk.active()

    with pytest.raises(NotFound):
        await desk.credentials.paste("others", integration.id, pasted(desk.channel.issue("m1")))
    with pytest.raises(NotFound):
        await desk.credentials.verify("others", integration.id)
