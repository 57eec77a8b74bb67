"""A draft whose seller has consented, and that lacks nothing but its currency."""

from datetime import timedelta

import pytest
import time_machine
from tests.connecting import TENANT, Desk, utc_now

from channel_sync.domain.errors import GrantRejected
from channel_sync.domain.integrations import Integration, Status
from channel_sync.flows.connecting.authorise import Reauthorisation
from channel_sync.flows.integrations.lifecycle import IntegrationChange

WEEK = timedelta(days=7)
A_MOMENT = timedelta(seconds=10)


async def connected(desk: Desk, **members) -> Integration:
    draft, ticket = await desk.draft(**members)
    callback_result = await desk.arrive(ticket)
    found = await desk.read(draft.id)
    assert callback_result.kept_until == found.draft_expires_at
    return found


async def test_it_says_what_is_missing_and_waits_a_week(database):
    desk = Desk(database)
    fresh, _ = await desk.draft()

    draft = await connected(desk)

    assert (fresh.status_reason, draft.status_reason) == (None, "currency_missing")
    assert draft.draft_expires_at is not None
    assert abs(draft.draft_expires_at - utc_now() - WEEK) < A_MOMENT
    with time_machine.travel(utc_now() + WEEK - timedelta(hours=1), tick=True):
        await desk.prune.run()
        active = await desk.lifecycle.change(TENANT, draft.id, IntegrationChange(default_currency="GBP"))
    assert (active.status, active.status_reason, active.draft_expires_at) == (Status.ACTIVE, None, None)


async def test_after_a_week_it_goes(database):
    desk = Desk(database)
    draft = await connected(desk)

    with time_machine.travel(utc_now() + WEEK + timedelta(minutes=1), tick=True):
        await desk.prune.run()

    assert await desk.find(draft.id) is None


async def test_no_later_step_shortens_the_week(database):
    desk = Desk(database)
    draft = await connected(desk)

    renamed = await desk.lifecycle.change(TENANT, draft.id, IntegrationChange(name="Renamed"))
    await desk.authorise.reauthorise(TENANT, draft.id, Reauthorisation())

    assert renamed.draft_expires_at == draft.draft_expires_at
    assert (await desk.read(draft.id)).draft_expires_at == draft.draft_expires_at


async def test_its_grant_is_kept_alive_meanwhile(database):
    desk = Desk(database)
    desk.channel.lifetime = timedelta(days=3)
    draft = await connected(desk)
    desk.channel.lifetime = timedelta(days=30)

    await desk.grants.renew_due()

    renewed = await desk.read(draft.id)
    assert renewed.generation == draft.generation + 1
    assert desk.channel.calls["renew"] == 1


async def test_one_that_is_refused_meanwhile_says_so_and_is_asked_about_no_more(database):
    desk = Desk(database)
    desk.channel.lifetime = timedelta(days=3)
    draft = await connected(desk)
    desk.channel.break_down("renew", GrantRejected("refresh_token_rejected", "No."))

    for _ in range(3):
        await desk.grants.renew_due()

    refused = await desk.read(draft.id)
    assert (refused.status, refused.status_reason) == (Status.DRAFT, "refresh_token_rejected")
    assert desk.channel.calls["renew"] == 2
    assert await desk.told() == []


@pytest.mark.parametrize("currency", [None, "GBP"])
async def test_only_where_the_currency_is_missing_there_is_a_step_left(database, currency):
    desk = Desk(database)
    _, ticket = await desk.draft(default_currency=currency)

    callback_result = await desk.arrive(ticket)

    assert (callback_result.kept_until is None) == (currency is not None)
