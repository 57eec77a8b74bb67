from datetime import timedelta

import pytest
from msgspec import structs
from tests.api.seeds import store_orders
from tests.factories import a_channel_order

from channel_sync.domain.orders import OrderState

pytestmark = pytest.mark.every_store


async def test_a_timeline_tells_what_happened_and_who_took_it_over(world, admin):
    integration_id = str((await world.connect(admin))["id"])
    order = a_channel_order()
    (order_id,) = await store_orders(world, integration_id, order)
    await admin.post("/orders/acknowledge", json={"ids": [order_id]})
    key_id = (await admin.get("/api-keys")).json()["items"][0]["id"]
    shipped = structs.replace(order, state=OrderState.SHIPPED, updated_at=order.updated_at + timedelta(seconds=1))
    await store_orders(world, integration_id, shipped)
    await admin.post("/orders/acknowledge", json={"orders": [{"id": order_id, "version": 2}]})
    await admin.post("/orders/erase", json={"ids": [order_id]})

    first = (await admin.get(f"/orders/{order_id}/timeline", params={"limit": 1})).json()
    second = (await admin.get(f"/orders/{order_id}/timeline", params={"cursor": first["next_cursor"]})).json()

    (before,), (after,) = first["items"], second["items"]
    assert (before["version"], before["state"], before["acknowledged_by"]) == (1, "approved", key_id)
    assert (after["version"], after["state"], after["acknowledged_by"]) == (2, "shipped", key_id)
    assert before["stored_at"] <= before["acknowledged_at"] <= after["stored_at"] <= after["acknowledged_at"]
    assert second["next_cursor"] is None
    assert second["erased_at"] >= after["stored_at"]


async def test_a_foreign_timeline_is_a_missing_one(world, admin):
    integration_id = str((await world.connect(admin))["id"])
    (order_id,) = await store_orders(world, integration_id, a_channel_order())
    async with world.caller(tenant="rival") as rival:
        assert (await rival.get(f"/orders/{order_id}/timeline")).status_code == 404
