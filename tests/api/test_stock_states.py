"""Where a level is and why, in a code and in words."""

from dataclasses import replace

import pytest
from tests.api.seeds import account_of, store_listings
from tests.factories import a_channel_listing
from tests.stored import fed_by

from channel_sync.domain.clock import utcnow
from channel_sync.domain.codes import STOCK_CODES
from channel_sync.domain.drifts import DriftAction
from channel_sync.domain.incidents import Incident, IncidentKind
from channel_sync.domain.listings import ListingStock, StockOutcome
from channel_sync.domain.stock import DriftPolicy

pytestmark = pytest.mark.every_store

MUG = a_channel_listing(sku="MUG", quantities=(("w1", 10),))


@pytest.fixture
async def shop(world, admin):
    """The id of an integration with a listing of `MUG`, whose level is 3."""
    integration_id = (await world.connect(admin))["id"]
    await admin.put("/stock", json={"items": [{"sku": "MUG", "available": 3}]})
    await store_listings(world, integration_id, MUG)
    return integration_id


async def send(world, integration_id):
    """Everything that waits, noted as sent."""
    account = await account_of(world, integration_id)
    async with world.database.begin() as work:
        stale = await work.pushes.stale(account.id, 99)
        sent = [ListingStock(one.id, one.variation_id, level.version, 3, (("w1", 3),)) for one, level in stale]
        await work.pushes.mark_sent(sent, utcnow(), run_id="run_1")
    return sent


async def settle(world, sent, accepted=True, **more):
    async with world.database.begin() as work:
        outcomes = [StockOutcome(one.listing_id, one.version, accepted, **more) for one in sent]
        await work.pushes.settle(outcomes, utcnow())
        await work.doubts.answered("run_1", [one.listing_id for one in sent])


async def listing_of(admin, sku="MUG"):
    (listing,) = (await admin.get(f"/stock/{sku}")).json()["listings"]
    return listing


async def told(admin):
    listing = await listing_of(admin)
    assert listing["reason"]
    return listing["state"], listing["code"]


async def test_what_is_next_to_be_sent_is_queued(admin, shop):
    assert await told(admin) == ("pending", "queued")


async def test_what_waits_says_what_keeps_it(world, admin, shop):
    href = f"/integrations/{shop}"
    await admin.patch(href, json={"settings": {"stock": {"enabled": False}}})
    assert await told(admin) == ("pending", "stock_disabled")

    await admin.put(f"{href}/status", json={"enabled": False})
    assert await told(admin) == ("pending", "integration_disabled")

    await admin.delete(href, params={"confirm": "Mugs"})
    assert await told(admin) == ("pending", "integration_removed")


async def test_what_waits_for_a_warehouse_says_so(world, admin, shop):
    async with world.database.begin() as work:
        await work.incidents.open(Incident("inc_1", "acme", shop, IncidentKind.WAREHOUSE_MISSING, utcnow()))
    assert await told(admin) == ("pending", "warehouse_missing")


async def test_each_step_on_the_way_has_its_word(world, admin, shop):
    sent = await send(world, shop)
    assert await told(admin) == ("sent", "in_flight")

    await admin.put("/stock", json={"items": [{"sku": "MUG", "available": 4}]})
    assert await told(admin) == ("superseded", "newer_waiting")

    async with world.database.begin() as work:
        await work.doubts.unanswered("run_1", [sent[0].listing_id], utcnow())
    await send(world, shop)
    assert await told(admin) == ("sent", "outcome_unknown")


async def test_a_refusal_has_the_marketplaces_own_code_and_words(world, admin, shop):
    await settle(world, await send(world, shop), accepted=False, code="90001", reason="Too many.")
    listing = await listing_of(admin)
    assert (listing["state"], listing["code"], listing["reason"]) == ("rejected", "90001", "Too many.")


async def test_what_is_confirmed_shows_where_and_what_was_seen_there(world, admin, shop):
    await settle(world, await send(world, shop), seen=(("w1", 3), ("w2", 8)))
    listing = await listing_of(admin)
    assert (listing["state"], listing["code"], listing["warehouse_id"]) == ("confirmed", None, "w1")
    assert listing["at_channel"]["quantity"] == 3
    assert listing["at_channel"]["seen_at"] == listing["settled_at"]


async def test_fewer_units_at_the_marketplace_may_be_sold(world, admin, shop):
    await settle(world, await send(world, shop), seen=(("w1", 3),))
    await store_listings(world, shop, replace(MUG, quantities=(("w1", 1),)))
    assert await told(admin) == ("confirmed", "sold_since")
    assert (await listing_of(admin))["at_channel"]["quantity"] == 1


async def test_a_drift_says_so(world, admin, shop):
    await settle(world, await send(world, shop), seen=(("w1", 3),))
    await store_listings(world, shop, replace(MUG, quantities=(("w1", 9),)))
    async with world.database.begin() as work:
        ids = [(await fed_by(work, "MUG", "acme"))[0].id]
        await work.drifts.settle(ids, DriftPolicy.REPORT, DriftAction.REPORTED, utcnow())
    assert await told(admin) == ("drifted", "changed_at_channel")


async def test_the_way_from_the_level_to_the_units_is_told(admin, shop):
    rules = {"buffer": 1, "percent": 50, "end_when": 2, "maximum": 4}
    await admin.patch(f"/integrations/{shop}", json={"settings": {"stock": rules}})
    await admin.put("/stock", json={"items": [{"sku": "MUG", "available": 12}]})
    assert (await listing_of(admin))["reckoning"] == {
        "available": 12,
        "reserved": 0,
        **rules,
        "quantity": 4,
        "text": "12 available, less a buffer of 1, of that 50 %, none below 2, at most 4: 4",
    }


async def test_a_level_without_a_listing_says_that_it_waits_for_one(admin):
    await admin.put("/stock", json={"items": [{"sku": "ALONE", "available": 3}]})
    level = (await admin.get("/stock/ALONE")).json()
    assert (level["code"], level["listings"]) == ("no_listing", [])
    assert level["reason"]


async def test_levels_are_filtered_by_state_and_sku(world, admin, shop):
    await settle(world, await send(world, shop), seen=(("w1", 3),))
    waiting = [a_channel_listing(sku=f"WAITS-{number}") for number in range(5)]
    await store_listings(world, shop, *waiting)
    items = [{"sku": one.sku, "available": 1} for one in waiting]
    await admin.put("/stock", json={"items": [*items, {"sku": "ALONE", "available": 1}]})

    async def skus(**query):
        found, cursor = [], None
        while True:
            page = (await admin.get("/stock", params={**query, **({"cursor": cursor} if cursor else {})})).json()
            found += [level["sku"] for level in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    assert await skus(state="confirmed") == ["MUG"]
    assert await skus(state="pending", limit=2) == [f"WAITS-{number}" for number in range(5)]
    assert await skus(state="rejected") == []
    assert await skus(sku="WAITS-3") == ["WAITS-3"]
    assert await skus(sku="WAITS-3", state="confirmed") == []
    assert await skus(sku="ALONE") == ["ALONE"]
    assert (await admin.get("/stock", params={"state": "lost"})).status_code == 422


async def test_a_level_can_be_sent_again(world, admin, shop):
    await settle(world, await send(world, shop), seen=(("w1", 3),))

    answer = await admin.post("/stock/push", json={"skus": ["MUG", "NEVER"]})

    assert answer.json()["items"] == [
        {"sku": "MUG", "result": "queued", "listings": 1},
        {"sku": "NEVER", "result": "unknown_sku", "listings": 0},
    ]
    assert await told(admin) == ("pending", "queued")


async def test_sending_again_needs_the_scope_and_takes_a_key(world, admin, shop):
    async with world.caller("stock:read") as reader:
        assert (await reader.post("/stock/push", json={"skus": ["MUG"]})).status_code == 403
    headers = {"Idempotency-Key": "again-1"}
    first = await admin.post("/stock/push", json={"skus": ["MUG"]}, headers=headers)
    assert (await admin.post("/stock/push", json={"skus": ["MUG"]}, headers=headers)).json() == first.json()
    assert (await admin.post("/stock/push", json={"skus": []})).status_code == 422
    assert (await admin.post("/stock/push", json={"skus": ["A"] * 501})).status_code == 422


def test_every_code_of_ours_is_in_the_contract(world):
    schemas = world.app.openapi()["components"]["schemas"]
    texts = schemas["ListingStockView"]["properties"]["code"]["anyOf"]
    assert {"type": "string", "enum": list(STOCK_CODES)} in texts


async def test_what_is_not_in_order_is_counted_on_the_integration_its_status_and_the_list(world, admin, shop):
    await settle(world, await send(world, shop), accepted=False, code="90001", reason="Too many.")
    twins = [a_channel_listing(sku="TWIN"), a_channel_listing(sku="TWIN")]
    await store_listings(world, shop, a_channel_listing(sku=None), a_channel_listing(writable=False), *twins)

    wanted = {"rejected": 1, "drifted": 0, "skipped": 3, "ambiguous": 2, "unmapped": 1, "gone": 0, "held": 0}
    assert (await admin.get(f"/integrations/{shop}")).json()["counts"] == wanted
    assert (await admin.get(f"/integrations/{shop}/status")).json()["counts"] == wanted
    assert (await admin.get("/integrations")).json()["items"][0]["counts"] == wanted


async def test_a_listing_is_read_alone_and_listings_are_filtered(world, admin, shop):
    closed = a_channel_listing(sku="CUP", writable=False)
    ids = await store_listings(world, shop, closed, a_channel_listing(sku=None))
    by_sku = {}
    for listing_id in ids:
        listing = (await admin.get(f"/listings/{listing_id}")).json()
        by_sku[listing["sku"]] = listing
    await admin.put(f"/listings/{by_sku[None]['id']}/mapping", json={"sku": "HAND"})
    await admin.put(f"/listings/{by_sku['MUG']['id']}/mapping", json={"sku": "OTHER"})

    async def found(**query):
        page = (await admin.get(f"/integrations/{shop}/listings", params=query)).json()["items"]
        return [listing["id"] for listing in page]

    assert by_sku["MUG"]["seen_at"]
    assert await found(sku="CUP") == [by_sku["CUP"]["id"]]
    assert await found(sku="HAND") == [by_sku[None]["id"]]
    assert await found(sku="MUG") == await found(sku="OTHER") == [by_sku["MUG"]["id"]]
    assert await found(writable="false") == [by_sku["CUP"]["id"]]
    assert set(await found(writable="true")) == {by_sku[None]["id"], by_sku["MUG"]["id"]}
    assert (await admin.get("/listings/lst_00000000000000000000000000")).status_code == 404
