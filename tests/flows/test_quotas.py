import pytest
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.quotas import QuotaExceeded
from channel_sync.domain.runs import RunKind
from channel_sync.flows.quotas import keep_quota
from channel_sync.persistence.database import Database


async def test_as_many_as_there_may_be_are_kept_and_one_more_is_refused(database: Database):
    workshop = Workshop(database)
    seller = await workshop.connect()
    await workshop.queue(seller)
    await workshop.queue(seller, RunKind.LISTINGS)

    async with database.begin() as work:
        await keep_quota(work, TENANT, "runs", 2)
        await keep_quota(work, "another", "runs", 0)
        with pytest.raises(QuotaExceeded, match="the 1 open runs"):
            await keep_quota(work, TENANT, "runs", 1)
