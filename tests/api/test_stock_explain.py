"""Why a listing shows what it shows, asked of our rows and of the marketplace."""

import pytest
from tests.api.seeds import store_listings
from tests.api.test_stock_rules import shop
from tests.factories import a_channel_listing

from channel_sync.domain.errors import NoAnswer

__all__ = ["shop"]
MUG = a_channel_listing(sku="CUP", quantities=(("w1", 3),))


async def explained(admin, integration_id, sku):
    return (await admin.get(f"/integrations/{integration_id}/stock/{sku}/explain")).json()


async def test_the_marketplace_is_asked_what_it_shows_now(world, admin, shop):
    (listing,) = (await admin.get(f"/integrations/{shop}/listings")).json()["items"]
    there = a_channel_listing(
        product_id=listing["product_id"], variation_id=listing["variation_id"], quantities=(("w1", 9),)
    )
    world.channel.merchants["m1"].put_up(there)

    found = await explained(admin, shop, "MUG")

    (one,) = found["listings"]
    assert (one["asked_now"], one["at_channel"]["quantity"], one["quantity"]) == (True, 9, 12)
    assert found["sentence"] == one["sentence"]
    assert one["sentence"].startswith("available 12 → sent 12 at ")
    assert ", confirmed 0.0 s later, at Fake now 9, seen at " in one["sentence"]


async def test_without_an_answer_what_was_last_seen_is_told(world, admin, shop):
    world.channel.break_down("product", NoAnswer("timeout", "No answer."))

    (one,) = (await explained(admin, shop, "MUG"))["listings"]

    assert (one["asked_now"], one["at_channel"]["quantity"]) == (False, 12)
    assert "at Fake 12, seen at " in one["sentence"]


async def test_a_sku_with_strokes_is_explained(world, admin, shop):
    await store_listings(world, shop, a_channel_listing(sku="A/B"))
    await admin.put("/stock", json={"items": [{"sku": "A/B", "available": 1}]})

    found = await explained(admin, shop, "A/B")

    assert (found["sku"], found["listings"][0]["state"]) == ("A/B", "pending")


async def test_a_level_that_feeds_nothing_here_says_so(admin, shop):
    await admin.put("/stock", json={"items": [{"sku": "ALONE", "available": 4}]})

    found = await explained(admin, shop, "ALONE")

    assert (found["code"], found["listings"]) == ("no_listing", [])
    assert found["sentence"].startswith("available 4, but no listing")


async def test_what_has_no_level_cannot_be_explained(admin, shop):
    assert (await admin.get(f"/integrations/{shop}/stock/NOPE/explain")).status_code == 404


@pytest.mark.parametrize("members", [{"excluded": True}])
async def test_an_excluded_listing_says_so(admin, shop, members):
    (listing,) = (await explained(admin, shop, "MUG"))["listings"]
    await admin.put(f"/listings/{listing['listing_id']}/rules", json=members)

    (one,) = (await explained(admin, shop, "MUG"))["listings"]

    assert (one["state"], one["reckoning"]) == ("skipped", None)
    assert one["sentence"].startswith("nothing is sent: The listing is excluded")
