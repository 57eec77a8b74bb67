import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import respx
from tests.channels.factories import BASE, a_product, a_variation, at_the_counter, ok, refused

from channel_sync.domain.channel import CatalogueJob, ChangedProducts, Warehouse
from channel_sync.domain.errors import ChannelRefused, NotAtChannel, ReplyNotUnderstood
from channel_sync.domain.job_state import JobState
from channel_sync.domain.listings import ChannelListing

PRODUCTS = f"{BASE}/api/v3/products"
FILE = "https://storage.test/products"
SINCE = datetime(2026, 11, 20, 9, tzinfo=UTC)


async def listings_of(product):
    with respx.mock as router:
        router.get(f"{PRODUCTS}/p1").mock(return_value=ok(product))
        async with at_the_counter() as counter:
            return (await counter.shop.product("p1")).listings


async def catalogue_of(content):
    with respx.mock as router:
        router.get(FILE).respond(content=content)
        async with at_the_counter() as counter:
            return [batch async for batch in counter.shop.catalogue([FILE])]


async def test_every_variation_is_a_listing():
    inventories = [{"warehouse_id": "w2", "inventory": 3}, {"warehouse_id": "w1", "inventory": 0}]
    product = a_product("p1", a_variation("v1"), a_variation("v2", inventories=inventories, image="https://i/2"))
    assert await listings_of(product) == (
        ChannelListing("p1", "v1", "SKU-v1", "Mug", "https://img.test/main.png", True, (("w1", 5),)),
        ChannelListing("p1", "v2", "SKU-v2", "Mug", "https://i/2", True, (("w2", 3), ("w1", 0))),
    )


@pytest.mark.parametrize(
    ("product", "variation", "writable"),
    [
        ({}, {"status": "ENABLED"}, True),
        ({}, {"status": "DISABLED"}, True),
        ({}, {"status": "SOMETHING_NEW"}, True),
        ({}, {"status": "REMOVED_BY_WISH"}, False),
        ({"state": "REMOVED_BY_WISH"}, {}, False),
        ({"state": None, "status": "REMOVED_BY_WISH"}, {}, False),
        ({"state": "MERCHANT_INACTIVE", "status": "APPROVED"}, {}, True),
    ],
)
async def test_only_what_was_removed_cannot_be_written(product, variation, writable):
    (listing,) = await listings_of(a_product("p1", a_variation("v1", **variation), **product))
    assert listing.writable is writable


async def test_missing_members_are_unknown():
    product = {
        "id": 7,
        "variations": [{"id": 8, "sku": "", "inventories": [{"warehouse_id": "w", "inventory": None}]}],
    }
    assert await listings_of(product) == (ChannelListing("7", "8", None, None, None, True, ()),)


@pytest.mark.parametrize("variations", [None, []])
async def test_a_product_without_variations_has_no_listings(variations):
    assert await listings_of(a_product("p1", variations=variations)) == ()


async def test_an_unreadable_variation_does_not_hide_the_others(caplog):
    product = a_product("p1", a_variation("v1"), {"id": ["?"]})
    assert [listing.variation_id for listing in await listings_of(product)] == ["v1"]
    assert "p1" in caplog.text


async def test_a_product_tells_how_many_variations_it_left_out():
    with respx.mock as router:
        router.get(f"{PRODUCTS}/p1").mock(return_value=ok(a_product("p1", a_variation("v1"), {"id": ["?"]})))
        async with at_the_counter() as counter:
            assert (await counter.shop.product("p1")).left_out == 1


@pytest.mark.parametrize("member", ["state", "status"])
async def test_a_product_that_the_merchant_deleted_is_there_no_more(member):
    deleted = a_product("p1", a_variation("v1"), **{member: "REMOVED_BY_MERCHANT"})
    with pytest.raises(NotAtChannel):
        await listings_of(deleted)

    (batch,) = await catalogue_of("\n".join(json.dumps(one) for one in (deleted, a_product("p2"))).encode())

    assert [listing.product_id for listing in batch.listings] == ["p2"]
    assert (batch.left_out, batch.deleted) == (0, 1)
    (batch,) = await catalogue_of(json.dumps(deleted).encode())
    assert (batch.listings, batch.deleted) == ((), 1)


@pytest.mark.parametrize(("code", "is_unknown"), [(90001, True), (90002, False)])
async def test_an_unknown_product_is_refused(code, is_unknown):
    with respx.mock as router:
        router.get(f"{PRODUCTS}/p1").mock(return_value=refused(code))
        async with at_the_counter() as counter:
            with pytest.raises(ChannelRefused) as caught:
                await counter.shop.product("p1")
    assert isinstance(caught.value, NotAtChannel) is is_unknown


async def test_a_catalogue_comes_in_batches():
    lines = [json.dumps(a_product(f"p{number}", a_variation("a"), a_variation("b"))) for number in range(400)]
    batches = await catalogue_of("\n".join(lines).encode())
    assert sum(len(batch.listings) for batch in batches) == 800
    assert max(len(batch.listings) for batch in batches) <= 301
    assert {batch.left_out for batch in batches} == {0}


async def test_a_strange_product_in_a_catalogue_is_left_out(caplog):
    text = json.dumps(a_product("p1")) + '\n{"id": []}\n' + json.dumps(a_product("p2"))
    (batch,) = await catalogue_of(text.encode())
    assert [listing.product_id for listing in batch.listings] == ["p1", "p2"]
    assert batch.left_out == 1
    assert "left out" in caplog.text


async def test_a_catalogue_tells_how_many_variations_it_left_out():
    products: tuple[dict[str, Any], ...] = (a_product("p1", a_variation("v1"), {"id": ["?"]}), {"id": []})
    (batch,) = await catalogue_of("\n".join(json.dumps(product) for product in products).encode())
    assert [listing.variation_id for listing in batch.listings] == ["v1"]
    assert batch.left_out == 2


async def test_a_catalogue_of_which_nothing_can_be_read_says_so():
    (batch,) = await catalogue_of(b'{"id": []}')
    assert (batch.listings, batch.left_out) == ((), 1)


@pytest.mark.parametrize("rest", [b'{"id": "p2", "vari', b"<html>", b"id,sku\np2,MUG"])
async def test_a_catalogue_that_breaks_off_is_no_catalogue(rest):
    with pytest.raises(ReplyNotUnderstood):
        await catalogue_of(json.dumps(a_product("p1")).encode() + b"\n" + rest)


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ({"id": "j", "status": "PENDING", "file_urls": None}, CatalogueJob(JobState.PENDING)),
        ({"id": "j", "status": "SOMETHING_NEW"}, CatalogueJob(JobState.PENDING)),
        ({"id": "j", "status": "READY", "file_urls": [FILE]}, CatalogueJob(JobState.READY, (FILE,))),
        ({"id": "j", "status": "READY", "file_urls": None}, CatalogueJob(JobState.READY)),
        ({"id": "j", "status": "EXCEPTION"}, CatalogueJob(JobState.FAILED)),
    ],
)
async def test_a_download_is_as_far_as_wish_says(job, expected):
    with respx.mock as router:
        router.post(f"{PRODUCTS}/bulk_get").mock(return_value=ok({"id": "j", "status": "PENDING"}))
        router.get(f"{PRODUCTS}/bulk_get/j").mock(return_value=ok(job))
        async with at_the_counter() as counter:
            assert await counter.shop.catalogue_job(await counter.shop.start_catalogue()) == expected


def rows(count, start=0, step_ms=1):
    first = SINCE + timedelta(hours=1)
    return [
        {"id": f"p{number}", "updated_at": (first + timedelta(milliseconds=number * step_ms)).isoformat()}
        for number in range(start, start + count)
    ]


async def changed(*pages, deleted=()):
    with respx.mock as router:
        router.get(PRODUCTS, params={"state": "REMOVED_BY_MERCHANT"}).mock(return_value=ok(list(deleted)))
        route = router.get(PRODUCTS).mock(side_effect=[ok(page) for page in pages])
        async with at_the_counter() as counter:
            return await counter.shop.changed_products(SINCE), route.calls


async def test_changes_are_asked_for_oldest_first():
    _, calls = await changed([])
    assert dict(calls.last.request.url.params) == {
        "sort_by": "updated_at.asc",
        "updated_at_min": "2026-11-20T09:00:00.000Z",
        "limit": "1000",
    }


async def test_deleted_products_are_asked_for_by_themselves():
    result, _ = await changed(rows(2), deleted=rows(2, start=1))
    assert result.product_ids == ("p0", "p1", "p2")
    assert (result.complete, result.until) == (True, SINCE + timedelta(hours=1, milliseconds=2))


async def test_no_changes_are_complete():
    assert (await changed([]))[0] == ChangedProducts((), None, True)


async def test_the_boundary_row_of_two_pages_is_one_product():
    result, calls = await changed(rows(1000), rows(5, start=999))
    assert len(result.product_ids) == 1004
    assert result.complete
    assert calls.last.request.url.params["updated_at_min"] == "2026-11-20T10:00:00.999Z"


async def test_more_than_two_thousand_changes_are_left_to_the_catalogue():
    result, _ = await changed(rows(1000), rows(1000, start=999), rows(1000, start=1998))
    assert not result.complete


async def test_a_page_all_of_one_instant_is_left_to_the_catalogue():
    result, calls = await changed(rows(1000, step_ms=0), rows(1000, step_ms=0))
    assert not result.complete
    assert len(calls) == 2


async def test_a_row_without_an_id_is_no_product():
    result, _ = await changed([{"updated_at": None}, {"id": "p1", "updated_at": None}])
    assert result == ChangedProducts(("p1",), SINCE, True)


async def test_warehouses_come_in_wishs_order_with_whatever_is_told_of_them():
    told = [
        {"id": "w2", "name": "East\0", "shipping_type": "WISH_EXPRESS"},
        {"id": 1, "name": None},
        {"id": "w3", "name": 5, "shipping_type": ["?"]},
    ]
    with respx.mock as router:
        router.get(f"{BASE}/api/v3/merchant/warehouses").mock(return_value=ok(told))
        async with at_the_counter() as counter:
            found = await counter.shop.warehouses()
    assert found == (Warehouse("w2", "East", "wish_express"), Warehouse("1"), Warehouse("w3", "5"))


@pytest.mark.parametrize(
    ("name", "shown"), [("Mugs\0\n & more", "Mugs   & more"), ("x" * 900, "x" * 300), ("\0", None)]
)
async def test_a_shops_name_is_fit_to_be_stored_and_shown(name, shown):
    with respx.mock as router:
        router.get(f"{BASE}/api/v3/merchant/account_details").mock(return_value=ok({"display_name": name}))
        async with at_the_counter() as counter:
            assert await counter.shop.name() == shown


async def test_a_shop_is_asked_for_its_name_in_one_call():
    with respx.mock as router:
        asked = router.get(f"{BASE}/api/v3/merchant/account_details").mock(return_value=ok({}))
        async with at_the_counter() as counter:
            assert await counter.shop.name() is None
    assert asked.call_count == 1
