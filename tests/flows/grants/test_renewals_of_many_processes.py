"""One grant, many processes on one PostgreSQL: who renews, and what becomes of answers that come late."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import time_machine
from tests.connecting import Desk, utc_now

from channel_sync.domain.errors import GrantRejected
from channel_sync.domain.integrations import Status
from channel_sync.flows.grants.service import Grants
from channel_sync.persistence.database import Database
from channel_sync.persistence.renewals import RenewalLease

PROCESSES = 8
CALLERS = 50
REFUSED = GrantRejected("refresh_token_rejected", "No.")


@pytest.fixture
async def database(postgres_url, cipher) -> AsyncIterator[Database]:
    database = Database(postgres_url, cipher)
    yield database
    await database.close()


@pytest.fixture
async def processes(postgres_url, cipher) -> AsyncIterator[list[Database]]:
    """The database as eight processes have it open."""
    opened = [Database(postgres_url, cipher) for _ in range(PROCESSES)]
    yield opened
    for database in opened:
        await database.close()


def grants_of(desk: Desk, database: Database) -> Grants:
    return Grants(database, {"wish": desk.channel}, confirm_after_s=0.01)


async def test_eight_processes_with_fifty_callers_each_make_one_slow_renewal(database, processes):
    desk = Desk(database)
    integration_id = (await desk.ageing(days_left=-1)).id
    old = await desk.token(integration_id)
    desk.channel.delays["renew"] = 3
    calls = [
        desk.shop(integration_id, grants)
        for grants in (grants_of(desk, process) for process in processes)
        for _ in range(CALLERS)
    ]

    answers = await asyncio.gather(*(call.call(lambda shop: shop.merchant_id()) for call in calls))

    assert answers == ["m1"] * PROCESSES * CALLERS
    assert desk.channel.calls["renew"] == 1
    assert sum(token == old for operation, token in desk.channel.log if operation == "merchant_id") <= PROCESSES


async def test_a_renewer_that_was_killed_is_followed_by_one_other(database, processes):
    desk = Desk(database)
    integration_id = (await desk.ageing(days_left=-1)).id
    generation = (await desk.read(integration_id)).generation
    now = utc_now()
    async with database.begin() as work:
        lease = RenewalLease("a process that is gone", now, timedelta(seconds=0.5))
        await work.renewals.take(integration_id, generation, lease, None)

    accesses = await asyncio.gather(
        *(grants_of(desk, process).access(integration_id) for process in processes for _ in range(5))
    )

    assert {access.generation for access in accesses} == {generation + 1}
    assert desk.channel.calls["renew"] == 1


async def sleep_through_the_lease(desk: Desk, processes: list[Database], integration_id: str) -> None:
    """One process sleeps with its question not yet at Wish; another renews; then the first one goes on."""
    gate = desk.channel.hold("renew")
    asleep = asyncio.create_task(grants_of(desk, processes[0]).access(integration_id))
    await gate.reached.wait()
    with time_machine.travel(utc_now() + timedelta(minutes=5), tick=True):
        taken_over = await grants_of(desk, processes[1]).access(integration_id)
        gate.open.set()
        woken = await asleep
    assert woken.token.value == taken_over.token.value == await desk.token(integration_id)


async def test_a_renewer_that_stood_still_finds_its_refresh_token_spent_and_takes_the_new_grant(
    database, processes
):
    desk = Desk(database)
    integration_id = (await desk.ageing(days_left=-1)).id
    await sleep_through_the_lease(desk, processes, integration_id)

    assert await desk.shop(integration_id).call(lambda shop: shop.merchant_id()) == "m1"
    assert (await desk.read(integration_id)).status is Status.ACTIVE


async def test_a_late_renewal_that_spoils_the_newer_grant_is_mended_without_a_person(database, processes):
    """Where refresh tokens are not used up, the late answer ends the token that the other process was given."""
    desk = Desk(database)
    desk.channel.rotates = False
    integration_id = (await desk.ageing(days_left=-1)).id
    await sleep_through_the_lease(desk, processes, integration_id)

    with time_machine.travel(utc_now() + timedelta(minutes=16), tick=True):
        assert await desk.shop(integration_id).call(lambda shop: shop.merchant_id()) == "m1"
    assert (await desk.read(integration_id)).status is Status.ACTIVE


async def test_a_failure_that_comes_late_never_overrules_the_grant_of_another_process(database, processes):
    desk = Desk(database)
    integration_id = (await desk.ageing(days_left=-1)).id
    gate = desk.channel.hold("renew")
    desk.channel.fail_after("renew", 1, REFUSED)
    asleep = asyncio.create_task(grants_of(desk, processes[0]).access(integration_id))
    await gate.reached.wait()
    with time_machine.travel(utc_now() + timedelta(minutes=5), tick=True):
        taken_over = await grants_of(desk, processes[1]).access(integration_id)
        gate.open.set()

        assert (await asleep).token.value == taken_over.token.value
    assert (await desk.read(integration_id)).status is Status.ACTIVE
