"""A secret of the app that a person sends is tried at the marketplace before it is stored."""

import asyncio

import pytest
from tests.connecting import TENANT, Desk

from channel_sync.domain.errors import ChannelUnavailable, Conflict, GrantRejected, Invalid
from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.integrations.lifecycle import IntegrationChange

SECOND = Secret("the-second-secret")


async def change(desk: Desk, integration: Integration, if_version: int | None = None, **members) -> Integration:
    wanted = IntegrationChange(**({"client_secret": SECOND} | members))
    return await desk.lifecycle.change(TENANT, integration.id, wanted, if_version)


async def stored_secret(desk: Desk, integration: Integration) -> Secret:
    async with desk.database.read() as work:
        return (await work.credentials.app(integration.id)).client_secret


async def rejected(desk: Desk) -> Integration:
    """An integration whose secret was replaced at the marketplace behind our back."""
    integration = await desk.ageing()
    desk.channel.client_secrets["app1"] = SECOND.value
    with pytest.raises(GrantRejected):
        await desk.grants.access(integration.id)
    return await desk.read(integration.id)


async def test_a_secret_that_works_is_stored_with_the_grant_it_brought(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.client_secrets["app1"] = SECOND.value

    changed = await change(desk, integration, name="Renamed")

    assert (changed.client_secret_last4, changed.name) == (SECOND.last4, "Renamed")
    assert await stored_secret(desk, integration) == SECOND
    assert desk.channel.calls["renew"] == 1
    assert await desk.token(integration.id) in desk.channel.tokens


async def test_a_secret_that_is_refused_is_named_and_nothing_is_stored(database):
    desk = Desk(database)
    desk.channel.client_secrets["app1"] = "s3cret-of-app1"
    integration = await desk.active()
    token = await desk.token(integration.id)

    with pytest.raises(Invalid) as refused:
        await change(desk, integration, name="Renamed")

    assert (refused.value.code, refused.value.pointer) == ("client_rejected", "/client_secret")
    assert await desk.read(integration.id) == integration
    assert await stored_secret(desk, integration) == Secret("s3cret-of-app1")
    assert await desk.token(integration.id) == token in desk.channel.tokens
    assert (await desk.credentials.verify(TENANT, integration.id)).ok


async def test_an_outage_stores_nothing(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.break_down("renew", ChannelUnavailable("server_error", "Down."))

    with pytest.raises(ChannelUnavailable):
        await change(desk, integration)

    assert await desk.read(integration.id) == integration


@pytest.mark.parametrize("insists", [True, False])
async def test_a_secret_that_works_ends_a_rejection(database, insists):
    desk = Desk(database)
    integration = await rejected(desk)
    assert integration.status_reason == "client_rejected"

    changed = await change(desk, integration, integration.version if insists else None)

    assert (changed.status, changed.status_reason) == (Status.ACTIVE, None)
    assert changed == await desk.read(integration.id)
    assert (await desk.told())[-1] == "integration.recovered"
    assert await desk.next_at(integration.id) is not None


async def test_a_secret_for_a_grant_that_ended_waits_for_the_next_consent(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.merchants["m1"].refresh_token = "another-one"

    changed = await change(desk, integration)

    assert (changed.status, changed.status_reason) == (Status.NEEDS_REAUTH, "refresh_token_rejected")
    assert await stored_secret(desk, integration) == SECOND


async def test_where_no_grant_depends_on_it_nobody_is_asked(database):
    desk = Desk(database)
    draft, _ = await desk.draft()

    changed = await change(desk, draft, client_id="app2")

    assert (changed.client_id, changed.client_secret_last4) == ("app2", SECOND.last4)
    assert desk.channel.calls["renew"] == 0


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"default_currency": "XXX"}, Invalid),
        ({"settings": {"stock": {"buffer": -1}}}, Invalid),
        ({"client_id": "app2"}, Conflict),
    ],
)
async def test_what_is_wrong_beside_it_is_found_before_it_is_tried(database, members, error):
    desk = Desk(database)
    integration = await desk.active()

    with pytest.raises(error):
        await change(desk, integration, **members)

    assert desk.channel.calls["renew"] == 0
    assert await desk.read(integration.id) == integration


async def test_a_trial_waits_for_a_renewal_under_way_and_is_made_all_the_same(database):
    desk = Desk(database)
    integration = await desk.ageing()
    gate = desk.channel.hold("renew")
    renewal = asyncio.create_task(desk.grants.access(integration.id))
    await gate.reached.wait()
    trial = asyncio.create_task(change(desk, integration))
    await asyncio.sleep(0.1)
    gate.open.set()

    await asyncio.gather(renewal, trial)

    assert desk.channel.most_at_once["renew"] == 1
    assert desk.channel.calls["renew"] == 2
    assert await stored_secret(desk, integration) == SECOND


async def test_a_wrong_secret_fails_no_job_that_renews_meanwhile(database):
    desk = Desk(database)
    desk.channel.client_secrets["app1"] = "s3cret-of-app1"
    integration = await desk.ageing()
    gate = desk.channel.hold("renew")
    trial = asyncio.create_task(change(desk, integration))
    await gate.reached.wait()
    job = asyncio.create_task(desk.grants.access(integration.id))
    await asyncio.sleep(0.1)
    gate.open.set()

    with pytest.raises(Invalid):
        await trial
    assert (await job).generation == integration.generation + 1
    assert await stored_secret(desk, integration) == Secret("s3cret-of-app1")
