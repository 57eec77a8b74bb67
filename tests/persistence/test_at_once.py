import asyncio

import pytest
from tests.factories import an_account

from channel_sync.domain.errors import Conflict
from channel_sync.domain.integrations import Account
from channel_sync.persistence.database import Database, UnitOfWork


async def found(database: Database, account: Account) -> Account | None:
    async with database.read() as work:
        return await work.accounts.find(account.tenant, account.channel, account.environment, account.merchant_id)


async def test_what_is_done_at_once_is_committed(database: Database):
    account = an_account(integration_id=None)

    async def add(work: UnitOfWork) -> str:
        await work.accounts.add(account)
        return "added"

    assert await database.run_transaction(add) == "added"
    assert await found(database, account) == account


async def test_an_error_takes_everything_back(database: Database):
    account = an_account(integration_id=None)

    async def add_and_fail(work: UnitOfWork) -> None:
        await work.accounts.add(account)
        raise Conflict("conflict", "No.")

    with pytest.raises(Conflict):
        await database.run_transaction(add_and_fail)
    assert await found(database, account) is None


async def test_on_sqlite_nothing_else_may_be_awaited(sqlite_database: Database):
    async def wait(work: UnitOfWork) -> None:
        await work.accounts.add(an_account(integration_id=None))
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError):
        await sqlite_database.run_transaction(wait)
    assert await found(sqlite_database, an_account()) is None


async def test_writers_of_both_kinds_take_turns(sqlite_database: Database):
    accounts = [an_account(id=f"acc_{n}", merchant_id=f"m{n}", integration_id=None) for n in range(20)]

    async def add(account: Account) -> None:
        async with sqlite_database.begin() as work:
            await work.accounts.add(account)

    async def add_at_once(account: Account) -> None:
        await sqlite_database.run_transaction(lambda work: work.accounts.add(account))

    await asyncio.gather(*(add(one) if n % 2 else add_at_once(one) for n, one in enumerate(accounts)))
    assert [await found(sqlite_database, one) for one in accounts] == accounts
