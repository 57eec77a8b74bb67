import asyncio
from datetime import timedelta

import pytest
import time_machine
from tests.connecting import TENANT, Desk, utc_now

from channel_sync.domain.errors import (
    AccessTokenRejected,
    ChannelUnavailable,
    GrantRejected,
    StorageUnavailable,
)
from channel_sync.domain.integrations import Status
from channel_sync.persistence.database import Database
from channel_sync.persistence.renewals import RenewalLease

DOWN = ChannelUnavailable("server_error", "Wish answered 502.")


@pytest.fixture
async def impatient_database(sqlite_file, cipher):
    """A database whose writers give up after a moment."""
    database = Database(f"sqlite:///{sqlite_file}", cipher, patience_s=0.2)
    yield database
    await database.close()


async def test_a_fresh_token_is_used_as_it_is(database):
    desk = Desk(database)
    integration = await desk.active()

    access = await desk.grants.access(integration.id)

    assert access.token.value == await desk.token(integration.id)
    assert desk.channel.calls["renew"] == 0


async def test_a_token_is_renewed_five_days_early(database):
    desk = Desk(database)
    integration_id = (await desk.ageing(days_left=4)).id

    access = await desk.grants.access(integration_id)

    assert desk.channel.calls["renew"] == 1
    assert access.token.value == await desk.token(integration_id)
    assert await desk.shop(integration_id).call(lambda shop: shop.merchant_id()) == "m1"


async def test_fifty_callers_in_two_processes_make_one_renewal(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    desk.channel.delays["renew"] = 0.5
    processes = (desk.grants, desk.more_grants())

    accesses = await asyncio.gather(*(processes[n % 2].access(integration_id) for n in range(50)))

    assert desk.channel.calls["renew"] == 1
    assert {access.token.value for access in accesses} == {await desk.token(integration_id)}


async def test_fifty_calls_with_a_revoked_token_make_one_renewal_and_all_succeed(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.revoke_access("m1")
    desk.channel.delays["renew"] = 0.3
    processes = (desk.grants, desk.more_grants())
    calls = [desk.shop(integration.id, processes[n % 2]) for n in range(50)]

    answers = await asyncio.gather(*(call.call(lambda shop: shop.merchant_id()) for call in calls))

    assert answers == ["m1"] * 50
    assert desk.channel.calls["renew"] == 1


async def test_a_token_revoked_by_our_own_renewal_elsewhere_is_only_read_again(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    old = await desk.grants.stored(integration_id)
    await desk.more_grants().access(integration_id)

    renewed = await desk.grants.replace(old)

    assert renewed.generation == old.generation + 1
    assert desk.channel.calls["renew"] == 1


async def test_renewals_are_ten_minutes_apart(database):
    desk = Desk(database)
    integration = await desk.active()
    connection = desk.shop(integration.id)
    desk.channel.revoke_access("m1")
    await connection.call(lambda shop: shop.merchant_id())
    desk.channel.revoke_access("m1")

    for _ in range(3):
        with pytest.raises(GrantRejected):
            await connection.call(lambda shop: shop.merchant_id())
        await desk.grants.settle()
    assert desk.channel.calls["renew"] == 1

    with time_machine.travel(utc_now() + timedelta(minutes=10, seconds=1), tick=True):
        await desk.grants.settle()
        assert await connection.call(lambda shop: shop.merchant_id()) == "m1"

    assert desk.channel.calls["renew"] == 2
    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_the_intent_of_a_dead_process_is_taken_up(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    generation = (await desk.read(integration_id)).generation
    now = utc_now()
    async with database.begin() as work:
        lease = RenewalLease("a process that is gone", now, timedelta(seconds=0.6))
        assert await work.renewals.take(integration_id, generation, lease, None)

    access = await desk.grants.access(integration_id)

    assert access.generation == generation + 1
    assert utc_now() >= lease.until
    assert desk.channel.calls["renew"] == 1


async def test_a_new_grant_is_held_until_the_store_takes_it(impatient_database):
    desk = Desk(impatient_database)
    integration_id = (await desk.ageing()).id
    gate = desk.channel.hold("renew")
    waiting = asyncio.create_task(desk.grants.access(integration_id))
    await gate.reached.wait()
    async with impatient_database.begin():
        gate.open.set()
        await asyncio.sleep(0.5)
        assert not waiting.done()

    access = await waiting

    assert access.token.value == await desk.token(integration_id)
    assert desk.channel.calls["renew"] == 1


async def test_housekeeping_renews_what_is_due_and_one_failure_stops_no_other(database):
    desk = Desk(database)
    desk.channel.lifetime = timedelta(days=3)
    one, two = await desk.active("m1"), await desk.active("m2", name="Second")
    desk.channel.lifetime = timedelta(days=30)
    desk.channel.fail("renew", DOWN)

    await desk.grants.renew_due()
    await desk.grants.renew_due()

    ends = [(await desk.read(integration.id)).access_token_expires_at for integration in (one, two)]
    fresh = [end for end in ends if end is not None and end > utc_now() + timedelta(days=20)]
    assert len(fresh) == 1
    assert desk.channel.calls["renew"] == 2


async def test_a_disabled_integration_is_not_renewed_by_housekeeping(database):
    desk = Desk(database)
    integration_id = (await desk.ageing()).id
    await desk.lifecycle.set_enabled(TENANT, integration_id, False)

    await desk.grants.renew_due()

    assert desk.channel.calls["renew"] == 0


async def test_without_a_grant_there_is_no_access(database):
    desk = Desk(database)
    draft, _ = await desk.draft()

    for integration_id in (draft.id, "int_unknown"):
        with pytest.raises(GrantRejected) as refused:
            await desk.grants.access(integration_id)
        assert refused.value.code == "not_connected"


async def test_a_token_refused_twice_in_a_row_is_told_to_the_caller(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.break_down("merchant_id", AccessTokenRejected("1007", "No."))

    with pytest.raises(AccessTokenRejected):
        await desk.shop(integration.id).call(lambda shop: shop.merchant_id())

    assert desk.channel.calls["renew"] == 1
    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_a_store_that_takes_no_writes_prevents_the_renewal(impatient_database):
    desk = Desk(impatient_database)
    integration_id = (await desk.ageing()).id
    old = await desk.grants.stored(integration_id)

    async with impatient_database.begin():
        access = await desk.grants.access(integration_id)
        with pytest.raises(StorageUnavailable):
            await desk.grants.replace(old)

    assert access == old
    assert desk.channel.calls["renew"] == 0
