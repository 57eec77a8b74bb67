"""Stock that somebody else changed at the marketplace: found, sent again as a group, and what is done about it."""

import pytest
from tests.api.seeds import account_of, store_listings
from tests.factories import a_channel_listing

from channel_sync.domain.clock import utcnow
from channel_sync.domain.drifts import DriftAction
from channel_sync.domain.listings import ListingStock, StockOutcome
from channel_sync.domain.stock import DriftPolicy

pytestmark = pytest.mark.every_store

SKUS = ("A", "B", "C")


@pytest.fixture
async def shop(world, admin) -> str:
    """An integration with three listings: one confirmed, one drifted, one that somebody else keeps changing."""
    integration_id = str((await world.connect(admin))["id"])
    listings = [a_channel_listing(sku=sku, quantities=(("w1", 1),)) for sku in SKUS]
    await store_listings(world, integration_id, *listings)
    await admin.put("/stock", json={"items": [{"sku": sku, "available": 1} for sku in SKUS]})
    account = await account_of(world, integration_id)
    async with world.database.begin() as work:
        for listing, level in await work.pushes.stale(account.id, 9):
            sent = ListingStock(listing.id, listing.variation_id, level.version, 1, (("w1", 1),))
            await work.pushes.mark_sent([sent], utcnow())
            await work.pushes.settle([StockOutcome(listing.id, level.version, True)], utcnow())
        changed = [a_channel_listing(**fields(one) | {"quantities": (("w1", 9),)}) for one in listings[1:]]
        await work.listings.replace(account.id, changed, utcnow())
        ids = {one.sku: one.id for one in await listed(work, account)}
        for sku, action in (("B", DriftAction.REPORTED), ("C", DriftAction.GIVEN_UP)):
            await work.drifts.settle([ids[sku]], DriftPolicy.REPORT, action, utcnow())
    return integration_id


def fields(listing):
    return {name: getattr(listing, name) for name in ("product_id", "variation_id", "sku")}


async def listed(work, account):
    by_sku = await work.listings.by_skus(account.tenant, SKUS)
    return [one for fed in by_sku.values() for one in fed]


async def states(admin):
    levels = (await admin.get("/stock")).json()["items"]
    return {level["sku"]: (level["listings"][0]["state"], level["listings"][0]["code"]) for level in levels}


async def test_what_drifted_says_so_and_whether_somebody_keeps_writing(admin, shop):
    assert await states(admin) == {
        "A": ("confirmed", None),
        "B": ("drifted", "changed_at_channel"),
        "C": ("drifted", "changed_repeatedly"),
    }


async def test_what_drifted_is_counted_and_found(admin, shop):
    integration = (await admin.get(f"/integrations/{shop}")).json()
    found = (await admin.get(f"/integrations/{shop}/listings", params={"state": "drifted"})).json()["items"]
    levels = (await admin.get("/stock", params={"state": "drifted"})).json()["items"]
    refused = (await admin.get(f"/integrations/{shop}/listings", params={"state": "rejected"})).json()["items"]

    assert integration["counts"]["drifted"] == 2
    assert {one["sku"] for one in found} == {level["sku"] for level in levels} == {"B", "C"}
    assert refused == []


async def test_what_drifted_is_sent_again_as_a_group(admin, shop):
    answer = await admin.post(f"/integrations/{shop}/runs", json={"kind": "stock", "only": "drifted"})

    assert answer.status_code == 202
    assert await states(admin) == {
        "A": ("confirmed", None),
        "B": ("pending", "queued"),
        "C": ("pending", "queued"),
    }


async def test_what_drifted_has_no_code_of_the_marketplace(admin, shop):
    given = {"kind": "stock", "only": "drifted", "push_code": "90001"}
    answer = await admin.post(f"/integrations/{shop}/runs", json=given)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/push_code")


async def test_what_becomes_of_a_drift_is_a_setting(admin, shop):
    assert (await admin.get(f"/integrations/{shop}")).json()["settings"]["stock"]["drift"] == "report"
    for given, expected in (("correct", "correct"), ("off", "off"), (None, "report")):
        answer = await admin.patch(f"/integrations/{shop}", json={"settings": {"stock": {"drift": given}}})
        assert answer.json()["settings"]["stock"]["drift"] == expected
    answer = await admin.patch(f"/integrations/{shop}", json={"settings": {"stock": {"drift": "fight"}}})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/settings/stock/drift")
