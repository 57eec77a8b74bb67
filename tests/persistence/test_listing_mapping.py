import asyncio
from dataclasses import replace

import pytest
from tests.factories import NOW, TENANT, a_channel_listing, connected
from tests.persistence.plans import plans_of, postgres_plans_of

from channel_sync.domain.listings import ListingStock, Mapping, StockOutcome
from channel_sync.domain.stock import StockItem

MAPPED, AMBIGUOUS = Mapping.MAPPED, Mapping.AMBIGUOUS


class Shelf:
    """The listings of one shop, most of them with the SKU `A`, and who of them that SKU feeds."""

    def __init__(self, database, account):
        self.database, self.account = database, account

    async def offer(self, *listings):
        async with self.database.begin() as work:
            await work.listings.replace(self.account.id, listings, NOW)

    async def id_of(self, listing):
        async with self.database.read() as work:
            there = await work.listings.there(self.account, "", 99)
        return {place: id for id, place in there}[listing.variation_id]

    async def remove(self, listing):
        gone = await self.id_of(listing)
        async with self.database.begin() as work:
            assert await work.listings.mark_gone(self.account, [gone], NOW) == 1

    async def map_by_hand(self, listing, sku):
        mine = await self.id_of(listing)
        async with self.database.begin() as work:
            await work.listings.set_mapped_skus(TENANT, {mine: sku}, NOW)

    async def put(self, units, sku="A"):
        async with self.database.begin() as work:
            await work.stock.put(TENANT, [StockItem(sku, units)], NOW)

    async def mapping(self, *listings):
        mine = [await self.id_of(listing) for listing in listings]
        async with self.database.read() as work:
            return [(await work.listings.get(TENANT, id)).mapping for id in mine]

    async def waiting(self):
        async with self.database.read() as work:
            return {one.variation_id for one, _ in await work.pushes.stale(self.account.id, 99)}

    async def sell(self):
        """Tell the listings that wait what they wait for."""
        async with self.database.begin() as work:
            stale = await work.pushes.stale(self.account.id, 99)
            items = [ListingStock(one.id, one.variation_id, level.version, 1, (("w", 1),)) for one, level in stale]
            await work.pushes.mark_sent(items, NOW)
            await work.pushes.settle([StockOutcome(item.listing_id, item.version, True) for item in items], NOW)


@pytest.fixture
async def shelf(database):
    return Shelf(database, (await connected(database))[1])


def an_a(**members):
    return a_channel_listing(sku="A", **members)


async def test_the_listing_that_is_fed_goes_on_being_fed_when_a_second_one_appears(shelf):
    first, second = an_a(), an_a()
    await shelf.offer(first)
    await shelf.put(9)
    await shelf.sell()

    await shelf.offer(first, second)
    await shelf.put(1)

    assert await shelf.mapping(first, second) == [MAPPED, AMBIGUOUS]
    assert await shelf.waiting() == {first.variation_id}


async def test_two_that_appear_at_once_are_both_ambiguous_until_one_is_gone(shelf):
    one, other = an_a(), an_a()
    await shelf.offer(one, other)
    assert await shelf.mapping(one, other) == [AMBIGUOUS, AMBIGUOUS]

    await shelf.remove(one)

    assert await shelf.mapping(other) == [MAPPED]


async def test_the_second_takes_over_when_the_first_is_gone(shelf):
    first, second = an_a(), an_a()
    await shelf.offer(first)
    await shelf.offer(second)
    await shelf.put(5)

    await shelf.remove(first)

    assert await shelf.mapping(second) == [MAPPED]
    assert await shelf.waiting() == {second.variation_id}


async def test_the_first_comes_back_behind_the_second(shelf):
    first, second = an_a(), an_a()
    await shelf.offer(first, second)
    await shelf.remove(first)

    await shelf.offer(first)

    assert await shelf.mapping(first, second) == [AMBIGUOUS, MAPPED]


async def test_a_closed_listing_is_in_nobodys_way(shelf):
    first, second = an_a(), an_a()
    await shelf.offer(first)
    await shelf.offer(second)
    await shelf.put(5)

    await shelf.offer(replace(first, writable=False))
    assert await shelf.waiting() == {second.variation_id}

    await shelf.offer(first)
    assert await shelf.mapping(first, second) == [AMBIGUOUS, MAPPED]


async def test_another_listing_that_is_given_the_sku_comes_behind_the_one_that_has_it(shelf):
    first, renamed = an_a(), a_channel_listing(sku="B")
    await shelf.offer(first, renamed)

    await shelf.offer(replace(renamed, sku="A"))

    assert await shelf.mapping(first, renamed) == [MAPPED, AMBIGUOUS]


async def test_two_that_exchange_their_skus_in_two_steps_are_both_fed_in_the_end(shelf):
    a, b = an_a(), a_channel_listing(sku="B")
    await shelf.offer(a, b)
    for sku in ("A", "B"):
        await shelf.put(5, sku)
    await shelf.sell()

    await shelf.offer(replace(a, sku="B"))
    await shelf.offer(replace(b, sku="A"))

    assert await shelf.mapping(a, b) == [MAPPED, MAPPED]
    assert await shelf.waiting() == {a.variation_id, b.variation_id}


async def test_one_that_is_mapped_by_hand_leaves_the_sku_to_the_other_and_comes_back_behind_it(shelf):
    one, other = an_a(), an_a()
    await shelf.offer(one)
    await shelf.offer(other)

    await shelf.map_by_hand(one, "HAND")
    assert await shelf.mapping(one, other) == [MAPPED, MAPPED]

    await shelf.map_by_hand(one, None)
    assert await shelf.mapping(one, other) == [AMBIGUOUS, MAPPED]


async def test_one_of_two_is_chosen_by_mapping_it_to_its_own_sku_by_hand(shelf):
    one, other = an_a(), an_a()
    await shelf.offer(one, other)
    await shelf.put(5)

    await shelf.map_by_hand(one, "A")

    assert (await shelf.mapping(one))[0] is MAPPED
    assert one.variation_id in await shelf.waiting()


async def test_a_listing_that_is_fed_again_is_told_its_level_again(shelf):
    listing = an_a()
    await shelf.offer(listing)
    await shelf.put(5)
    await shelf.sell()
    await shelf.offer(replace(listing, writable=False))
    assert await shelf.waiting() == set()

    await shelf.offer(listing)

    assert await shelf.waiting() == {listing.variation_id}


async def test_what_an_older_release_left_ambiguous_is_mapped_when_it_is_seen_alone(shelf):
    closed, listing = an_a(writable=False), an_a()
    await shelf.offer(closed, listing)
    async with shelf.database.session() as session:
        await session.run(lambda plain: plain.exec_driver_sql("UPDATE listings SET mapping = 'ambiguous'"))

    await shelf.offer(closed, listing)

    assert await shelf.mapping(closed, listing) == [MAPPED, MAPPED]


async def test_a_level_and_a_listing_that_are_stored_at_once_meet(postgres_database):
    shelf = Shelf(postgres_database, (await connected(postgres_database))[1])
    listing = an_a()
    async with postgres_database.begin() as work:
        await work.listings.replace(shelf.account.id, [listing], NOW)
        putting = asyncio.create_task(shelf.put(5))
        await asyncio.sleep(0.2)
    await putting

    assert await shelf.waiting() == {listing.variation_id}


async def three_rivals(database):
    """Listings that are ambiguous, and the step of seeing them again, which asks who is alone by now."""
    shelf = Shelf(database, (await connected(database))[1])
    rivals = [an_a() for _ in range(3)]
    await shelf.offer(*rivals)
    return lambda work: work.listings.replace(shelf.account.id, rivals, NOW)


async def test_mapping_finds_rivals_by_their_sku_however_many_listings_lie_beside(sqlite_database):
    plans = await plans_of(sqlite_database, await three_rivals(sqlite_database))

    assert sum("ix_listings_rivals (account_id=? AND stock_sku=?" in plan for plan in plans) == 3, plans
    assert not [plan for plan in plans if plan.startswith("SCAN listings") or "(account_id=?)" in plan], plans


@pytest.mark.unused_store
async def test_mapping_finds_rivals_by_their_sku_on_postgresql(postgres_database):
    plan = await postgres_plans_of(postgres_database, await three_rivals(postgres_database))

    assert sum("using ix_listings_rivals" in step for step in plan) >= 3, plan
    assert not [step for step in plan if "Seq Scan" in step or step.startswith("Sort")], plan


async def test_each_listing_that_is_seen_again_is_looked_up_by_itself(sqlite_database):
    plans = await plans_of(sqlite_database, await three_rivals(sqlite_database))

    assert [plan for plan in plans if "uq_listings_variation (account_id=? AND variation_id=?" in plan], plans


@pytest.mark.unused_store
async def test_each_listing_that_is_seen_again_is_looked_up_by_itself_on_postgresql(postgres_database):
    plan = await postgres_plans_of(postgres_database, await three_rivals(postgres_database))

    conditions = [step for step in plan if step.startswith("Index Cond: ((account_id = ")]
    assert [step for step in conditions if step.endswith("AND (variation_id = given.value))")], plan
