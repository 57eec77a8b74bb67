from dataclasses import replace

import pytest
from tests.factories import NOW, TENANT, a_channel_listing, an_unreadable_order, connected, later
from tests.persistence.plans import plans_of, postgres_plans_of

from channel_sync.domain.drifts import DriftAction
from channel_sync.domain.listings import ListingStock, StockOutcome
from channel_sync.domain.stock import DriftPolicy, StockItem
from channel_sync.persistence.stock_counts import MOST_COUNTED, NOTHING, StockCounts


@pytest.fixture
async def account(database):
    """The account of an active integration."""
    return (await connected(database))[1]


async def counts(database, account):
    async with database.read() as work:
        return (await work.pushes.counts([account.id]))[account.id]


async def offer(database, account, *listings, seen_at=NOW):
    async with database.begin() as work:
        await work.listings.replace(account.id, listings, NOW, seen_at)


async def push(database, account, accepted):
    """What waits, told and accepted or refused."""
    async with database.begin() as work:
        stale = await work.pushes.stale(account.id, 99)
        sent = [ListingStock(one.id, one.variation_id, level.version, 9, (("w", 9),)) for one, level in stale]
        await work.pushes.mark_sent(sent, NOW)
        await work.pushes.settle([StockOutcome(one.listing_id, one.version, accepted) for one in sent], NOW)


async def put(database, sku, units=9):
    async with database.begin() as work:
        await work.stock.put(TENANT, [StockItem(sku, units)], NOW)


async def test_a_shop_without_anything_counts_nothing(database, account):
    assert await counts(database, account) == NOTHING


async def test_each_kind_is_counted(database, account):
    twins = [a_channel_listing(sku="TWIN"), a_channel_listing(sku="TWIN")]
    closed, nameless, gone = a_channel_listing(writable=False), a_channel_listing(sku=None), a_channel_listing()
    await offer(database, account, *twins, closed, nameless, gone, a_channel_listing(sku="WAITS"))
    await put(database, "WAITS")
    async with database.begin() as work:
        there = {place: id for id, place in await work.listings.there(account, "", 99)}
        await work.listings.mark_gone(account, [there[gone.variation_id]], NOW)
        await work.held_orders.hold(account, [an_unreadable_order()], NOW)

    assert await counts(database, account) == StockCounts(
        waiting=1, waiting_since=NOW, skipped=3, ambiguous=2, unmapped=1, gone=1, held=1
    )


async def test_a_refusal_counts_until_the_level_changes_or_the_listing_is_passed_over(database, account):
    listing = a_channel_listing(sku="A")
    await offer(database, account, listing)
    await put(database, "A", 1)
    await push(database, account, accepted=False)
    assert (await counts(database, account)).rejected == 1

    await put(database, "A", 2)
    assert (await counts(database, account)).rejected == 0
    await push(database, account, accepted=False)
    await offer(database, account, replace(listing, sku=None))

    found = await counts(database, account)
    assert (found.rejected, found.unmapped) == (0, 1)


async def test_a_drift_counts_once_it_was_told_and_until_it_is_over(database, account):
    listing = a_channel_listing(sku="A", quantities=(("w", 5),))
    await offer(database, account, listing)
    await put(database, "A")
    await push(database, account, accepted=True)
    await offer(database, account, replace(listing, quantities=(("w", 50),)), seen_at=later(60))
    async with database.begin() as work:
        [suspect] = await work.drifts.suspects(account.id, DriftPolicy.REPORT, "", 9)
        assert (suspect.quantity, suspect.at_channel) == (9, 50)
        drift = ([suspect.listing_id], DriftPolicy.REPORT, DriftAction.REPORTED, NOW)
        assert await work.drifts.settle(*drift) == {suspect.listing_id}
    assert (await counts(database, account)).drifted == 1

    await offer(database, account, replace(listing, quantities=(("w", 9),)), seen_at=later(120))
    assert (await counts(database, account)).drifted == 0


async def test_nobody_waits_for_many_to_be_counted(database, account):
    async with database.begin() as work:
        for _ in range(3):
            await work.listings.replace(account.id, [a_channel_listing(sku=None) for _ in range(500)], NOW)

    assert (await counts(database, account)).unmapped == MOST_COUNTED


ASKED = "ix_listings_unfed", "ix_listings_closed", "ix_listings_marked", "ix_listings_pending"


async def test_sqlite_counts_in_indexes_of_what_is_counted(sqlite_database):
    plans = await plans_of(sqlite_database, lambda work: work.pushes.counts(["acc_1", "acc_2"]))

    searched = [step for step in plans if "SEARCH listings" in step]
    assert all(any(name in step for name in ASKED) for step in searched), searched
    assert not [step for step in plans if step.startswith(("SCAN listings", "SCAN held_orders"))], plans


@pytest.mark.unused_store
async def test_postgresql_counts_in_indexes_of_what_is_counted(postgres_database):
    plan = await postgres_plans_of(postgres_database, lambda work: work.pushes.counts(["acc_1", "acc_2"]))

    assert not [step for step in plan if "Seq Scan" in step], plan
    # Of an empty table it cannot tell which of two indexes is the narrower one.
    among = *ASKED, "ix_listings_not_writable"
    searched = [step for step in plan if "on listings" in step]
    assert all(any(name in step for name in among) for step in searched), searched
