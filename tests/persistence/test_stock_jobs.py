from dataclasses import replace

import pytest
from tests.factories import NOW, an_account, later

from channel_sync.domain.errors import Conflict
from channel_sync.domain.ids import new_id
from channel_sync.persistence.stock_jobs import OpenStockJob


@pytest.fixture
async def account(database):
    """A stored account."""
    account = an_account()
    async with database.begin() as work:
        await work.accounts.add(account)
    return account


def a_job(account):
    return OpenStockJob(new_id("sjb", NOW), account.id, None, NOW)


async def test_a_job_is_open_from_before_it_is_sent_until_it_is_closed(database, account):
    job, seen = a_job(account), []
    async with database.begin() as work:
        seen.append(await work.stock_jobs.open(account.id))
        await work.stock_jobs.add(job)
        seen.append(await work.stock_jobs.open(account.id))
        await work.stock_jobs.submitted(job.id, "wish-1", later(1))
        seen.append(await work.stock_jobs.open(account.id))
        await work.stock_jobs.close(job.id, later(2))
        seen.append(await work.stock_jobs.open(account.id))

    sent = replace(job, channel_job_id="wish-1", submitted_at=later(1))
    assert seen == [None, job, sent, None]


async def test_an_account_has_one_open_job_and_the_transaction_goes_on(database, account):
    first, second, other = a_job(account), a_job(account), an_account()
    async with database.begin() as work:
        await work.accounts.add(other)
        await work.stock_jobs.add(first)
        with pytest.raises(Conflict):
            await work.stock_jobs.add(second)
        await work.stock_jobs.add(a_job(other))
        await work.stock_jobs.close(first.id, NOW)
        await work.stock_jobs.add(second)

    async with database.read() as work:
        assert await work.stock_jobs.open(account.id) == second
