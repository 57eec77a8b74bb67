from dataclasses import replace

import pytest
from tests.factories import NOW, TENANT, a_channel_listing, connected, later
from tests.stored import fed_by

from channel_sync.domain.ids import new_id
from channel_sync.domain.listings import ListingStock, Mapping, ProductStock, PushState, StockOutcome
from channel_sync.domain.push_states import push_state
from channel_sync.domain.stock import Arithmetic, StockItem, StockSettings
from channel_sync.persistence.stock_jobs import OpenStockJob


class Push:
    """One shop with listings, and the steps of telling them their stock."""

    def __init__(self, database, account):
        self.database, self.account = database, account

    async def offer(self, *listings):
        async with self.database.begin() as work:
            await work.listings.replace(self.account.id, listings, NOW)

    async def put(self, sku, units, now=NOW):
        async with self.database.begin() as work:
            [(level, _)] = await work.stock.put(TENANT, [StockItem(sku, units)], now)
        return level

    async def stale(self, limit=100):
        async with self.database.read() as work:
            return await work.pushes.stale(self.account.id, limit)

    async def stale_skus(self):
        return sorted(level.sku for _, level in await self.stale())

    async def send(self, *skus, job_id=None, units=9):
        """Note all stale listings of these SKUs as sent; what was sent."""
        items = [
            ListingStock(listing.id, listing.variation_id, level.version, units, (("warehouse-1", units),))
            for listing, level in await self.stale()
            if level.sku in skus
        ]
        async with self.database.begin() as work:
            if job_id is not None:
                await work.stock_jobs.add(OpenStockJob(job_id, self.account.id, None, NOW))
            await work.pushes.mark_sent(items, later(1), job_id=job_id)
        return items

    async def settle(self, *outcomes):
        async with self.database.begin() as work:
            await work.pushes.settle(outcomes, later(2))

    async def get(self, sku):
        async with self.database.read() as work:
            [listing] = await fed_by(work, sku)
        return listing

    async def pending(self):
        async with self.database.read() as work:
            counts = (await work.pushes.counts([self.account.id]))[self.account.id]
        return (counts.waiting, counts.waiting_since) if counts.waiting else None


@pytest.fixture
async def push(database):
    """A shop with the SKUs A and B, each at five units."""
    push = Push(database, (await connected(database))[1])
    await push.offer(a_channel_listing(sku="A", product_id="p1"), a_channel_listing(sku="B", product_id="p1"))
    return push


def accepted(item):
    return StockOutcome(item.listing_id, item.version, True, seen=item.quantities)


def refused(item):
    return StockOutcome(item.listing_id, item.version, False, "E1", "too many")


async def test_a_level_makes_its_listing_stale_until_it_is_settled(push):
    level = await push.put("A", 9)
    assert await push.stale() == [(await push.get("A"), level)]
    assert await push.pending() == (1, NOW)

    [sent] = await push.send("A")
    assert await push.stale_skus() == ["A"]
    assert push_state(await push.get("A"), 1) is PushState.SENT

    await push.settle(accepted(sent))
    listing = await push.get("A")
    assert (await push.stale(), await push.pending()) == ([], None)
    assert (listing.push_state, listing.settled_at, listing.sent_quantity) == (PushState.CONFIRMED, later(2), 9)
    assert listing.quantities == (("warehouse-1", 9),)


async def test_a_level_that_was_there_first_waits_for_its_listing(push):
    await push.put("LATE", 3)

    await push.offer(a_channel_listing(sku="LATE"))

    assert await push.stale_skus() == ["LATE"]


async def test_the_longest_waiting_come_first(push):
    await push.put("B", 1, now=later(-5))
    await push.put("A", 1)

    assert [level.sku for _, level in await push.stale()] == ["B", "A"]
    assert [level.sku for _, level in await push.stale(limit=1)] == ["B"]
    assert await push.pending() == (2, later(-5))


async def test_a_value_that_comes_while_an_older_one_is_sent_stays_stale(push):
    await push.put("A", 9)
    [sent] = await push.send("A")
    await push.put("A", 8)

    await push.settle(accepted(sent))

    listing = await push.get("A")
    assert await push.stale_skus() == ["A"]
    assert (push_state(listing, 1), push_state(listing, 2)) == (PushState.CONFIRMED, PushState.PENDING)


async def test_a_refused_value_keeps_its_reason_and_is_not_stale_until_the_level_changes(push):
    await push.put("A", 9)
    [sent] = await push.send("A")
    await push.settle(refused(sent))

    listing = await push.get("A")
    assert (listing.push_state, listing.push_code, listing.push_reason) == (PushState.REJECTED, "E1", "too many")
    assert listing.quantities == (("warehouse-1", 5),)
    assert (await push.stale(), await push.pending()) == ([], None)

    await push.put("A", 8)
    assert await push.stale_skus() == ["A"]
    await push.settle(accepted((await push.send("A"))[0]))
    listing = await push.get("A")
    assert (listing.push_state, listing.push_code, listing.push_reason) == (PushState.CONFIRMED, None, None)


async def test_outcomes_of_both_kinds_are_settled_together(push):
    for sku in ("A", "B"):
        await push.put(sku, 9)
    a, b = await push.send("A", "B")

    await push.settle(accepted(a), refused(b))

    assert {(await push.get(sku)).push_state for sku in ("A", "B")} == {PushState.CONFIRMED, PushState.REJECTED}


async def test_an_outcome_of_what_is_not_the_last_sent_says_nothing(push):
    await push.put("A", 9)
    [first] = await push.send("A")
    await push.put("A", 8)
    await push.send("A")

    await push.settle(refused(first))

    assert (await push.get("A")).settled_version == 0


async def test_what_is_in_an_open_job_is_not_sent_again(push):
    for sku in ("A", "B"):
        await push.put(sku, 9)
    job_id = new_id("sjb", NOW)
    sent = await push.send("A", job_id=job_id)
    await push.put("A", 8)

    assert await push.stale_skus() == ["B"]
    assert await push.pending() == (2, NOW)
    async with push.database.begin() as work:
        assert await work.pushes.in_job(job_id) == [ProductStock("p1", tuple(sent))]
        await work.stock_jobs.close(job_id, NOW)
    assert await push.stale_skus() == ["A", "B"]


async def test_what_was_sent_with_a_lost_job_waits_again(push):
    for sku in ("A", "B"):
        await push.put(sku, 9)
    job_id = new_id("sjb", NOW)
    await push.send("A", "B", job_id=job_id)

    async with push.database.begin() as work:
        assert [await work.pushes.unsend(job_id, 1) for _ in range(3)] == [1, 1, 0]
        await work.stock_jobs.close(job_id, NOW)
        assert await work.pushes.in_job(job_id) == []

    assert await push.stale_skus() == ["A", "B"]
    assert push_state(await push.get("A"), 1) is PushState.PENDING


async def test_what_a_job_settled_is_not_taken_back(push):
    await push.put("A", 9)
    job_id = new_id("sjb", NOW)
    [sent] = await push.send("A", job_id=job_id)
    await push.settle(accepted(sent))

    async with push.database.begin() as work:
        await work.pushes.unsend(job_id, 9)
        await work.stock_jobs.close(job_id, NOW)

    assert await push.stale() == []
    assert push_state(await push.get("A"), 1) is PushState.CONFIRMED


async def test_other_settings_make_every_fed_listing_stale_even_while_it_is_sent(push):
    for sku in ("A", "B"):
        await push.put(sku, 9)
    a, b = await push.send("A", "B")
    await push.settle(accepted(a))

    by = Arithmetic(StockSettings(buffer=1))
    async with push.database.begin() as work:
        assert await work.stock_rules.follow(TENANT, push.account.id, "", by, later(3)) is None
    await push.settle(accepted(b))

    assert await push.stale_skus() == ["A", "B"]
    assert await push.pending() == (2, later(3))
    assert push_state(await push.get("A"), 1) is PushState.PENDING


async def test_a_listing_that_cannot_be_written_waits_for_nothing(push):
    await push.put("FIXED", 9)

    await push.offer(a_channel_listing(sku="FIXED", writable=False))
    await push.put("FIXED", 8)

    assert (await push.stale(), await push.pending()) == ([], None)
    assert push_state(await push.get("FIXED"), 2) is PushState.SKIPPED


async def test_ambiguous_and_gone_listings_wait_for_nothing(push):
    one, other = a_channel_listing(sku="TWIN"), a_channel_listing(sku="TWIN")
    await push.offer(one, other)
    await push.put("TWIN", 9)
    assert await push.pending() is None

    async with push.database.begin() as work:
        gone = {listing.variation_id: listing for listing in await fed_by(work, "TWIN")}
        await work.listings.mark_gone(push.account, [gone[one.variation_id].id], NOW)
    assert [listing.variation_id for listing, _ in await push.stale()] == [other.variation_id]


async def test_another_sku_starts_anew_whatever_was_sent_of_the_first(push):
    for units in range(5):
        await push.put("A", units)
    await push.settle(accepted((await push.send("A"))[0]))
    await push.put("HAND", 1)
    before = await push.get("A")

    async with push.database.begin() as work:
        await work.listings.set_mapped_skus(TENANT, {before.id: "HAND"}, later(4))
        listing = await work.listings.get(TENANT, before.id)

    assert (before.settled_version, listing.settled_version, listing.wanted_version) == (5, 0, 1)
    assert await push.stale_skus() == ["HAND"]
    assert await push.pending() == (1, later(4))


async def test_a_sku_changed_at_the_marketplace_starts_anew(push):
    for units in range(3):
        await push.put("A", units)
    await push.settle(accepted((await push.send("A"))[0]))
    await push.put("NEW", 1)
    before = await push.get("A")

    await push.offer(
        a_channel_listing(sku="NEW", product_id=before.product_id, variation_id=before.variation_id, quantities=())
    )

    after = await push.get("NEW")
    assert (after.id, after.mapping, after.settled_version) == (before.id, Mapping.MAPPED, 0)
    assert await push.stale_skus() == ["NEW"]


async def test_more_stale_listings_than_one_part_are_all_read(push):
    await push.offer(*(a_channel_listing(sku=f"SKU-{number}") for number in range(450)))
    async with push.database.begin() as work:
        await work.stock.put(TENANT, [StockItem(f"SKU-{number}", 1) for number in range(450)], NOW)

    stale = await push.stale(limit=1000)

    assert len({listing.id for listing, _ in stale}) == 450
    assert all(listing == replace(listing, wanted_version=level.version) for listing, level in stale)


async def test_an_account_has_stock_to_send_while_any_listing_waits_outside_a_job(push):
    async with push.database.begin() as work:
        assert await work.pushes.accounts_with_stale([push.account.id]) == set()
    await push.put("A", 9)
    async with push.database.begin() as work:
        assert await work.pushes.accounts_with_stale([push.account.id]) == {push.account.id}
    await push.send("A", job_id=new_id("sjb", NOW))
    async with push.database.begin() as work:
        assert await work.pushes.accounts_with_stale([push.account.id]) == set()
