import asyncio

import pytest
from tests.factories import NOW, TENANT, a_channel_listing, connected, later

from channel_sync.domain.errors import NotFound
from channel_sync.domain.stock import StockItem, StockLevel, StockResult
from channel_sync.persistence.sql.paging import PageRequest

ACCEPTED, UNCHANGED, STALE = StockResult.ACCEPTED, StockResult.UNCHANGED, StockResult.STALE_REVISION


async def put(database, *items, now=NOW, tenant=TENANT):
    async with database.begin() as work:
        return await work.stock.put(tenant, [StockItem(*item) for item in items], now)


async def get(database, sku, tenant=TENANT):
    async with database.read() as work:
        return await work.stock.get(tenant, sku)


async def test_a_new_level_is_stored_as_its_first_version(database):
    assert await put(database, ("MUG", 5, 7)) == [(StockLevel("MUG", 5, 1, 7, NOW), ACCEPTED)]
    assert await get(database, "MUG") == StockLevel("MUG", 5, 1, 7, NOW)


async def test_a_changed_level_is_the_next_version_and_the_same_one_is_not(database):
    await put(database, ("MUG", 5, None))

    changed = await put(database, ("MUG", 4, None), now=later(1))
    same = await put(database, ("MUG", 4, None), now=later(2))

    assert changed == [(StockLevel("MUG", 4, 2, None, later(1)), ACCEPTED)]
    assert same == [(StockLevel("MUG", 4, 2, None, later(1)), UNCHANGED)]


async def test_an_older_revision_never_overwrites_and_a_newer_one_is_kept_even_without_a_change(database):
    await put(database, ("MUG", 5, 10))
    await put(database, ("MUG", 5, 12))

    assert await put(database, ("MUG", 1, 11)) == [(StockLevel("MUG", 5, 1, 12, NOW), STALE)]
    assert await get(database, "MUG") == StockLevel("MUG", 5, 1, 12, NOW)


async def test_results_come_in_the_order_of_the_items(database):
    await put(database, ("B", 1, None))

    results = await put(database, ("C", 1, None), ("B", 1, None), ("A", 0, None))

    assert [(level.sku, result) for level, result in results] == [
        ("C", ACCEPTED),
        ("B", UNCHANGED),
        ("A", ACCEPTED),
    ]


async def test_thousands_of_levels_at_once(database):
    items = [(f"SKU-{number:04}", number, None) for number in range(5000)]

    assert {result for _, result in await put(database, *items)} == {ACCEPTED}
    assert {result for _, result in await put(database, *items)} == {UNCHANGED}
    assert (await get(database, "SKU-4999")).available == 4999


async def test_tenants_have_their_own_levels(database):
    await put(database, ("MUG", 5, None))

    with pytest.raises(NotFound):
        await get(database, "MUG", tenant="other")
    assert await put(database, ("MUG", 5, None), tenant="other") == [
        (StockLevel("MUG", 5, 1, None, NOW), ACCEPTED)
    ]


async def test_levels_are_listed_by_sku(database):
    await put(database, *((sku, 1, None) for sku in ("C", "A", "B")))
    await put(database, ("X", 1, None), tenant="other")

    async with database.read() as work:
        first = await work.stock.list(TENANT, PageRequest(2))
        rest = await work.stock.list(TENANT, PageRequest(2, first.next))

    assert [level.sku for level in first.items + rest.items] == ["A", "B", "C"]
    assert (first.next, rest.next) == (("B",), None)


async def test_no_change_of_many_writers_is_lost(database):
    results = await asyncio.gather(
        *(put(database, ("MUG", units, None), (f"OTHER-{units}", 1, None)) for units in range(1, 21))
    )

    versions = sorted(level.version for [(level, _), _] in results)
    assert versions == list(range(1, 21))


async def test_a_changed_level_makes_the_listings_it_feeds_wait(database):
    (shop, account), (other_shop, other) = await connected(database), await connected(database)
    async with database.begin() as work:
        for one in (account, other):
            await work.listings.replace(one.id, [a_channel_listing(sku="MUG"), a_channel_listing(sku="CUP")], NOW)
    await put(database, ("MUG", 5, None), now=later(1))
    await put(database, ("MUG", 4, None), now=later(2))

    async with database.read() as work:
        assert set(await work.stock.integrations_to_push(TENANT, ["MUG", "CUP"])) == {shop.id, other_shop.id}
        assert await work.stock.integrations_to_push(TENANT, ["CUP"]) == []
        assert await work.stock.integrations_to_push("other", ["MUG"]) == []
        counts = await work.pushes.counts([account.id, other.id])
        assert {id: (found.waiting, found.waiting_since) for id, found in counts.items()} == {
            account.id: (1, later(1)),
            other.id: (1, later(1)),
        }


async def test_a_detached_account_has_nobody_to_push_for_it(database):
    shop, account = await connected(database)
    async with database.begin() as work:
        await work.listings.replace(account.id, [a_channel_listing(sku="MUG")], NOW)
        await work.accounts.detach(shop.id)
    await put(database, ("MUG", 5, None))

    async with database.read() as work:
        assert await work.stock.integrations_to_push(TENANT, ["MUG"]) == []
