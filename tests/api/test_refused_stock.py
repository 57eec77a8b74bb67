"""Stock that the marketplace refused: counted and found by its code, and sent again as a group."""

import pytest
from tests.api.seeds import account_of, store_listings
from tests.factories import a_channel_listing

from channel_sync.domain.clock import utcnow
from channel_sync.domain.listings import ListingStock, StockOutcome

pytestmark = pytest.mark.every_store

REFUSALS = {"A": ("90001", "Too many."), "B": ("90001", "Too many."), "C": ("7", "Closed."), "D": None}


@pytest.fixture
async def shop(world, admin) -> str:
    """An integration with four listings, two refused with one code, one with another, one confirmed."""
    integration_id = str((await world.connect(admin))["id"])
    await store_listings(world, integration_id, *(a_channel_listing(sku=sku) for sku in REFUSALS))
    await admin.put("/stock", json={"items": [{"sku": sku, "available": 1} for sku in REFUSALS]})
    account = await account_of(world, integration_id)
    async with world.database.begin() as work:
        for listing, level in await work.pushes.stale(account.id, 9):
            sent = ListingStock(listing.id, listing.variation_id, level.version, 1, (("w1", 1),))
            code, reason = REFUSALS[level.sku] or (None, None)
            await work.pushes.mark_sent([sent], utcnow())
            outcome = StockOutcome(listing.id, level.version, code is None, code, reason)
            await work.pushes.settle([outcome], utcnow())
    return integration_id


async def states(admin):
    levels = (await admin.get("/stock")).json()["items"]
    return {level["sku"]: level["listings"][0]["state"] for level in levels}


async def test_refusals_are_counted_by_code_the_commonest_first(admin, shop):
    found = (await admin.get(f"/integrations/{shop}/stock/rejections")).json()
    assert found == {
        "items": [
            {"code": "90001", "listings": 2, "reason": "Too many."},
            {"code": "7", "listings": 1, "reason": "Closed."},
        ]
    }


async def test_listings_are_found_by_the_code_of_their_refusal(admin, shop):
    found = (await admin.get(f"/integrations/{shop}/listings", params={"push_code": "90001"})).json()["items"]
    everything = (await admin.get(f"/integrations/{shop}/listings")).json()["items"]

    assert sorted(one["sku"] for one in found) == ["A", "B"]
    assert {one["sku"]: one["rejection"] for one in everything} == {
        sku: None if refusal is None else {"code": refusal[0], "reason": refusal[1]}
        for sku, refusal in REFUSALS.items()
    }


async def test_what_failed_is_sent_again_as_a_group(admin, shop):
    answer = await admin.post(f"/integrations/{shop}/runs", json={"kind": "stock", "only": "failed"})

    assert (answer.status_code, answer.json()["kind"]) == (202, "stock")
    assert await states(admin) == {"A": "pending", "B": "pending", "C": "pending", "D": "confirmed"}


async def test_what_failed_with_one_code_is_sent_again_alone(admin, shop):
    body = {"kind": "stock", "only": "failed", "push_code": "7"}
    await admin.post(f"/integrations/{shop}/runs", json=body)

    assert await states(admin) == {"A": "rejected", "B": "rejected", "C": "pending", "D": "confirmed"}


async def test_what_failed_goes_with_a_run_that_is_open_already(admin, shop):
    open_one = (await admin.post(f"/integrations/{shop}/runs", json={"kind": "stock"})).json()
    again = await admin.post(f"/integrations/{shop}/runs", json={"kind": "stock", "only": "failed"})

    assert (again.status_code, again.json()["id"], again.json()["deduplicated"]) == (200, open_one["id"], True)
    assert (await states(admin))["A"] == "pending"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "orders", "only": "failed"}, "/only"),
        ({"kind": "stock", "only": "failed", "dry_run": True}, "/only"),
        ({"kind": "stock", "push_code": "7"}, "/push_code"),
        ({"kind": "stock", "only": "all"}, "/only"),
    ],
)
async def test_a_group_is_of_stock_that_is_sent(admin, shop, body, pointer):
    answer = await admin.post(f"/integrations/{shop}/runs", json=body)
    assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, [pointer])


async def test_a_shop_that_is_switched_off_retries_nothing(admin, shop):
    await admin.put(f"/integrations/{shop}/status", json={"enabled": False})
    answer = await admin.post(f"/integrations/{shop}/runs", json={"kind": "stock", "only": "failed"})

    assert (answer.status_code, answer.json()["code"]) == (409, "integration_disabled")
    assert (await states(admin))["A"] == "rejected"
