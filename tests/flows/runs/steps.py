"""Steps of the tests of runs."""

from typing import Any

from tests.factories import NOW, TENANT, a_run
from tests.flows.workshop import Workshop

from channel_sync.domain.calls import Call, CallContext, Priority
from channel_sync.domain.integrations import Integration
from channel_sync.domain.runs import Run
from channel_sync.flows.runs.session import RunSession
from channel_sync.persistence.sql.paging import PageRequest


async def at_work(workshop: Workshop, seller: Integration, **members: Any) -> RunSession:
    """The session of a new run of the seller's that is going on."""
    async with workshop.database.begin() as work:
        account = await work.accounts.get(seller.account_id or "")
        run = a_run(seller, account, **members)
        await work.runs.open(run)
    context = CallContext(Priority.ORDERS)
    connection = workshop.shops.connect(seller, context)
    return RunSession(run, seller, account, connection, context, workshop.database)


async def journal(workshop: Workshop, run: Run) -> list[str]:
    """The paths of the run's stored calls, in their order."""
    async with workshop.database.read() as work:
        return [call.path for call in (await work.runs.calls(TENANT, run.id, PageRequest(100))).items]


def a_call(path: str) -> Call:
    return Call(NOW, "GET", path, 200, 0, 1, "req-1")
