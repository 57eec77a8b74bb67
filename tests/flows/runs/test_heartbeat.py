import asyncio
from dataclasses import dataclass, field

from tests.flows.workshop import Workshop

from channel_sync.domain.runs import Run, RunKind, RunStatus
from channel_sync.flows.runs.session import RunSession


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
