"""What other rules mean for listings that were told their stock."""

from dataclasses import replace

import pytest
from tests.factories import NOW, TENANT, a_channel_listing, connected, later

from channel_sync.domain.errors import NotFound
from channel_sync.domain.listings import ListingStock, PushState, StockOutcome
from channel_sync.domain.push_states import push_state
from channel_sync.domain.stock import Arithmetic, StockItem, StockSettings, UnitRules
from channel_sync.persistence.listings import ListingQuery
from channel_sync.persistence.sql.paging import PageRequest

IN_W = StockSettings(warehouse_id="w")
NO_RULES = UnitRules()


async def told(work, account, skus, units=1):
    """Listings of these SKUs, told one unit each, in the warehouse `w`."""
    await work.listings.replace(account.id, [a_channel_listing(sku=sku) for sku in skus], NOW)
    await work.stock.put(TENANT, [StockItem(sku, units) for sku in skus], NOW)
    stale = await work.pushes.stale(account.id, 1000)
    sent = [ListingStock(one.id, one.variation_id, level.version, units, (("w", units),)) for one, level in stale]
    await work.pushes.mark_sent(sent, NOW)
    await work.pushes.settle([StockOutcome(one.listing_id, one.version, True) for one in sent], NOW)
    return [one.listing_id for one in sent]


async def follow(work, account, settings):
    after = await work.stock_rules.to_follow(account.id)
    return await work.stock_rules.follow(TENANT, account.id, after, Arithmetic(settings), later(3))


async def stale_skus(work, account):
    return [listing.stock_sku for listing, _ in await work.pushes.stale(account.id, 1000)]


async def test_other_settings_reach_many_listings_in_pieces_and_show_at_once(database):
    _, account = await connected(database)
    skus = [f"SKU-{number}" for number in range(600)]
    async with database.begin() as work:
        await told(work, account, skus)
        assert await work.pushes.accounts_with_stale([account.id]) == set()

        await work.stock_rules.changed(account.id)
        rest = await follow(work, account, replace(IN_W, buffer=1))

        listings = (await work.listings.by_skus(TENANT, skus)).values()
        assert {push_state(listing, 1) for (listing,) in listings} == {PushState.PENDING}
        assert rest is not None
        assert 0 < len(await work.pushes.stale(account.id, 1000)) < len(skus)
        assert await work.pushes.accounts_with_stale([account.id]) == {account.id}

        assert await follow(work, account, replace(IN_W, buffer=1)) is None
        assert len(await work.pushes.stale(account.id, 1000)) == len(skus)
        assert await work.stock_rules.to_follow(account.id) is None


async def test_only_listings_that_are_told_something_else_wait_again(database):
    _, account = await connected(database)
    async with database.begin() as work:
        await told(work, account, ["FEW"], units=3)
        await told(work, account, ["MANY"], units=9)
        await work.stock_rules.changed(account.id)

        assert await follow(work, account, replace(IN_W, maximum=5)) is None

        assert await stale_skus(work, account) == ["MANY"]
        (few,) = (await work.listings.by_skus(TENANT, ["FEW"]))["FEW"]
        assert push_state(few, 1) is PushState.CONFIRMED


async def test_another_warehouse_is_something_else(database):
    _, account = await connected(database)
    async with database.begin() as work:
        await told(work, account, ["MUG"])
        await work.stock_rules.changed(account.id)

        await follow(work, account, StockSettings(warehouse_id="v"))

        assert await stale_skus(work, account) == ["MUG"]


async def test_what_was_planned_by_rules_of_before_is_not_taken_for_told(database):
    _, account = await connected(database)
    async with database.begin() as work:
        await told(work, account, ["MUG"], units=3)
        await work.stock.put(TENANT, [StockItem("MUG", 4)], later(1))
        ((listing, level),) = await work.pushes.stale(account.id, 1000)
        planned = ListingStock(
            listing.id, listing.variation_id, level.version, 4, (("w", 4),), (), listing.wanted_at
        )

        await work.stock_rules.changed(account.id)
        await follow(work, account, replace(IN_W, buffer=1))
        await work.pushes.mark_sent([planned], later(4))
        await work.pushes.settle([StockOutcome(listing.id, level.version, True)], later(5))

        ((listing, _),) = await work.pushes.stale(account.id, 1000)
        assert (listing.sent_quantity, push_state(listing, level.version)) == (4, PushState.PENDING)


async def test_rules_of_a_sku_are_kept_until_they_are_taken_back(database):
    async with database.begin() as work:
        await work.stock_rules.set_for_skus(TENANT, {"MUG": UnitRules(buffer=2)})
        await work.stock_rules.set_for_skus(TENANT, {"MUG": UnitRules(maximum=3)})
        assert await work.stock_rules.of_skus(TENANT, ["MUG", "CUP"]) == {"MUG": UnitRules(maximum=3)}
        assert await work.stock_rules.of_skus("globex", ["MUG"]) == {}

        await work.stock_rules.set_for_skus(TENANT, {"MUG": NO_RULES})
        assert await work.stock_rules.of_skus(TENANT, ["MUG"]) == {}


async def test_rules_stand_beside_what_waits(database):
    _, account = await connected(database)
    async with database.begin() as work:
        (listing_id,) = await told(work, account, ["MUG"])
        await work.stock_rules.set_for_skus(TENANT, {"MUG": UnitRules(buffer=2)})
        await work.stock_rules.set_for_listing(TENANT, listing_id, UnitRules(percent=50), False, NOW)
        await work.stock_rules.again([listing_id], NOW)

        ((listing, _),) = await work.pushes.stale(account.id, 9)
        (waiting,) = await work.pushes.waiting(account.id, None, 9)

        assert (listing.sku_rules, listing.rules) == (UnitRules(buffer=2), UnitRules(percent=50))
        assert (waiting.sku_rules, waiting.rules) == (UnitRules(buffer=2), UnitRules(percent=50))


async def test_an_excluded_listing_waits_for_nothing_until_it_is_let_in_again(database):
    integration, account = await connected(database)
    async with database.begin() as work:
        (listing_id,) = await told(work, account, ["MUG"])
        await work.stock_rules.set_for_listing(TENANT, listing_id, NO_RULES, True, NOW)
        await work.stock.put(TENANT, [StockItem("MUG", 5)], later(1))
        excluded = ListingQuery(excluded=True)

        assert await stale_skus(work, account) == []
        assert push_state(await work.listings.get(TENANT, listing_id), 2) is PushState.SKIPPED
        assert [
            one.sku for one in (await work.stock.list(TENANT, PageRequest(9, None), state=PushState.SKIPPED)).items
        ] == ["MUG"]
        found = (await work.listings.list(TENANT, integration.id, PageRequest(9, None), excluded)).items
        assert [one.id for one in found] == [listing_id]

        await work.stock.put(TENANT, [StockItem("MUG", 1)], later(2))
        await work.stock_rules.set_for_listing(TENANT, listing_id, NO_RULES, False, later(3))
        assert await stale_skus(work, account) == ["MUG"]


async def test_a_catalogue_keeps_what_a_person_decided(database):
    _, account = await connected(database)
    async with database.begin() as work:
        mug = a_channel_listing(sku="MUG")
        await work.listings.replace(account.id, [mug], NOW)
        ((listing,),) = (await work.listings.by_skus(TENANT, ["MUG"])).values()
        await work.stock_rules.set_for_listing(TENANT, listing.id, UnitRules(buffer=1), True, NOW)

        await work.listings.replace(account.id, [replace(mug, title="Another")], later(1))

        kept = await work.listings.get(TENANT, listing.id)
        assert (kept.title, kept.rules, kept.excluded) == ("Another", UnitRules(buffer=1), True)


async def test_another_tenants_listing_gets_no_rules(database):
    _, account = await connected(database)
    async with database.begin() as work:
        (listing_id,) = await told(work, account, ["MUG"])
        with pytest.raises(NotFound):
            await work.stock_rules.set_for_listing("globex", listing_id, NO_RULES, True, NOW)
