import asyncio

import pytest
from tests.connecting import TENANT, Desk

from channel_sync.domain.errors import ChannelUnavailable, GrantRejected
from channel_sync.domain.integrations import Status

DOWN = ChannelUnavailable("server_error", "Wish answered 502.")
REFUSED = GrantRejected("refresh_token_rejected", "No.")


async def test_a_late_rejection_never_overrules_a_newer_grant(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    gate = desk.channel.hold("renew")
    desk.channel.fail("renew", REFUSED)
    waiting = asyncio.create_task(desk.grants.access(integration_id))
    await gate.reached.wait()
    await desk.reauthorise(integration_id)
    gate.open.set()

    access = await waiting

    assert access.token.value == await desk.token(integration_id)
    assert desk.channel.calls["renew"] == 1
    assert (await desk.read(integration_id)).status is Status.ACTIVE


@pytest.mark.parametrize("failure", [REFUSED, DOWN])
async def test_a_failure_that_comes_after_a_newer_grant_is_worth_nothing(database, failure):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    desk.channel.fail("renew", REFUSED, failure)
    first = desk.channel.hold("renew")
    waiting = asyncio.create_task(desk.grants.access(integration_id))
    await first.reached.wait()
    second = desk.channel.hold("renew")
    first.open.set()
    await second.reached.wait()
    await desk.reauthorise(integration_id)
    second.open.set()

    access = await waiting

    assert access.token.value == await desk.token(integration_id)
    assert (await desk.read(integration_id)).status is Status.ACTIVE
    assert "integration.needs_reauth" not in await desk.told()


async def test_a_late_success_never_overwrites_a_newer_grant(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    gate = desk.channel.hold("renew")
    waiting = asyncio.create_task(desk.grants.access(integration_id))
    await gate.reached.wait()
    # The answer of the old refresh token comes although it was replaced in the meantime.
    old = desk.channel.merchants["m1"].refresh_token
    await desk.reauthorise(integration_id)
    newest = await desk.token(integration_id)
    desk.channel.merchants["m1"].refresh_token = old
    gate.open.set()

    access = await waiting

    assert await desk.token(integration_id) == access.token.value == newest


async def test_a_renewal_goes_on_when_its_caller_goes_away(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    before = await desk.token(integration_id)
    gate = desk.channel.hold("renew")
    caller = asyncio.create_task(desk.grants.access(integration_id))
    await gate.reached.wait()
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    gate.open.set()

    await desk.grants.finish(within_s=5)

    assert await desk.token(integration_id) != before
    assert desk.channel.calls["renew"] == 1


async def test_a_removed_integration_gets_no_late_grant(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    gate = desk.channel.hold("renew")
    waiting = asyncio.create_task(desk.grants.access(integration_id))
    await gate.reached.wait()
    await desk.lifecycle.remove(TENANT, integration_id, "My shop")
    gate.open.set()

    with pytest.raises(GrantRejected):
        await waiting

    removed = await desk.read(integration_id)
    assert (removed.status, removed.access_token_last4) == (Status.REMOVED, None)
