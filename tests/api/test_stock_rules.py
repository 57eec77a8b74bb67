"""Rules of SKUs and listings: what they change is told, with or without doing it."""

import pytest
from tests.api.seeds import account_of, store_listings
from tests.factories import a_channel_listing

from channel_sync.domain.clock import utcnow
from channel_sync.domain.listings import ListingStock, StockOutcome

pytestmark = pytest.mark.every_store

NO_RULES = {"buffer": None, "percent": None, "end_when": None, "maximum": None}


@pytest.fixture
async def shop(world, admin) -> str:
    """An integration whose listing of `MUG` was sent and confirmed 12 units."""
    integration_id = str((await world.connect(admin))["id"])
    await store_listings(world, integration_id, a_channel_listing(sku="MUG", quantities=(("w1", 12),)))
    await admin.put("/stock", json={"items": [{"sku": "MUG", "available": 12}]})
    account = await account_of(world, integration_id)
    async with world.database.begin() as work:
        ((listing, level),) = await work.pushes.stale(account.id, 9)
        sent = ListingStock(listing.id, listing.variation_id, level.version, 12, (("w1", 12),))
        await work.pushes.mark_sent([sent], utcnow())
        await work.pushes.settle([StockOutcome(listing.id, level.version, True)], utcnow())
    return integration_id


async def listing_of(admin):
    (listing,) = (await admin.get("/stock/MUG")).json()["listings"]
    return listing


async def test_rules_of_a_sku_change_what_is_sent(admin, shop):
    answer = await admin.put(
        "/stock-rules", json={"items": [{"sku": "MUG", "buffer": 2}, {"sku": "NEW", "maximum": 3}]}
    )

    mug, new = answer.json()["items"]
    listing = await listing_of(admin)
    assert (mug["rules"], new["rules"]) == ({**NO_RULES, "buffer": 2}, {**NO_RULES, "maximum": 3})
    assert mug["changes"] == [
        {"listing_id": listing["listing_id"], "integration_id": shop, "before": 12, "quantity": 10}
    ]
    assert new["changes"] == []
    assert (listing["state"], listing["reckoning"]["quantity"]) == ("pending", 10)
    assert (await admin.get("/stock/MUG")).json()["rules"] == {**NO_RULES, "buffer": 2}


async def test_rules_that_change_nothing_send_nothing(admin, shop):
    answer = await admin.put("/stock-rules", json={"items": [{"sku": "MUG", "maximum": 50}]})

    assert answer.json()["items"][0]["changes"] == []
    assert (await listing_of(admin))["state"] == "confirmed"


async def test_a_dry_run_of_rules_tells_what_would_change_and_changes_nothing(admin, shop):
    before = (await admin.get("/stock/MUG")).json()
    listing_id = before["listings"][0]["listing_id"]

    of_sku = await admin.put("/stock-rules", json={"items": [{"sku": "MUG", "percent": 50}], "dry_run": True})
    of_listing = await admin.put(f"/listings/{listing_id}/rules", json={"maximum": 1, "dry_run": True})

    assert [one["quantity"] for one in of_sku.json()["items"][0]["changes"]] == [6]
    assert [one["quantity"] for one in of_listing.json()["changes"]] == [1]
    assert (await admin.get("/stock/MUG")).json() == before
    assert (await admin.get("/stock-rules")).json()["items"] == []


async def test_a_listings_own_rules_go_before_those_of_its_sku(admin, shop):
    listing_id = (await listing_of(admin))["listing_id"]
    await admin.put("/stock-rules", json={"items": [{"sku": "MUG", "buffer": 2, "maximum": 4}]})

    answer = (await admin.put(f"/listings/{listing_id}/rules", json={"maximum": 9})).json()

    assert [one["quantity"] for one in answer["changes"]] == [9]
    assert answer["listing"]["rules"] == {**NO_RULES, "maximum": 9}
    assert (await listing_of(admin))["reckoning"]["text"] == "12 available, less a buffer of 2, at most 9: 9"


async def test_an_excluded_listing_is_skipped_until_it_is_let_in(admin, shop):
    listing_id = (await listing_of(admin))["listing_id"]

    await admin.put(f"/listings/{listing_id}/rules", json={"excluded": True})

    listing = await listing_of(admin)
    assert (listing["state"], listing["code"], listing["reckoning"]) == ("skipped", "listing_excluded", None)
    found = (await admin.get(f"/integrations/{shop}/listings", params={"excluded": "true"})).json()["items"]
    assert [(one["id"], one["excluded"]) for one in found] == [(listing_id, True)]
    assert [one["sku"] for one in (await admin.get("/stock?state=skipped")).json()["items"]] == ["MUG"]

    await admin.put(f"/listings/{listing_id}/rules", json={})
    assert (await listing_of(admin))["state"] == "pending"


async def test_rules_are_listed_and_taken_back(admin, shop):
    items = [{"sku": sku, "buffer": 1} for sku in ("A", "B", "C")]
    await admin.put("/stock-rules", json={"items": items})
    await admin.put("/stock-rules", json={"items": [{"sku": "B"}]})

    page = (await admin.get("/stock-rules", params={"limit": 1})).json()
    rest = (await admin.get("/stock-rules", params={"limit": 1, "cursor": page["next_cursor"]})).json()

    assert [one["sku"] for one in page["items"] + rest["items"]] == ["A", "C"]
    assert rest["next_cursor"] is None
    assert (await admin.get("/stock-rules", params={"sku": "B"})).json()["items"] == []


@pytest.mark.parametrize(
    "rules",
    [{"percent": 0}, {"percent": 101}, {"buffer": -1}, {"maximum": 500_001}, {"end_when": 1.5}, {"floor": 1}],
)
async def test_rules_that_mean_nothing_are_refused(admin, shop, rules):
    assert (await admin.put("/stock-rules", json={"items": [{"sku": "MUG", **rules}]})).status_code == 422


async def test_rules_need_the_scope(world, shop):
    async with world.caller("stock:read") as reader:
        assert (await reader.put("/stock-rules", json={"items": [{"sku": "MUG"}]})).status_code == 403
        assert (await reader.get("/stock-rules")).status_code == 200


async def test_the_settings_end_a_listing_below_a_number(admin, shop):
    await admin.patch(f"/integrations/{shop}", json={"settings": {"stock": {"end_when": 13}}})

    listing = await listing_of(admin)
    assert (listing["state"], listing["reckoning"]["text"]) == ("pending", "12 available, none below 13: 0")
