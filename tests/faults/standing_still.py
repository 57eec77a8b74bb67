"""Stores pages of orders, to be stopped while it does: `python -m tests.faults.standing_still …`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from tests.factories import a_channel_order, an_event
from tests.stored import order_rows

from channel_sync.domain.errors import StorageUnavailable
from channel_sync.domain.integrations import Account
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.engine.tenancy import for_every_tenant
from channel_sync.persistence.rows.encryption import Cipher, parse_keys

PAGE = 400


@asynccontextmanager
async def storing_a_page(database: Database, account: Account) -> AsyncIterator[UnitOfWork]:
    """A transaction that has a page of orders and an event to store."""
    now = datetime.now(UTC)
    page = [a_channel_order(updated_at=now, raw=b"x" * 500) for _ in range(PAGE)]
    async with database.begin() as work:
        await work.orders.store_rows(account, order_rows(database, account, page, now))
        await work.events.add([an_event(tenant=account.tenant)])
        yield work


async def stand_still(database: Database, account: Account, with_its_places: bool) -> None:
    """Say that the transaction has done all but its end, and leave it at that."""
    async with storing_a_page(database, account) as work:
        if with_its_places:
            await work.feeds.write()
        print("inside", flush=True)
        await asyncio.sleep(3600)


async def store_on(database: Database, account: Account) -> None:
    """Store one page after the other."""
    print("inside", flush=True)
    while True:
        try:
            async with storing_a_page(database, account):
                pass
        except StorageUnavailable:
            await asyncio.sleep(0.01)


async def main(url: str, keys: str, account_id: str, how: str) -> None:
    """Do it as said."""
    with for_every_tenant():
        database = Database(url, Cipher(parse_keys(keys)))
        async with database.read() as work:
            account = await work.accounts.get(account_id)
        if how == "storing":
            await store_on(database, account)
        else:
            await stand_still(database, account, with_its_places=how == "at its end")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
