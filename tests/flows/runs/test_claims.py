"""Runs handed out and given back. One of ours is the person's who asks for one while it is open."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from tests.factories import NOW, TENANT
from tests.flows.goods import an_order
from tests.flows.runs.steps import at_work
from tests.flows.workshop import Workshop

from channel_sync.domain.runs import Counts, Outcome, RunKind, RunStatus, Trigger
from channel_sync.flows.runs.claims import RunClaims
from channel_sync.flows.scheduling.intervals import RunPace
from channel_sync.flows.scheduling.result import CANCELLED, RunResult
from channel_sync.persistence.database import Database

NO_CHANGES = RunResult(RunStatus.FINISHED, Outcome.NO_CHANGES)
SUCCESS = RunResult(RunStatus.FINISHED, Outcome.SUCCESS)


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


def claims_of(workshop: Workshop, owner: str = "process-1") -> RunClaims:
    return RunClaims(workshop.database, owner, RunPace())


async def test_a_queued_run_is_ours_with_whom_it_is_for(workshop):
    seller = await workshop.connect()
    queued = await workshop.queue(seller)

    claimed = await claims_of(workshop).claim(queued.id)

    assert claimed is not None
    assert (claimed.run.id, claimed.run.status, claimed.run.owner) == (queued.id, RunStatus.RUNNING, "process-1")
    assert (claimed.integration, claimed.account.id) == (seller, seller.account_id)
    assert await workshop.look(queued) == claimed.run


async def test_of_many_that_claim_a_run_one_gets_it(workshop):
    queued = await workshop.queue(await workshop.connect())
    processes = [claims_of(workshop), claims_of(workshop, "process-2")]

    claimed = await asyncio.gather(*(claims.claim(queued.id) for claims in processes for _ in range(3)))

    assert len([one for one in claimed if one is not None]) == 1
    assert await claims_of(workshop).claim(queued.id) is None
    assert await claims_of(workshop).claim("run_gone") is None


async def test_a_run_that_was_cancelled_while_it_waited_is_closed(workshop):
    queued = await workshop.queue(await workshop.connect())
    async with workshop.database.begin() as work:
        await work.runs.request_cancel(TENANT, queued.id)

    assert await claims_of(workshop).claim(queued.id) is None
    assert (await workshop.look(queued)).status is RunStatus.CANCELLED


async def test_a_run_of_an_integration_that_works_no_more_is_closed(workshop):
    seller = await workshop.connect()
    queued = await workshop.queue(seller)
    async with workshop.database.begin() as work:
        await work.integrations.save(replace(seller, enabled=False))

    assert await claims_of(workshop).claim(queued.id) is None
    run = await workshop.look(queued)
    assert (run.status, run.counts) == (RunStatus.CANCELLED, Counts())


@pytest.mark.parametrize("result", [SUCCESS, NO_CHANGES])
async def test_a_run_is_given_back_as_it_ended(workshop, result):
    session = await at_work(workshop, await workshop.connect())

    with capture_logs() as lines:
        await claims_of(workshop).close(session, result)

    run = await workshop.look(session.run)
    assert (run.status, run.outcome) == (RunStatus.FINISHED, result.outcome)
    assert [line["run_id"] for line in lines] == [run.id] * (result is SUCCESS)


@pytest.mark.parametrize("result", [SUCCESS, NO_CHANGES])
async def test_a_run_that_was_closed_elsewhere_stays_so_without_a_word(workshop, result):
    session = await at_work(workshop, await workshop.connect())
    await claims_of(workshop, "process-2").close(session, CANCELLED)

    with capture_logs() as lines:
        await claims_of(workshop).close(session, result)

    assert (await workshop.look(session.run)).status is RunStatus.CANCELLED
    assert lines == []


async def test_a_run_that_ended_while_the_store_was_away_is_closed_once_it_is_back(sqlite_file, cipher):
    database = Database(f"sqlite:///{sqlite_file}", cipher, patience_s=0.01)
    workshop = Workshop(database)
    session = await at_work(workshop, await workshop.connect())
    other = sqlite3.connect(sqlite_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.05, other.close)

    await claims_of(workshop).close(session, SUCCESS)
    run = await workshop.look(session.run)
    await database.close()

    assert (run.status, run.outcome, run.heartbeat_at > NOW) == (RunStatus.FINISHED, Outcome.SUCCESS, True)


@pytest.mark.parametrize("orders", [0, 1])
@pytest.mark.parametrize(
    ("kind", "trigger"),
    [
        (RunKind.ORDERS, Trigger.SCHEDULE),
        (RunKind.ORDERS, Trigger.CATCH_UP),
        (RunKind.RECONCILE, Trigger.RECONCILE),
    ],
)
async def test_a_run_of_ours_that_a_person_asks_for_meanwhile_is_told_as_theirs(
    workshop: Workshop, kind: RunKind, trigger: Trigger, orders: int
):
    seller = await workshop.connect()
    workshop.shop().place(*(an_order(number) for number in range(orders)))
    scheduled = await workshop.queue(seller, kind, trigger=trigger)
    gate = workshop.channel.hold("orders")
    running = asyncio.create_task(workshop.runs.execute(scheduled.id))
    await gate.reached.wait()

    adopted = await workshop.queue(seller, kind)
    gate.open.set()
    await running

    assert adopted.id == scheduled.id
    [event] = await workshop.events("run.finished")
    assert (event.members["run_id"], event.members["trigger"]) == (scheduled.id, "manual")
    assert event.members["outcome"] == ("success" if orders else "no_changes")
