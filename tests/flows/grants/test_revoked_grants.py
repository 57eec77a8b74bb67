"""A grant that the marketplace ends within minutes of its renewal: told as what it is, and doubted once."""

from datetime import timedelta

import pytest
import time_machine
from tests.connecting import TENANT, Desk, utc_now
from tests.flows.workshop import Workshop

from channel_sync.domain.errors import AccessTokenRejected, ChannelUnavailable, GrantRejected
from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.runs import Outcome

REFUSED = AccessTokenRejected("1008", "No.")
DOWN = ChannelUnavailable("server_error", "Wish answered 502.")


async def ask(desk: Desk, integration: Integration) -> str:
    return await desk.shop(integration.id).call(lambda shop: shop.merchant_id())


async def renewed_and_revoked(desk: Desk, merchant_id: str = "m1") -> Integration:
    """An integration that has just been renewed, and whose access token does not work any more."""
    integration = await desk.active(merchant_id)
    desk.channel.revoke_access(merchant_id)
    await ask(desk, integration)
    desk.channel.revoke_access(merchant_id)
    return integration


async def told_as_revoked(desk: Desk) -> Integration:
    integration = await renewed_and_revoked(desk)
    with pytest.raises(GrantRejected):
        await ask(desk, integration)
    return integration


def after_the_pause() -> time_machine.travel:
    return time_machine.travel(utc_now() + timedelta(minutes=10, seconds=1), tick=True)


async def test_it_is_told_at_once_and_no_renewal_is_made_for_it(database):
    desk = Desk(database)
    integration = await renewed_and_revoked(desk)

    with pytest.raises(GrantRejected) as refused:
        await ask(desk, integration)

    stopped = await desk.read(integration.id)
    assert refused.value.code == stopped.rejected_reason == "grant_revoked"
    assert stopped.status is Status.NEEDS_REAUTH
    assert (await desk.told()).count("integration.needs_reauth") == 1
    assert await desk.next_at(integration.id) is None
    assert desk.channel.calls["renew"] == 1


async def test_its_run_says_that_a_person_has_to_act(database):
    workshop = Workshop(database)
    seller = await workshop.connect()
    workshop.channel.revoke_access("m1")
    await workshop.run(seller)
    workshop.channel.revoke_access("m1")

    run = await workshop.run(seller)

    assert run.outcome is Outcome.FAILED
    assert run.error is not None
    assert (run.error.code, run.error.kind, run.error.retryable) == ("grant_revoked", "auth", False)


async def test_the_marketplace_is_asked_twice_before_it_is_believed(database):
    desk = Desk(database)
    integration = await renewed_and_revoked(desk)
    desk.channel.tokens[await desk.token(integration.id)] = "m1"
    desk.channel.fail("merchant_id", REFUSED)

    assert await ask(desk, integration) == "m1"
    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_an_operation_that_is_refused_for_itself_stops_nothing(database):
    desk = Desk(database)
    integration = await renewed_and_revoked(desk)
    desk.channel.tokens[await desk.token(integration.id)] = "m1"
    desk.channel.break_down("name", REFUSED)

    with pytest.raises(AccessTokenRejected):
        await desk.shop(integration.id).call(lambda shop: shop.name())

    assert (await desk.read(integration.id)).status is Status.ACTIVE
    assert desk.channel.calls["renew"] == 1


async def test_it_works_again_by_itself_where_the_next_renewal_shows_that_it_was_a_mistake(database):
    desk = Desk(database)
    integration = await told_as_revoked(desk)
    await desk.grants.settle()
    assert desk.channel.calls["renew"] == 1

    with after_the_pause():
        await desk.grants.settle()
        assert await ask(desk, integration) == "m1"

    assert (await desk.read(integration.id)).status is Status.ACTIVE
    assert desk.channel.calls["renew"] == 2
    assert (await desk.told())[-1] == "integration.recovered"
    assert await desk.next_at(integration.id) is not None


async def test_it_is_asked_about_once_more_and_then_left_to_a_person(database):
    desk = Desk(database)
    integration = await told_as_revoked(desk)
    desk.channel.merchants["m1"].refresh_token = ""

    with after_the_pause():
        await desk.grants.settle()
        calls = desk.channel.calls.total()
        await desk.grants.settle()

    stopped = await desk.read(integration.id)
    assert (stopped.status, stopped.rejected_reason) == (Status.NEEDS_REAUTH, "refresh_token_rejected")
    assert (await desk.told()).count("integration.needs_reauth") == 1
    assert desk.channel.calls.total() == calls


async def test_a_renewed_grant_that_opens_nothing_either_is_left_to_a_person(database):
    desk = Desk(database)
    integration = await told_as_revoked(desk)
    desk.channel.break_down("merchant_id", REFUSED)

    with after_the_pause():
        await desk.grants.settle()
    with time_machine.travel(utc_now() + timedelta(minutes=30), tick=True):
        await desk.grants.settle()

    stopped = await desk.read(integration.id)
    assert (stopped.status, stopped.rejected_reason) == (Status.NEEDS_REAUTH, "grant_revoked")
    assert desk.channel.calls["renew"] == 2
    assert "integration.recovered" not in await desk.told()


async def test_an_outage_at_that_time_only_puts_the_question_off(database):
    desk = Desk(database)
    integration = await told_as_revoked(desk)
    desk.channel.fail("renew", DOWN)

    with after_the_pause():
        await desk.grants.settle()
        assert (await desk.read(integration.id)).rejected_reason == "grant_revoked"
    with time_machine.travel(utc_now() + timedelta(minutes=15, seconds=5), tick=True):
        await desk.grants.settle()

    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_a_process_that_dies_before_the_new_grant_was_tried_leaves_the_question_to_another(database):
    desk = Desk(database)
    integration = await told_as_revoked(desk)
    desk.channel.fail("merchant_id", DOWN)

    with after_the_pause():
        await desk.grants.settle()
        assert (await desk.read(integration.id)).rejected_reason == "grant_revoked"
    with time_machine.travel(utc_now() + timedelta(minutes=21), tick=True):
        await desk.more_grants().settle()

    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_an_account_that_is_closed_by_then_is_told_as_paused(database):
    desk = Desk(database)
    integration = await told_as_revoked(desk)
    desk.channel.merchants["m1"].disabled = True

    with after_the_pause():
        await desk.grants.settle()

    paused = await desk.read(integration.id)
    assert (paused.status, paused.status_reason) == (Status.PAUSED, "account_disabled_at_wish")
    assert (await desk.told())[-1] == "integration.paused"


async def test_a_persons_verification_ends_it_without_a_pause(database):
    desk = Desk(database)
    integration = await told_as_revoked(desk)

    assert (await desk.credentials.verify(TENANT, integration.id)).ok

    assert (await desk.read(integration.id)).status is Status.ACTIVE
    assert (await desk.told()).count("integration.recovered") == 1
    desk.channel.revoke_access("m1")
    with pytest.raises(GrantRejected):
        await ask(desk, integration)


async def test_a_new_consent_ends_it(database):
    desk = Desk(database)
    integration = await told_as_revoked(desk)

    assert (await desk.reauthorise(integration.id)).error is None

    assert await ask(desk, integration) == "m1"
    with after_the_pause():
        await desk.grants.settle()
    assert desk.channel.calls["renew"] == 1


async def test_while_it_is_disabled_nothing_is_asked(database):
    desk = Desk(database)
    integration = await told_as_revoked(desk)
    await desk.lifecycle.set_enabled(TENANT, integration.id, False)

    with after_the_pause():
        await desk.grants.settle()
        assert desk.channel.calls["renew"] == 1
        await desk.lifecycle.set_enabled(TENANT, integration.id, True)
        await desk.grants.settle()

    assert (await desk.read(integration.id)).status is Status.ACTIVE
