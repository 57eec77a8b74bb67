from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.api.seeds import hold_order, store_listings, store_orders
from tests.factories import a_channel_listing, a_channel_order, an_order_line, order_content

from channel_sync.domain.money import Money
from channel_sync.domain.orders import OrderState

pytestmark = pytest.mark.every_store

PERSONAL = ("Ada Example", "1 Sample Street", "BS1 1AA", "GB123")


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


async def test_an_order_is_shown_as_the_contract_says(world, admin, integration_id):
    line = an_order_line(unit_price=Money(Decimal("1E+2"), "GBP"), quantity=3)
    order = a_channel_order(content=order_content(lines=(line,)))
    order_id = (await store_orders(world, integration_id, order))[0]
    shown = (await admin.get(f"/orders/{order_id}")).json()
    assert shown["integration_id"] == integration_id
    assert shown["lines"][0]["unit_price"] == {"amount": "100", "currency": "GBP"}
    assert shown["totals"]["customer_paid"] == {"amount": "10.00", "currency": "GBP"}
    assert shown["fulfilment"]["tracking"][0]["carrier"] == "Royal Mail"
    assert shown["refunds"][0]["amount"] == {"amount": "1.10", "currency": "GBP"}
    assert shown["shipping_address"]["name"] == "Ada Example"
    assert shown["tax"] == {"vat": "GB123"}
    assert (shown["currency"], shown["currency_defaulted"], shown["version"]) == ("GBP", False, 1)


async def test_a_line_names_its_listing_once_the_catalogue_has_it(world, admin, integration_id):
    line = an_order_line(channel_listing_id="variation-7")
    order = a_channel_order(content=order_content(lines=(line,)))
    order_id = (await store_orders(world, integration_id, order))[0]
    (before,) = (await admin.get(f"/orders/{order_id}")).json()["lines"]
    (listing_id,) = await store_listings(world, integration_id, a_channel_listing(variation_id="variation-7"))
    (after,) = (await admin.get("/orders")).json()["items"][0]["lines"]
    assert (before["listing_id"], before["channel_listing_id"]) == (None, "variation-7")
    assert (after["listing_id"], after["channel_listing_id"]) == (listing_id, "variation-7")


async def test_a_line_names_the_sku_that_its_listing_was_mapped_to(world, admin, integration_id):
    (listing_id,) = await store_listings(world, integration_id, a_channel_listing(variation_id="variation-7"))
    await admin.put(f"/listings/{listing_id}/mapping", json={"sku": "OURS"})
    sold = order_content(lines=(an_order_line(channel_listing_id="variation-7"),))
    (order_id,) = await store_orders(world, integration_id, a_channel_order(content=sold))
    await admin.put(f"/listings/{listing_id}/mapping", json={"sku": None})

    (line,) = (await admin.get(f"/orders/{order_id}")).json()["lines"]

    assert (line["sku"], line["mapped_sku"], line["listing_id"]) == ("MUG-BLUE", "OURS", listing_id)


async def test_a_line_of_an_open_order_names_the_sku_that_its_listing_is_mapped_to_later(
    world, admin, integration_id
):
    sold = order_content(lines=(an_order_line(channel_listing_id="variation-7"),))
    (order_id,) = await store_orders(world, integration_id, a_channel_order(content=sold))
    (listing_id,) = await store_listings(world, integration_id, a_channel_listing(variation_id="variation-7"))

    await admin.put(f"/listings/{listing_id}/mapping", json={"sku": "OURS"})

    shown = (await admin.get(f"/orders/{order_id}")).json()
    assert ([line["mapped_sku"] for line in shown["lines"]], shown["version"]) == (["OURS"], 1)


async def test_a_listing_of_another_tenant_is_not_named(world, admin, integration_id):
    async with world.caller(tenant="rival") as rival:
        theirs = str((await world.connect(rival, "m2"))["id"])
    await store_listings(world, theirs, a_channel_listing(variation_id="variation-7"))
    line = an_order_line(channel_listing_id="variation-7")
    await store_orders(world, integration_id, a_channel_order(content=order_content(lines=(line,))))
    assert (await admin.get("/orders")).json()["items"][0]["lines"][0]["listing_id"] is None


async def test_an_order_without_a_currency_gets_the_default_and_says_so(world, admin, integration_id):
    order_id = (await store_orders(world, integration_id, a_channel_order(currency=None)))[0]
    shown = (await admin.get(f"/orders/{order_id}")).json()
    assert (shown["currency"], shown["currency_defaulted"]) == ("GBP", True)


async def test_the_buyer_shows_only_with_its_own_scope(world, integration_id):
    order_id = (await store_orders(world, integration_id, a_channel_order()))[0]
    async with world.caller("orders:read") as plain, world.caller("orders:read", "pii:read") as personal:
        for place in ("/orders", f"/orders/{order_id}"):
            hidden, shown = (await plain.get(place)).text, (await personal.get(place)).text
            assert not [value for value in PERSONAL if value in hidden]
            assert "shipping_address" not in hidden
            assert all(value in shown for value in PERSONAL)


async def test_the_feed_goes_on_after_its_last_page_and_brings_changed_orders_again(world, admin, integration_id):
    order = a_channel_order()
    order_id = (await store_orders(world, integration_id, order))[0]
    cursor = (await admin.get("/orders")).json()["next_cursor"]
    empty = (await admin.get("/orders", params={"cursor": cursor})).json()
    assert empty == {"items": [], "next_cursor": None}
    shipped = replace(order, state=OrderState.SHIPPED, updated_at=order.updated_at + timedelta(seconds=1))
    await store_orders(world, integration_id, shipped)
    items = (await admin.get("/orders", params={"cursor": cursor})).json()["items"]
    assert [(item["id"], item["state"], item["version"]) for item in items] == [(order_id, "shipped", 2)]


async def test_the_feed_can_be_filtered(world, admin, integration_id):
    first = a_channel_order(channel_order_id="A", transaction_id="T")
    second = a_channel_order(channel_order_id="B", state=OrderState.SHIPPED)
    first_id, _ = await store_orders(world, integration_id, first, second)
    await admin.post("/orders/acknowledge", json={"ids": [first_id]})

    async def found(query: str) -> list[str]:
        return [item["channel_order_id"] for item in (await admin.get(f"/orders?{query}")).json()["items"]]

    assert await found("channel_order_id=A") == ["A"]
    assert await found("transaction_id=T") == ["A"]
    assert await found("state=shipped") == ["B"]
    assert await found("acknowledged=true") == ["A"]
    assert await found("acknowledged=false") == ["B"]
    assert await found(f"integration_id={integration_id}") == ["A", "B"]
    assert await found("integration_id=int_other") == []
    assert await found("updated_after=2999-01-01T00:00:00Z") == []


async def test_acknowledging_is_idempotent_and_names_what_it_knew(world, admin, integration_id):
    order_id = (await store_orders(world, integration_id, a_channel_order()))[0]
    for _ in range(2):
        answer = await admin.post("/orders/acknowledge", json={"ids": [order_id, "ord_unknown"]})
        assert answer.json() == {"acknowledged": [order_id], "changed": []}
    assert (await admin.get(f"/orders/{order_id}")).json()["acknowledged_at"] is not None


async def test_an_order_that_changes_after_its_receipt_is_offered_again(world, admin, integration_id):
    order = a_channel_order()
    order_id = (await store_orders(world, integration_id, order))[0]
    await admin.post("/orders/acknowledge", json={"ids": [order_id]})
    refunded = replace(order, state=OrderState.REFUNDED, updated_at=order.updated_at + timedelta(seconds=1))
    await store_orders(world, integration_id, refunded)
    [again] = (await admin.get("/orders", params={"acknowledged": "false"})).json()["items"]
    assert (again["id"], again["state"], again["version"]) == (order_id, "refunded", 2)
    assert (again["acknowledged_at"], again["acknowledged_version"]) == (None, 1)
    late = await admin.post("/orders/acknowledge", json={"orders": [{"id": order_id, "version": 1}]})
    assert late.json() == {"acknowledged": [], "changed": [order_id]}
    read = await admin.post("/orders/acknowledge", json={"orders": [{"id": order_id, "version": 2}]})
    assert read.json() == {"acknowledged": [order_id], "changed": []}
    assert (await admin.get("/orders", params={"acknowledged": "false"})).json()["items"] == []


async def test_a_replayed_order_is_unacknowledged_again(world, admin, integration_id):
    order = a_channel_order(channel_order_id="H")
    order_id = (await store_orders(world, integration_id, order))[0]
    await admin.post("/orders/acknowledge", json={"ids": [order_id]})
    held_id = await hold_order(world, integration_id, "H")
    newer = replace(order, state=OrderState.SHIPPED, updated_at=order.updated_at + timedelta(seconds=1))
    world.channel.merchants["m1"].place(newer)
    replayed = (await admin.post(f"/orders/held/{held_id}/replay")).json()
    assert replayed["order"]["acknowledged_at"] is None
    [again] = (await admin.get("/orders", params={"acknowledged": "false"})).json()["items"]
    assert again["id"] == order_id


@pytest.mark.parametrize("ids", [[], ["x"] * 501, "ord_1", [1], [""]])
async def test_too_many_or_odd_ids_are_422(admin, ids):
    assert (await admin.post("/orders/acknowledge", json={"ids": ids})).status_code == 422


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"orders": []},
        {"ids": ["ord_1"], "orders": [{"id": "ord_1", "version": 1}]},
        {"orders": [{"id": "ord_1", "version": 0}]},
        {"orders": [{"id": "ord_1", "version": 2**31}]},
        {"orders": [{"id": "ord_1"}]},
    ],
)
async def test_a_receipt_names_either_orders_or_their_versions(admin, given):
    assert (await admin.post("/orders/acknowledge", json=given)).status_code == 422


async def test_erasing_takes_the_buyer_and_leaves_the_money(world, admin, integration_id):
    order_id = (await store_orders(world, integration_id, a_channel_order()))[0]
    assert (await admin.post("/orders/erase", json={"ids": [order_id]})).json()["erased"] == 1
    erased = await admin.get(f"/orders/{order_id}")
    assert not [value for value in PERSONAL if value in erased.text]
    assert erased.json()["erased"] is True
    assert erased.json()["totals"]["customer_paid"]["amount"] == "10.00"


async def test_a_held_order_that_can_be_read_by_now_becomes_an_order(world, admin, integration_id):
    held_id = await hold_order(world, integration_id, "H")
    world.channel.merchants["m1"].place(a_channel_order(channel_order_id="H"))
    replayed = (await admin.post(f"/orders/held/{held_id}/replay")).json()
    assert (replayed["held"], replayed["order"]["channel_order_id"]) == (None, "H")
    assert (await admin.get("/orders/held")).json()["items"] == []


async def test_a_held_order_that_still_cannot_be_read_stays(world, admin, integration_id):
    held_id = await hold_order(world, integration_id, "H")
    broken = (await admin.get("/orders/held")).json()["items"][0]
    assert (broken["reason"], broken["channel_request_id"]) == ("wrong_type", "request-1")
    await admin.put(f"/integrations/{integration_id}/status", json={"enabled": False})
    answer = await admin.post(f"/orders/held/{held_id}/replay")
    assert (answer.status_code, answer.json()["code"]) == (409, "integration_disabled")


async def test_what_holds_one_order_can_be_asked_for(world, admin, integration_id):
    held_id = await hold_order(world, integration_id, "H1")
    await hold_order(world, integration_id, "H2")
    found = (await admin.get("/orders/held?channel_order_id=H1")).json()
    assert [held["id"] for held in found["items"]] == [held_id]
    assert (await admin.get("/orders/held?channel_order_id=H")).json()["items"] == []
