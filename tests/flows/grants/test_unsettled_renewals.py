"""Renewals in which a process died: tried once more, at once, by whoever may."""

import asyncio
from datetime import timedelta

import pytest
import time_machine
from tests.connecting import TENANT, Desk, utc_now
from tests.stores import ON_SQLITE

from channel_sync.domain.errors import ChannelUnavailable, GrantRejected
from channel_sync.domain.integrations import Integration, Status
from channel_sync.flows.grants.service import Grants
from channel_sync.flows.leases import Lease
from channel_sync.persistence.renewals import RenewalLease

REFUSED = GrantRejected("refresh_token_rejected", "No.")
DOWN = ChannelUnavailable("server_error", "Wish answered 502.")
LEASE = timedelta(seconds=60)


async def die_renewing(desk: Desk, integration: Integration, ago_s: float = 0) -> None:
    """What a process leaves that is killed with its question at the marketplace."""
    lease = RenewalLease("a process that is gone", utc_now() - timedelta(seconds=ago_s), LEASE)
    async with desk.database.begin() as work:
        assert await work.renewals.take(integration.id, integration.generation, lease, None)


@ON_SQLITE
async def test_the_next_start_of_a_single_process_tries_it_at_once(database):
    desk = Desk(database)
    integration = await desk.active()
    await die_renewing(desk, integration)
    await desk.grants.settle()
    assert desk.channel.calls["renew"] == 0

    await desk.grants.take_over()
    await desk.grants.settle()

    assert desk.channel.calls["renew"] == 1
    renewed = await desk.read(integration.id)
    assert (renewed.status, renewed.generation) == (Status.ACTIVE, integration.generation + 1)


async def test_another_process_tries_it_after_the_lease_without_being_asked(database):
    desk = Desk(database)
    integration = await desk.active()
    await die_renewing(desk, integration, ago_s=59)
    await asyncio.gather(*(grants.settle() for grants in (desk.grants, desk.more_grants())))
    assert desk.channel.calls["renew"] == 0

    with time_machine.travel(utc_now() + timedelta(seconds=2), tick=True):
        await asyncio.gather(*(grants.settle() for grants in (desk.grants, desk.more_grants())))
        await desk.grants.settle()

    assert desk.channel.calls["renew"] == 1
    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_a_renewal_that_takes_longer_than_its_lease_is_nobody_elses(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    slow = Grants(database, {"wish": desk.channel}, Lease(seconds=0.5, beat_s=0.1), confirm_after_s=0.02)
    desk.channel.delays["renew"] = 1.5
    renewing = asyncio.create_task(slow.access(integration_id))
    other = Grants(database, {"wish": desk.channel}, Lease(seconds=0.5, beat_s=0.1), confirm_after_s=0.02)
    while not renewing.done():
        await asyncio.sleep(0.1)
        await other.settle()

    assert (await renewing).token.value == await desk.token(integration_id)
    assert desk.channel.calls["renew"] == 1


async def test_a_person_is_asked_only_after_that_failed(database):
    desk = Desk(database)
    integration = await desk.active()
    await die_renewing(desk, integration, ago_s=61)
    desk.channel.break_down("renew", REFUSED)

    await desk.grants.settle()
    await desk.grants.settle()

    stopped = await desk.read(integration.id)
    assert (stopped.status, stopped.rejected_reason) == (Status.NEEDS_REAUTH, "refresh_outcome_unknown")
    assert desk.channel.calls["renew"] == 1


async def test_a_marketplace_that_is_away_by_then_is_asked_again_until_it_answers(database):
    desk = Desk(database)
    integration = await desk.active()
    await die_renewing(desk, integration, ago_s=61)
    desk.channel.break_down("renew", DOWN)
    for _ in range(3):
        await desk.grants.settle()
    assert desk.channel.calls["renew"] == 1
    desk.channel.break_down("renew", REFUSED)

    with time_machine.travel(utc_now() + timedelta(minutes=5, seconds=1), tick=True):
        await desk.grants.settle()

    assert (await desk.read(integration.id)).rejected_reason == "refresh_outcome_unknown"


async def test_a_persons_own_renewal_that_was_cut_off_is_tried_again_within_the_pause(database):
    desk = Desk(database)
    integration = await desk.active()
    await desk.credentials.verify(TENANT, integration.id)
    await die_renewing(desk, await desk.read(integration.id), ago_s=61)

    await desk.grants.settle()

    assert desk.channel.calls["renew"] == 2
    assert await desk.shop(integration.id).call(lambda shop: shop.merchant_id()) == "m1"


@pytest.mark.parametrize("enabled", [True, False])
async def test_of_a_disabled_integration_nothing_is_asked_until_it_is_switched_on(database, enabled):
    desk = Desk(database)
    integration = await desk.active()
    await die_renewing(desk, integration, ago_s=61)
    await desk.lifecycle.set_enabled(TENANT, integration.id, False)
    await desk.lifecycle.set_enabled(TENANT, integration.id, enabled)

    await desk.grants.settle()

    assert desk.channel.calls["renew"] == int(enabled)
