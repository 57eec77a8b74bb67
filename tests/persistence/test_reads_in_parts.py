"""What is read of a large shop piece after piece: others have their turn in between, on SQLite, too."""

import asyncio

import pytest
from tests.factories import NOW, TENANT, a_channel_listing, connected, later

from channel_sync.domain.listings import ListingStock, StockOutcome
from channel_sync.domain.stock import DriftPolicy, StockItem

LOOKS = {
    "which listings are there": lambda work, account: work.listings.there(account, "", 100),
    "which listings differ": lambda work, account: work.drifts.suspects(account.id, DriftPolicy.REPORT, "", 100),
}


async def a_shop_with_a_drift(database):
    _, account = await connected(database)
    listing = a_channel_listing(sku="A", quantities=(("w", 5),))
    async with database.begin() as work:
        await work.listings.replace(account.id, [listing], NOW)
        await work.stock.put(TENANT, [StockItem("A", 9)], NOW)
        [(one, level)] = await work.pushes.stale(account.id, 9)
        await work.pushes.mark_sent([ListingStock(one.id, one.variation_id, level.version, 9, (("w", 9),))], NOW)
        await work.pushes.settle([StockOutcome(one.id, level.version, True)], NOW)
        await work.listings.replace(account.id, [listing], later(60))
    return account


@pytest.mark.parametrize("look", LOOKS)
async def test_others_have_their_turn_between_parts_of_a_large_shop(database, look):
    account = await a_shop_with_a_drift(database)
    turns = list[str]()

    async with database.read() as work:
        asyncio.get_running_loop().call_soon(turns.append, "somebody else's")
        found = await LOOKS[look](work, account)

    assert (len(found), len(turns)) == (1, 1)
