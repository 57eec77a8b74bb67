"""Only what is to be shipped: asked for, or what a key was made to see."""

from typing import Any

import pytest
from tests.api.seeds import store_orders
from tests.factories import a_channel_order, order_content

from channel_sync.domain.orders import OrderState

pytestmark = pytest.mark.every_store

TO_SHIP = {"state": "approved", "fulfilment": "merchant"}


@pytest.fixture
async def orders(world, admin) -> None:
    """An order of each kind: `mine` is to be shipped, `theirs` by somebody else, and `gone` is shipped."""
    integration_id = str((await world.connect(admin))["id"])
    trap = order_content(fulfilled_by="wish")
    await store_orders(
        world,
        integration_id,
        a_channel_order(channel_order_id="mine"),
        a_channel_order(channel_order_id="theirs", state_raw='"fulfilled_by":"merchant"', content=trap),
        a_channel_order(channel_order_id="gone", state=OrderState.SHIPPED),
    )


async def found(caller: Any, **query: str) -> list[str]:
    answer = await caller.get("/orders", params=query)
    assert answer.status_code == 200, answer.text
    return [order["channel_order_id"] for order in answer.json()["items"]]


async def key_with(world, admin, **order_filter: str) -> Any:
    """A client with a new key that has the filter."""
    new = {"name": "Shipping", "scopes": ["orders:read"], "order_filter": order_filter}
    made = await admin.post("/api-keys", json=new)
    assert made.status_code == 201, made.text
    client = world.browser()
    client.headers["Authorization"] = f"Bearer {made.json()['key']}"
    return client


async def test_what_is_to_be_shipped_can_be_asked_for(orders, admin):
    assert await found(admin, **TO_SHIP) == ["mine"]
    assert await found(admin, state="approved", fulfilment="other") == ["theirs"]
    assert await found(admin, state="in_review", fulfilment="merchant") == []


@pytest.mark.parametrize("query", [{"fulfilment": "merchant"}, {"fulfilment": "other", "state": "shipped"}])
async def test_who_ships_is_asked_of_open_orders_only(orders, admin, query):
    answer = await admin.get("/orders", params=query)

    assert (answer.status_code, answer.json()["code"]) == (422, "needs_open_state")
    assert answer.json()["errors"][0]["parameter"] == "fulfilment"


async def test_a_key_sees_by_default_what_it_was_made_to_see(orders, world, admin):
    shipping = await key_with(world, admin, **TO_SHIP)

    assert await found(shipping) == ["mine"]
    assert await found(shipping, acknowledged="true") == []
    assert await found(shipping, state="shipped") == ["gone"]
    assert await found(shipping, saved_filter="false") == ["mine", "theirs", "gone"]
    assert await found(admin) == ["mine", "theirs", "gone"]


async def test_the_list_of_keys_shows_what_each_is_made_to_see(world, admin):
    await key_with(world, admin, state="approved")

    keys = (await admin.get("/api-keys")).json()["items"]

    assert [key["order_filter"] for key in keys] == [None, {"state": "approved", "fulfilment": None}]


async def test_a_key_cannot_be_made_to_see_what_cannot_be_asked_for(admin):
    new = {"name": "Odd", "scopes": ["orders:read"], "order_filter": {"fulfilment": "merchant"}}

    refused = await admin.post("/api-keys", json=new)

    assert (refused.status_code, refused.json()["code"]) == (422, "needs_open_state")
    assert refused.json()["errors"][0]["pointer"] == "/order_filter/fulfilment"


async def test_a_cursor_belongs_to_what_the_key_sees(orders, world, admin):
    shipping = await key_with(world, admin, **TO_SHIP)
    seen = (await shipping.get("/orders")).json()["next_cursor"]

    assert (await shipping.get("/orders", params={"cursor": seen})).json()["items"] == []
    assert (await shipping.get("/orders", params={"cursor": seen, **TO_SHIP})).status_code == 200
    refused = await shipping.get("/orders", params={"cursor": seen, "saved_filter": "false"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")


async def test_a_cursor_from_before_there_were_these_filters_is_still_good(orders, admin):
    kept = "WyJkZWQ0ZGI5MWZhM2ZiZTRmNmYiLDJd"

    assert (await admin.get("/orders", params={"limit": "2"})).json()["next_cursor"] == kept
    assert await found(admin, cursor=kept) == ["gone"]
