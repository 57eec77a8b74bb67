"""What storing a catalogue costs: as many rows as changed, of however many listings it has."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from tests.factories import NOW, TENANT, a_channel_listing, connected, later

from channel_sync.domain.stock import StockItem

MANY = 1_000
WRITTEN = {
    False: "SELECT total_changes()",
    True: "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables",
}


@pytest.fixture
async def account(database):
    """The account of an active integration."""
    return (await connected(database))[1]


async def written(database, account, listings, now) -> int:
    """How many rows of any table storing these listings writes."""
    async with database.begin() as work:
        session = work.listings._session
        count = text(WRITTEN[session.postgres])
        before = await session.value(count)
        await work.listings.replace(account.id, listings, now)
        return int(await session.value(count) - before)


@pytest.fixture
async def catalogue(database, account):
    """Listings that are stored, of which levels feed half; every tenth is ambiguous with another."""
    listings = [
        a_channel_listing(sku=f"SKU-{number - number % 2 if number % 10 == 1 else number}")
        for number in range(MANY)
    ]
    async with database.begin() as work:
        await work.stock.put(TENANT, [StockItem(f"SKU-{number}", 3) for number in range(0, MANY, 2)], NOW)
    assert await written(database, account, listings, NOW) >= MANY
    return listings


async def test_a_catalogue_that_is_unchanged_writes_no_row(database, account, catalogue):
    assert await written(database, account, catalogue, later(60)) == 0
    assert await written(database, account, [*reversed(catalogue)], later(120)) == 0


async def test_a_catalogue_in_which_one_listing_changed_writes_its_row(database, account, catalogue):
    renamed = [replace(catalogue[0], title="Another name"), *catalogue[1:]]
    sold = [*renamed[:-1], replace(renamed[-1], quantities=(("warehouse-1", 1),))]

    assert await written(database, account, renamed, later(60)) == 1
    assert await written(database, account, sold, later(120)) == 1


async def test_a_catalogue_in_which_one_sku_changed_writes_what_that_sku_touches(database, account, catalogue):
    moved = [*catalogue[:-2], replace(catalogue[-2], sku="SKU-NEW"), catalogue[-1]]

    assert 1 <= await written(database, account, moved, later(60)) <= 4
