from datetime import timedelta

import pytest
import time_machine
from tests.connecting import Desk, utc_now

from channel_sync.domain.errors import ChannelUnavailable, ReplyNotUnderstood
from channel_sync.domain.integrations import Status

DOWN = ChannelUnavailable("server_error", "Wish answered 502.")


async def test_a_clock_that_is_far_ahead_makes_no_storm(database):
    desk = Desk(database)
    integration = await desk.active()

    # Wish's clock is right, so by ours even a new token ended long ago.
    desk.channel.lifetime = timedelta(days=-10)
    with time_machine.travel(utc_now() + timedelta(days=40), tick=True):
        tokens = {(await desk.grants.access(integration.id)).token.value for _ in range(5)}

    assert desk.channel.calls["renew"] == 1
    assert tokens == {await desk.token(integration.id)}


async def test_an_outage_is_never_the_end_and_the_old_token_goes_on(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    desk.channel.break_down("renew", DOWN)

    for _ in range(10):
        access = await desk.grants.access(integration_id)
    assert access.token.value == await desk.token(integration_id)
    assert desk.channel.calls["renew"] == 1

    with time_machine.travel(utc_now() + timedelta(minutes=5, seconds=1), tick=True):
        desk.channel.break_down("renew", None)
        await desk.grants.access(integration_id)

    assert desk.channel.calls["renew"] == 2
    assert (await desk.read(integration_id)).status is Status.ACTIVE
    assert "integration.needs_reauth" not in await desk.told()


async def test_in_an_outage_an_ended_token_is_asked_for_at_most_every_five_minutes(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.break_down("renew", DOWN)
    began = utc_now() + timedelta(days=31)

    for minutes in range(0, 60):
        with time_machine.travel(began + timedelta(minutes=minutes), tick=True), pytest.raises(ChannelUnavailable):
            await desk.grants.access(integration.id)

    assert desk.channel.calls["renew"] <= 12
    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_a_reply_that_is_not_understood_changes_nothing(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    token = await desk.token(integration_id)
    desk.channel.fail("renew", ReplyNotUnderstood("unexpected_shape", "At '/access_token'."))

    access = await desk.grants.access(integration_id)

    assert access.token.value == token
    assert (await desk.read(integration_id)).status is Status.ACTIVE
