"""An access request: all that is kept of a buyer, and nobody else's."""

import pytest
from tests.api.seeds import hold_order, store_orders
from tests.factories import a_channel_order

pytestmark = pytest.mark.every_store

RAW = b'{"id": "o1", "name": "Ada Example"}'


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


async def test_orders_and_held_ones_are_shown_with_all_that_is_kept_of_them(world, admin, integration_id):
    order = a_channel_order(channel_order_id="o1", raw=RAW)
    order_id, _ = await store_orders(world, integration_id, order, a_channel_order())
    held_id = await hold_order(world, integration_id, "o2")

    by_ours = await admin.post("/orders/disclose", json={"ids": [order_id, held_id, "ord_none", "hld_none"]})
    by_theirs = await admin.post("/orders/disclose", json={"channel_order_ids": ["o1", "o2", "none"]})

    assert by_ours.status_code == 200, by_ours.text
    assert by_ours.json() == by_theirs.json()
    [disclosed], [held] = by_ours.json()["orders"], by_ours.json()["held_orders"]
    assert (disclosed["order"]["id"], disclosed["reply"]) == (order_id, RAW.decode())
    assert disclosed["order"]["shipping_address"]["name"] == "Ada Example"
    assert disclosed["order"]["tax"] == {"vat": "GB123"}
    assert (held["held"]["id"], held["reply"]) == (held_id, '{"id":"bad"}')


async def test_what_was_erased_is_disclosed_to_nobody(world, admin, integration_id):
    (order_id,) = await store_orders(world, integration_id, a_channel_order(raw=RAW))
    held_id = await hold_order(world, integration_id, "o2")
    await admin.post("/orders/erase", json={"ids": [order_id, held_id]})

    left = (await admin.post("/orders/disclose", json={"ids": [order_id, held_id]})).json()

    assert [one["reply"] for one in (*left["orders"], *left["held_orders"])] == [None, None]
    assert left["orders"][0]["order"]["shipping_address"] is None


async def test_only_an_administrator_of_the_tenant_is_shown_it(world, admin, integration_id):
    (order_id,) = await store_orders(world, integration_id, a_channel_order())
    given = {"ids": [order_id]}
    async with world.caller("orders:read", "pii:read") as reader, world.caller(tenant="rival") as rival:
        assert (await reader.post("/orders/disclose", json=given)).status_code == 403
        assert (await rival.post("/orders/disclose", json=given)).json() == {"orders": [], "held_orders": []}


@pytest.mark.parametrize("given", [{}, {"ids": []}, {"ids": ["x"] * 51}, {"ids": [""]}])
async def test_none_or_too_many_at_once_are_422(admin, given):
    assert (await admin.post("/orders/disclose", json=given)).status_code == 422
