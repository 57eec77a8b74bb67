"""Levels by warehouse: given, shown, and tied to the marketplace's warehouses."""

import pytest
from tests.api.seeds import store_listings
from tests.factories import a_channel_listing

from channel_sync.domain.channel import Warehouse


@pytest.fixture
async def shop(world, admin) -> str:
    """An integration with a listing of `MUG`, at a shop with two warehouses."""
    integration_id = str((await world.connect(admin))["id"])
    world.channel.merchants["m1"].warehouses = (Warehouse("w1", "Main"), Warehouse("w2", "North"))
    await store_listings(world, integration_id, a_channel_listing(sku="MUG", quantities=(("w1", 1),)))
    return integration_id


def mapped(**warehouses):
    return {"settings": {"stock": {"warehouses": warehouses}}}


async def test_a_level_is_given_and_shown_by_warehouse(admin, shop):
    items = [
        {"sku": "MUG", "available": 5, "warehouse": "london", "revision": 3},
        {"sku": "MUG", "available": 7, "warehouse": "leeds"},
    ]
    answer = (await admin.put("/stock", json={"items": items})).json()
    level = (await admin.get("/stock/MUG")).json()

    assert [(one["result"], one["version"]) for one in answer["items"]] == [("accepted", 1), ("accepted", 2)]
    assert (level["available"], level["warehouses"]) == (
        12,
        [
            {"warehouse": "leeds", "available": 7, "revision": None},
            {"warehouse": "london", "available": 5, "revision": 3},
        ],
    )


async def test_what_is_not_offered_in_a_shop_is_not_reckoned_there(admin, shop):
    await admin.patch(f"/integrations/{shop}", json=mapped(london="w1", leeds=None))
    items = [
        {"sku": "MUG", "available": units, "warehouse": name} for name, units in (("london", 5), ("leeds", 7))
    ]
    await admin.put("/stock", json={"items": items})

    (listing,) = (await admin.get("/stock/MUG")).json()["listings"]
    assert (listing["reckoning"]["available"], listing["reckoning"]["quantity"]) == (5, 5)


async def test_the_map_is_kept_and_taken_back(admin, shop):
    changed = await admin.patch(f"/integrations/{shop}", json=mapped(london="w1", leeds=None))
    assert changed.json()["settings"]["stock"]["warehouses"] == {"london": "w1", "leeds": None}
    again = await admin.patch(f"/integrations/{shop}", json={"settings": {"stock": {"warehouses": None}}})
    assert again.json()["settings"]["stock"]["warehouses"] == {}


async def test_a_warehouse_that_the_shop_does_not_have_is_mapped_to_nothing(admin, shop):
    answer = await admin.patch(f"/integrations/{shop}", json=mapped(london="nowhere"))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "unknown_warehouse")
    assert problem["errors"][0]["pointer"] == "/settings/stock/warehouses"
    assert (await admin.get(f"/integrations/{shop}")).json()["settings"]["stock"]["warehouses"] == {}


@pytest.mark.parametrize("warehouse", ["", "x" * 101, 7])
async def test_a_name_that_is_none_is_refused(admin, shop, warehouse):
    item = {"sku": "MUG", "available": 1, "warehouse": warehouse}
    assert (await admin.put("/stock", json={"items": [item]})).status_code == 422
