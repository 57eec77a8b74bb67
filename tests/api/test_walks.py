"""Every list is walked page by page, and nothing is missed or told twice."""

from typing import Any

import httpx
import pytest
from tests.api.seeds import hold_order, journal, store_listings, store_orders
from tests.factories import a_channel_listing, a_channel_order

pytestmark = pytest.mark.every_store

SIZE = 5


async def walk(client: httpx.AsyncClient, place: str) -> list[Any]:
    """Items of every page, two at a time."""
    items: list[Any] = []
    cursor: dict[str, str] = {}
    for _ in range(20):
        answer = await client.get(httpx.URL(place).copy_merge_params({"limit": 2, **cursor}))
        assert answer.status_code == 200
        page = answer.json()
        assert len(page["items"]) <= 2
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}
    raise AssertionError("The walk does not end.")


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


@pytest.mark.parametrize("sort", ["name", "-name", "created_at", "-created_at"])
async def test_integrations(world, admin, sort):
    for number in range(SIZE):
        await world.connect(
            admin, f"m{number}", name="Same" if number < 3 else "Other", client_id=f"client-{number}"
        )
    params = f"/integrations?sort={sort}"
    once = [item["id"] for item in (await admin.get(params)).json()["items"]]
    assert [item["id"] for item in await walk(admin, params)] == once
    assert len(once) == SIZE


async def test_orders(world, admin, integration_id):
    stored = await store_orders(world, integration_id, *(a_channel_order() for _ in range(SIZE)))
    assert [order["id"] for order in await walk(admin, "/orders")] == stored


async def test_held_orders(world, admin, integration_id):
    held = {await hold_order(world, integration_id, f"h{number}") for number in range(SIZE)}
    walked = [order["id"] for order in await walk(admin, "/orders/held")]
    assert (set(walked), len(walked)) == (held, SIZE)


async def test_listings(world, admin, integration_id):
    stored = await store_listings(world, integration_id, *(a_channel_listing() for _ in range(SIZE)))
    walked = [listing["id"] for listing in await walk(admin, f"/integrations/{integration_id}/listings")]
    assert (walked, len(walked)) == (stored, SIZE)


async def test_stock(admin):
    items = [{"sku": f"SKU/{number}", "available": number} for number in range(SIZE)]
    await admin.put("/stock", json={"items": items})
    assert [level["sku"] for level in await walk(admin, "/stock")] == [item["sku"] for item in items]


async def test_runs_and_calls(admin, world, integration_id):
    ids = []
    for kind in ("orders", "stock", "listings", "reconcile"):
        run = (await admin.post(f"/integrations/{integration_id}/runs", json={"kind": kind})).json()
        ids.append(run["id"])
    await journal(world, ids[0], *(f"/call/{number}" for number in range(SIZE)))
    assert [run["id"] for run in await walk(admin, "/runs")] == ids[::-1]
    walked = await walk(admin, f"/runs/{ids[0]}/calls")
    assert [call["path"] for call in walked] == [f"/call/{number}" for number in range(SIZE)]


async def test_api_keys(admin):
    for number in range(SIZE):
        await admin.post("/api-keys", json={"name": f"k{number}", "preset": "support"})
    assert [key["name"] for key in await walk(admin, "/api-keys")] == ["test", "k0", "k1", "k2", "k3", "k4"]


async def test_a_cursor_of_another_list_or_filter_is_400(admin):
    items = [{"sku": f"SKU-{number}", "available": number} for number in range(SIZE)]
    await admin.put("/stock", json={"items": items})
    cursor = (await admin.get("/stock?limit=1")).json()["next_cursor"]
    for place in ("/api-keys?limit=1", "/runs?kind=stock"):
        answer = await admin.get(place, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")
    assert (await admin.get(f"/stock?limit=3&cursor={cursor}")).status_code == 200
