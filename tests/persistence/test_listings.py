from dataclasses import replace

import pytest
from sqlalchemy import text
from tests.factories import NOW, TENANT, a_channel_listing, connected, later
from tests.stored import fed_by

from channel_sync.domain.errors import NotFound
from channel_sync.domain.listings import Mapping
from channel_sync.domain.runs import Counts
from channel_sync.persistence.listings import ListingQuery
from channel_sync.persistence.sql.paging import PageRequest


@pytest.fixture
async def account(database):
    """The account of an active integration."""
    return (await connected(database))[1]


async def download(database, account, *listings, now=NOW, gone=True):
    """What a download of the whole catalogue does."""
    async with database.begin() as work:
        counts = await work.listings.replace(account.id, listings, now)
        if gone:
            seen = {listing.variation_id for listing in listings}
            there = await work.listings.there(account, "", 1000)
            await work.listings.mark_gone(account, [id for id, place in there if place not in seen], now)
    return counts


async def listed(database, account, mapping=None, limit=2):
    found, after = [], None
    async with database.read() as work:
        while True:
            request = PageRequest(limit, after)
            query = ListingQuery(mapping=mapping)
            page = await work.listings.list(account.tenant, account.integration_id, request, query)
            found += page.items
            if page.next is None:
                return found
            after = page.next


async def mappings(database, account):
    return {listing.variation_id: listing.mapping.value for listing in await listed(database, account)}


async def rows(database):
    async with database.session() as session:
        return [tuple(row) for row in await session.rows(text("SELECT * FROM listings ORDER BY id"))]


async def test_a_listing_comes_back_as_the_marketplace_has_it(database, account):
    fresh = a_channel_listing(image_url="https://images.example/1.jpg", quantities=(("w2", 3), ("w1", 0)))

    counts = await download(database, account, fresh)

    [found] = await listed(database, account)
    assert counts == Counts(created=1)
    for member in ("product_id", "variation_id", "sku", "title", "image_url", "writable", "quantities"):
        assert getattr(found, member) == getattr(fresh, member)
    assert (found.integration_id, found.mapping, found.mapped_sku) == (
        account.integration_id,
        Mapping.MAPPED,
        None,
    )
    assert (found.wanted_version, found.sent_version, found.settled_version) == (0, 0, 0)
    async with database.read() as work:
        assert await work.listings.get(TENANT, found.id) == found
        assert await fed_by(work, fresh.sku or "") == [found]


async def test_a_second_download_writes_nothing(database, account):
    listings = [
        a_channel_listing(),
        a_channel_listing(sku=None),
        a_channel_listing(sku="A"),
        a_channel_listing(sku="A"),
    ]
    await download(database, account, *listings)
    before = await rows(database)

    counts = await download(database, account, *listings, now=later(60))

    assert counts == Counts(unchanged=4)
    assert await rows(database) == before


@pytest.mark.parametrize(
    "change",
    [
        {"product_id": "p2"},
        {"sku": "OTHER"},
        {"sku": None},
        {"title": None},
        {"image_url": "https://images.example/2.jpg"},
        {"writable": False},
        {"quantities": (("warehouse-1", 4),)},
    ],
)
async def test_only_what_differs_is_written(database, account, change):
    changed, same = a_channel_listing(), a_channel_listing()
    await download(database, account, changed, same)

    counts = await download(database, account, replace(changed, **change), same)

    assert counts == Counts(updated=1, unchanged=1)
    [found] = [found for found in await listed(database, account) if found.variation_id == changed.variation_id]
    for member, value in change.items():
        assert getattr(found, member) == value


async def test_a_variation_twice_in_a_download_is_stored_once(database, account):
    listing = a_channel_listing()

    assert await download(database, account, listing, replace(listing, title="Newer")) == Counts(
        created=1, ignored=1
    )
    assert [found.title for found in await listed(database, account)] == ["Newer"]


async def test_more_listings_than_a_statement_holds(database, account):
    assert await download(database, account, *(a_channel_listing() for _ in range(601))) == Counts(created=601)
    assert len(await listed(database, account, limit=200)) == 601


async def test_a_listing_that_is_not_seen_is_gone_until_it_is_seen_again(database, account):
    kept, gone = a_channel_listing(), a_channel_listing()
    await download(database, account, kept, gone)

    await download(database, account, kept)
    assert await mappings(database, account) == {kept.variation_id: "mapped", gone.variation_id: "gone"}
    async with database.begin() as work:
        [(there, _)] = await work.listings.there(account, "", 10)
        assert await work.listings.there(account, there, 10) == []

    assert await download(database, account, kept, gone) == Counts(updated=1, unchanged=1)
    assert set((await mappings(database, account)).values()) == {"mapped"}


async def test_a_sku_on_several_listings_of_a_shop_is_ambiguous_and_on_several_shops_is_not(database, account):
    _, other = await connected(database)
    a, b, alone, nameless = (a_channel_listing(sku=sku) for sku in ("A", "A", "B", None))
    blank = a_channel_listing(sku="")

    await download(database, account, a, b, alone, nameless, blank)
    await download(database, other, a_channel_listing(sku="B"))

    assert [(await mappings(database, account))[one.variation_id] for one in (a, b, alone, nameless, blank)] == [
        "ambiguous",
        "ambiguous",
        "mapped",
        "unmapped",
        "unmapped",
    ]
    assert set((await mappings(database, other)).values()) == {"mapped"}
    async with database.read() as work:
        assert await work.listings.count_mapped(account.id) == 1


async def test_a_sku_is_clear_again_when_its_twin_is_gone(database, account):
    a, b = a_channel_listing(sku="A"), a_channel_listing(sku="A")
    await download(database, account, a, b)

    await download(database, account, a)

    assert await mappings(database, account) == {a.variation_id: "mapped", b.variation_id: "gone"}


async def set_mapped_sku(database, listing, sku):
    async with database.begin() as work:
        await work.listings.set_mapped_skus(TENANT, {listing.id: sku}, later(5))
        return await work.listings.get(TENANT, listing.id)


async def test_a_mapping_by_hand_wins_and_is_taken_back(database, account):
    twins = [a_channel_listing(sku="A"), a_channel_listing(sku="A")]
    await download(database, account, *twins)
    [one, _] = await listed(database, account)

    by_hand = await set_mapped_sku(database, one, "HAND")
    assert (by_hand.mapping, by_hand.mapped_sku, by_hand.sku) == (Mapping.MAPPED, "HAND", "A")
    assert set((await mappings(database, account)).values()) == {"mapped"}
    await download(database, account, *twins)
    async with database.read() as work:
        assert [found.id for found in await fed_by(work, "HAND")] == [one.id]

    again = await set_mapped_sku(database, one, None)
    assert (again.mapping, again.mapped_sku) == (Mapping.AMBIGUOUS, None)


async def test_a_listing_without_a_sku_can_be_mapped_by_hand(database, account):
    await download(database, account, a_channel_listing(sku=None))
    [one] = await listed(database, account)

    assert (await set_mapped_sku(database, one, "HAND")).mapping is Mapping.MAPPED
    assert (await set_mapped_sku(database, one, None)).mapping is Mapping.UNMAPPED


async def test_listings_are_found_by_mapping_and_by_many_skus(database, account):
    a, b, nameless = (a_channel_listing(sku=sku) for sku in ("A", "B", None))
    await download(database, account, a, b, nameless)

    [unmapped] = await listed(database, account, Mapping.UNMAPPED)
    async with database.read() as work:
        by_sku = await work.listings.by_skus(TENANT, ["A", "B", "C"])

    assert unmapped.variation_id == nameless.variation_id
    assert {sku: [found.variation_id for found in listings] for sku, listings in by_sku.items()} == {
        "A": [a.variation_id],
        "B": [b.variation_id],
    }


async def test_a_tenant_sees_no_listing_of_another(database, account):
    await download(database, account, a_channel_listing(sku="A"))
    [mine] = await listed(database, account)

    async with database.begin() as work:
        assert await fed_by(work, "A", "other") == []
        assert (await work.listings.list("other", account.integration_id, PageRequest(9))).items == []
        assert await work.listings.set_mapped_skus("other", {mine.id: "HAND"}, NOW) == {}
        with pytest.raises(NotFound):
            await work.listings.get("other", mine.id)
    assert await listed(database, account) == [mine]
