import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.connecting import Desk, utc_now

from channel_sync.domain.errors import AccountDisabled, ClientRejected, GrantRejected
from channel_sync.domain.integrations import Status
from channel_sync.persistence.renewals import RenewalLease

REFUSED = GrantRejected("refresh_token_rejected", "No.")


async def swap_secrets(database, one, two):
    """Put the tokens of two integrations into each other's rows."""
    async with database.session() as session:
        tokens = dict(await session.rows(text("SELECT id, access_token FROM integrations")))
        change = text("UPDATE integrations SET access_token = :token WHERE id = :id")
        for mine, other in ((one, two), (two, one)):
            await session.execute(change, [{"token": tokens[other], "id": mine}])


async def test_a_rejection_is_asked_for_twice_before_it_is_believed(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    desk.channel.fail("renew", REFUSED)

    await desk.grants.access(integration_id)

    assert desk.channel.calls["renew"] == 2
    assert (await desk.read(integration_id)).status is Status.ACTIVE


@pytest.mark.parametrize("rejected", [REFUSED, ClientRejected("client_rejected", "No.")])
async def test_a_confirmed_rejection_stops_the_integration_and_is_told_once(database, rejected):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    desk.channel.break_down("renew", rejected)

    results = await asyncio.gather(
        *(desk.grants.access(integration_id) for _ in range(20)), return_exceptions=True
    )
    calls = desk.channel.calls.total()
    for _ in range(3):
        with pytest.raises(GrantRejected):
            await desk.grants.access(integration_id)
    await desk.grants.renew_due()

    assert all(isinstance(result, GrantRejected) for result in results)
    stopped = await desk.read(integration_id)
    assert (stopped.status, stopped.rejected_reason) == (Status.NEEDS_REAUTH, rejected.code)
    assert await desk.next_at(integration_id) is None
    assert (await desk.told()).count("integration.needs_reauth") == 1
    assert (desk.channel.calls["renew"], desk.channel.calls.total()) == (2, calls)


async def test_a_closed_account_pauses_the_integration(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    desk.channel.merchants["m1"].disabled = True

    with pytest.raises(AccountDisabled):
        await desk.grants.access(integration_id)

    paused = await desk.read(integration_id)
    assert (paused.status, paused.paused_reason) == (Status.PAUSED, "account_disabled_at_wish")
    assert (await desk.told())[-1] == "integration.paused"
    assert desk.channel.calls["renew"] == 2


async def test_an_account_closed_in_the_middle_of_work_pauses_after_a_second_look(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.merchants["m1"].disabled = True
    before = desk.channel.calls["merchant_id"]

    with pytest.raises(AccountDisabled):
        await desk.shop(integration.id).call(lambda shop: shop.merchant_id())

    assert (await desk.read(integration.id)).status is Status.PAUSED
    assert desk.channel.calls["merchant_id"] - before == 2


async def test_a_lost_answer_followed_by_a_rejection_is_not_tried_a_third_time(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    now = utc_now()
    async with database.begin() as work:
        generation = (await desk.read(integration_id)).generation
        lease = RenewalLease("a process that is gone", now - timedelta(minutes=3), timedelta(minutes=3))
        assert await work.renewals.take(integration_id, generation, lease, None)
    desk.channel.break_down("renew", REFUSED)

    with pytest.raises(GrantRejected):
        await desk.grants.access(integration_id)

    assert desk.channel.calls["renew"] == 1
    stopped = await desk.read(integration_id)
    assert (stopped.status, stopped.rejected_reason) == (Status.NEEDS_REAUTH, "refresh_outcome_unknown")
    assert (await desk.reauthorise(integration_id)).result == "connected"


async def test_a_renewal_that_answers_for_another_merchant_stores_nothing(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    token = await desk.token(integration_id)
    desk.channel.merchants["m2"].refresh_token, desk.channel.merchants["m1"].refresh_token = (
        desk.channel.merchants["m1"].refresh_token,
        "",
    )

    with pytest.raises(GrantRejected):
        await desk.grants.access(integration_id)

    stopped = await desk.read(integration_id)
    assert (stopped.status, stopped.rejected_reason) == (Status.NEEDS_REAUTH, "merchant_mismatch")
    assert stopped.merchant_id == "m1"
    assert await desk.token(integration_id) == token
    assert desk.channel.calls["renew"] == 1


async def test_swapped_ciphertexts_stop_the_integration_and_are_not_used(database):
    desk = Desk(database)
    one, two = await desk.active("m1"), await desk.active("m2")
    await swap_secrets(database, one.id, two.id)
    calls = desk.channel.calls.total()

    for integration in (one, two):
        with pytest.raises(GrantRejected) as refused:
            await desk.grants.access(integration.id)
        assert refused.value.code == "credentials_unreadable"
        stopped = await desk.read(integration.id)
        assert (stopped.status, stopped.rejected_reason) == (Status.NEEDS_REAUTH, "credentials_unreadable")

    assert desk.channel.calls.total() == calls
    assert (await desk.told()).count("integration.needs_reauth") == 2
