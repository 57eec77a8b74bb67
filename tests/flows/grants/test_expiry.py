"""Others are told before the day on which a merchant has to authorise again, and of no other day."""

from datetime import UTC, datetime, timedelta

import time_machine
from tests.connecting import OVERDUE, TENANT, Desk, utc_now

from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.integrations import AuthState

DOWN = ChannelUnavailable("server_error", "Wish answered 502.")


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=True)


async def expiring(desk: Desk) -> list[str]:
    """The ends that others were told of."""
    return [
        str(event.members["authorise_by"]) for event in await desk.events() if event.type == "integration.expiring"
    ]


async def test_a_token_that_renews_itself_is_told_of_to_nobody(database):
    desk = Desk(database)
    integration_id = (await desk.ageing(days_left=1)).id
    assert (await desk.read(integration_id)).auth_state(utc_now(), OVERDUE) is AuthState.CONNECTED

    await desk.grants.renew_due()

    assert (await desk.read(integration_id)).auth_state(utc_now(), OVERDUE) is AuthState.CONNECTED
    assert await expiring(desk) == []


async def test_renewals_that_go_on_failing_are_told_once_before_the_token_ends_and_end_with_a_success(database):
    desk = Desk(database)
    integration_id = (await desk.ageing(days_left=5)).id
    end = (await desk.read(integration_id)).access_token_expires_at
    assert end is not None
    desk.channel.break_down("renew", DOWN)

    states = []
    for hours in (100, 25, 23, 22):
        with at(end - timedelta(hours=hours)):
            await desk.grants.renew_due()
            states.append((await desk.read(integration_id)).auth_state(utc_now(), OVERDUE))
    assert states == [AuthState.CONNECTED] * 2 + [AuthState.EXPIRING] * 2
    assert await expiring(desk) == [f"{end:%Y-%m-%dT%H:%M:%S}.{end.microsecond // 1000:03}Z"]

    desk.channel.break_down("renew", None)
    with at(end - timedelta(hours=20)):
        await desk.grants.renew_due()
        assert (await desk.read(integration_id)).auth_state(utc_now(), OVERDUE) is AuthState.CONNECTED
    assert len(await expiring(desk)) == 1


async def test_a_consent_that_ends_is_told_once_whatever_is_renewed_meanwhile(database):
    desk = Desk(database)
    desk.channel.consent_ends_at = utc_now() + timedelta(days=20)
    integration_id = (await desk.active()).id
    await desk.grants.renew_due()
    assert await expiring(desk) == []

    for days in (13, 9, 4):
        with at(desk.channel.consent_ends_at - timedelta(days=days)):
            await desk.credentials.verify(TENANT, integration_id)
            await desk.grants.renew_due()
            assert (await desk.read(integration_id)).auth_state(utc_now(), OVERDUE) is AuthState.EXPIRING
    assert len(await expiring(desk)) == 1

    desk.channel.consent_ends_at = datetime(2030, 1, 1, tzinfo=UTC)
    await desk.reauthorise(integration_id)
    assert (await desk.read(integration_id)).auth_state(utc_now(), OVERDUE) is AuthState.CONNECTED
