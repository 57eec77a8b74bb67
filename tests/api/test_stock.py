from urllib.parse import quote

import pytest
from tests.api.seeds import store_listings
from tests.factories import a_channel_listing

pytestmark = pytest.mark.every_store


async def put(admin, *items):
    return (await admin.put("/stock", json={"items": list(items)})).json()["items"]


async def test_each_item_has_its_result_in_the_same_order(admin):
    await put(admin, {"sku": "A", "available": 1, "revision": 5}, {"sku": "B", "available": 2})
    results = await put(
        admin,
        {"sku": "B", "available": 2},
        {"sku": "A", "available": 9, "revision": 4},
        {"sku": "C", "available": 500_001},
        {"sku": " ", "available": 1},
        {"sku": "D", "available": 3},
        {"sku": "D", "available": 4},
        {"sku": "E", "available": -1},
        {"sku": "F", "available": 2**62},
    )
    assert [item["result"] for item in results] == [
        "unchanged",
        "stale_revision",
        "invalid",
        "invalid",
        "accepted",
        "invalid",
        "invalid",
        "invalid",
    ]
    assert [item["sku"] for item in results] == ["B", "A", "C", " ", "D", "D", "E", "F"]
    assert results[2]["code"] == "available_out_of_range"
    assert "code" not in results[0]


@pytest.mark.parametrize(
    "item",
    [
        {"sku": "A", "available": "5"},
        {"sku": "A", "available": 1.5},
        {"sku": "A", "available": True},
        {"sku": "A", "available": None},
        {"sku": 1, "available": 1},
        {"available": 1},
        {"sku": "A"},
        {"sku": "A", "available": 1, "revision": "1"},
        {"sku": "A", "available": 1, "revision": 2**63},
        {"sku": "A" * 256, "available": 1},
    ],
)
async def test_a_wrong_type_is_422_and_stores_nothing(admin, item):
    answer = await admin.put("/stock", json={"items": [{"sku": "GOOD", "available": 1}, item]})
    assert answer.status_code == 422
    assert (await admin.get("/stock")).json()["items"] == []


@pytest.mark.parametrize("count", [0, 5001])
async def test_no_items_or_too_many_are_422(admin, count):
    items = [{"sku": f"S{number}", "available": 1} for number in range(count)]
    assert (await admin.put("/stock", json={"items": items})).status_code == 422


async def test_five_thousand_items_are_fine(admin):
    items = [{"sku": f"S{number}", "available": number} for number in range(5000)]
    answer = await admin.put("/stock", json={"items": items})
    assert {item["result"] for item in answer.json()["items"]} == {"accepted"}


async def test_a_level_shows_every_listing_that_it_feeds(world, admin):
    integration_id = (await world.connect(admin))["id"]
    await put(admin, {"sku": "MUG", "available": 7})
    listing_id = (await store_listings(world, integration_id, a_channel_listing(sku="MUG")))[0]
    level = (await admin.get("/stock/MUG")).json()
    assert (level["available"], level["version"]) == (7, 1)
    assert [(one["listing_id"], one["state"]) for one in level["listings"]] == [(listing_id, "pending")]
    assert (await admin.get("/stock")).json()["items"] == [level]


async def test_a_listing_that_gets_no_stock_says_why(world, admin):
    integration_id = (await world.connect(admin))["id"]
    await put(admin, {"sku": "MUG", "available": 3})
    await store_listings(world, integration_id, a_channel_listing(sku="MUG"), a_channel_listing(sku="MUG"))
    listings = (await admin.get("/stock/MUG")).json()["listings"]
    assert [(one["state"], one["code"]) for one in listings] == [("skipped", "sku_ambiguous")] * 2
    assert all(one["reason"] for one in listings)


async def test_pending_stock_shows_in_the_freshness(world, admin):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    await put(admin, {"sku": "MUG", "available": 7})
    await store_listings(world, href.split("/")[-1], a_channel_listing(sku="MUG"))
    assert (await admin.get(href)).json()["freshness"]["stock_pending"] == 1
    assert (await admin.get(f"{href}/status")).json()["jobs"]["stock"]["backlog"] == 1


@pytest.mark.parametrize("sku", ["A/B", "A B", "ä€", "A?B", "%41"])
async def test_any_sku_can_be_asked_for(admin, sku):
    await put(admin, {"sku": sku, "available": 1})
    assert (await admin.get(f"/stock/{quote(sku, safe='')}")).json()["sku"] == sku


async def test_an_unknown_sku_is_404(admin):
    assert (await admin.get("/stock/NOPE")).status_code == 404


async def test_a_listing_can_be_mapped_by_hand_and_back(world, admin):
    integration_id = (await world.connect(admin))["id"]
    await put(admin, {"sku": "OTHER", "available": 3})
    listing_id = (await store_listings(world, integration_id, a_channel_listing(sku="MUG")))[0]
    mapped = (await admin.put(f"/listings/{listing_id}/mapping", json={"sku": "OTHER"})).json()
    assert (mapped["mapped_sku"], mapped["mapping"]) == ("OTHER", "mapped")
    assert [one["listing_id"] for one in (await admin.get("/stock/OTHER")).json()["listings"]] == [listing_id]
    back = (await admin.put(f"/listings/{listing_id}/mapping", json={"sku": None})).json()
    assert back["mapped_sku"] is None
    assert (await admin.get("/stock/OTHER")).json()["listings"] == []


async def test_a_listing_of_a_shop_that_was_removed_for_good_can_be_mapped(world, admin):
    integration_id = (await world.connect(admin))["id"]
    (listing_id,) = await store_listings(world, integration_id, a_channel_listing(sku=None))
    async with world.database.begin() as work:
        await work.accounts.detach(integration_id)
        await work.integrations.delete(integration_id)

    mapped = await admin.put(f"/listings/{listing_id}/mapping", json={"sku": "OTHER"})

    assert (mapped.status_code, mapped.json()["mapped_sku"]) == (200, "OTHER")


async def test_listings_show_their_warehouses_and_can_be_filtered(world, admin):
    integration_id = (await world.connect(admin))["id"]
    await store_listings(world, integration_id, a_channel_listing(), a_channel_listing(sku=None))
    href = f"/integrations/{integration_id}/listings"
    unmapped = (await admin.get(f"{href}?mapping=unmapped")).json()["items"]
    assert [one["sku"] for one in unmapped] == [None]
    assert unmapped[0]["warehouses"] == [{"warehouse_id": "warehouse-1", "quantity": 5}]


@pytest.mark.parametrize("body", [{}, {"sku": ""}, {"sku": "  "}, {"sku": 1}, {"sku": "A" * 256}])
async def test_an_unusable_mapping_is_422(admin, body):
    assert (await admin.put("/listings/lst_x/mapping", json=body)).status_code == 422
