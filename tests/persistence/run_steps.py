"""Opening, closing and reading runs in tests."""

from tests.factories import NOW, TENANT, a_run

from channel_sync.domain.calls import Call
from channel_sync.domain.runs import Counts, Outcome, RunStatus
from channel_sync.persistence.runs import RunQuery
from channel_sync.persistence.sql.paging import PageRequest

COUNTS = Counts(created=3, unchanged=2)


async def opened(database, shop, **members):
    run = a_run(*shop, **members)
    async with database.begin() as work:
        await work.runs.open(run)
    return run


async def queued(database, shop, **members):
    waiting = {"status": RunStatus.QUEUED, "owner": None, "started_at": None}
    return await opened(database, shop, **(waiting | members))


async def claim(work, run, owner, now):
    return next(iter(await work.run_batches.claim([run.id], owner, now)), None)


async def get(database, run):
    async with database.read() as work:
        return await work.runs.get(TENANT, run.id)


async def finish(database, run, outcome=Outcome.SUCCESS, now=NOW, counts=COUNTS, error=None):
    async with database.begin() as work:
        await work.runs.finish(run.id, RunStatus.FINISHED, outcome, counts, error, now)


async def listed(database, query=None, tenant=TENANT, limit=2):
    found, after = [], None
    async with database.read() as work:
        while True:
            page = await work.runs.list(tenant, query or RunQuery(), PageRequest(limit, after))
            found += page.items
            if page.next is None:
                return found
            after = page.next


def a_call(path):
    return Call(NOW, "GET", path, 200, None, 12, "request-1")
