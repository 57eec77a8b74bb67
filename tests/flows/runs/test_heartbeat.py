import asyncio
import sqlite3
from dataclasses import dataclass, field

import pytest
from tests.factories import NOW
from tests.flows.runs.steps import at_work
from tests.flows.workshop import Workshop

from channel_sync.domain.errors import RunStopped
from channel_sync.domain.runs import Counts, Run, RunKind, RunStatus
from channel_sync.flows.runs.heartbeat import heartbeat
from channel_sync.flows.runs.session import RunSession
from channel_sync.persistence.database import Database


@dataclass
class HeldUp:
    """A walk whose marketplace asks for a pause, until `goes_on`; it ends with `over`."""

    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, session: RunSession) -> None:
        session.context.is_paused = True
        await self.goes_on.wait()
        session.context.is_paused = False
        await self.over.wait()


async def shows(workshop: Workshop, run: Run, status: RunStatus) -> None:
    async with asyncio.timeout(5):
        while (await workshop.look(run)).status is not status:
            await asyncio.sleep(0.01)


async def test_a_run_says_that_it_waits_for_the_rate_limit_only_while_it_does(database):
    walk = HeldUp()
    workshop = Workshop(database, heartbeat_s=0.02, walks={RunKind.LISTINGS: walk})
    run = await workshop.queue(await workshop.connect(), RunKind.LISTINGS)
    running = asyncio.create_task(workshop.runs.execute(run.id))

    await shows(workshop, run, RunStatus.WAITING_RATE_LIMIT)
    walk.goes_on.set()
    await shows(workshop, run, RunStatus.RUNNING)
    walk.over.set()
    await running

    assert (await workshop.look(run)).status is RunStatus.FINISHED


async def beats(workshop: Workshop, session: RunSession, number: int) -> None:
    """Come back after so many signs of life."""
    last = (await workshop.look(session.run)).heartbeat_at
    async with asyncio.timeout(5):
        while number:
            await asyncio.sleep(0.005)
            newest = (await workshop.look(session.run)).heartbeat_at
            number -= newest > last
            last = newest


async def test_a_run_that_waits_long_shows_signs_of_life_with_what_it_counted(database):
    workshop = Workshop(database)
    session = await at_work(workshop, await workshop.connect())
    session.counts = Counts(created=7)

    async with heartbeat(session, 0.02):
        await beats(workshop, session, 2)

    assert (await workshop.look(session.run)).counts == Counts(created=7)
    assert not session.lost


async def test_a_run_that_was_closed_elsewhere_starts_no_further_call(database):
    workshop = Workshop(database)
    session = await at_work(workshop, await workshop.connect())
    async with database.begin() as work:
        await work.runs.finish(session.run.id, RunStatus.INTERRUPTED, None, Counts(), None, NOW)

    async with heartbeat(session, 0.01):
        with pytest.raises(RunStopped):
            await session.context.sleep(5)

    assert session.lost
    assert (await workshop.look(session.run)).heartbeat_at == NOW


async def test_a_store_that_is_away_ends_no_heartbeat(sqlite_file, cipher):
    database = Database(f"sqlite:///{sqlite_file}", cipher, patience_s=0.01)
    workshop = Workshop(database)
    session = await at_work(workshop, await workshop.connect())
    other = sqlite3.connect(sqlite_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async with heartbeat(session, 0.01):
        await asyncio.sleep(0.1)
        other.close()
        await beats(workshop, session, 1)
    await database.close()

    assert not session.lost


async def test_work_that_is_quick_needs_no_sign_of_life(sqlite_database):
    workshop = Workshop(sqlite_database)
    session = await at_work(workshop, await workshop.connect())
    session.context.is_paused = True

    async with heartbeat(session, 3600):
        await asyncio.sleep(0)

    run = await workshop.look(session.run)
    assert (run.heartbeat_at, run.status) == (NOW, RunStatus.RUNNING)
