from datetime import timedelta

import pytest
import time_machine
from msgspec.structs import replace
from tests.api.seeds import store_orders
from tests.factories import an_address
from tests.fake_channel import SCOPES
from tests.flows.order_changes.change_steps import an_open_order

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelUnavailable

pytestmark = pytest.mark.every_store

PARCEL = {"carrier": "Royal Mail", "tracking_number": "RM001GB", "origin_country": "GB"}
AWAY = ChannelUnavailable("marketplace_unavailable", "Away.", did_nothing=True)
WORDS = [{"alias": "Royal Mail 48", "carrier": "Royal Mail"}, {"alias": "Van", "carrier": "UPS"}]


@pytest.fixture
async def shop(world, admin):
    """An integration that may dispatch."""
    world.channel.granted_scopes = (*SCOPES, "orders:write")
    return await world.connect(admin)


@pytest.fixture
async def order_id(world, shop):
    [order_id] = await store_orders(world, shop["id"], an_open_order())
    return order_id


async def names(admin, query=""):
    return [one["name"] for one in (await admin.get(f"/channels/wish/carriers{query}")).json()["items"]]


async def told(admin, order_id, carrier):
    """Status, and the carrier that is told, or those that are suggested."""
    answer = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL | {"carrier": carrier})
    body = answer.json()
    return answer.status_code, body["parcels"][-1]["carrier"] if "parcels" in body else body["suggestions"]


async def test_carriers_are_asked_for_once_a_day(world, admin, shop):
    assert await names(admin) == ["DHL Express", "Royal Mail", "UPS", "USPS"]
    world.channel.merchants["m1"].carriers = ("Royal Mail",)
    assert len(await names(admin)) == 4
    assert world.channel.calls["carriers"] == 1

    with time_machine.travel(utcnow() + timedelta(hours=25), tick=True):
        assert await names(admin) == ["Royal Mail"]


async def test_a_country_has_a_list_of_its_own(world, admin, shop):
    world.channel.merchants["m1"].confirming = {"GB": ("Royal Mail",), "US": ("USPS",)}

    assert await names(admin, "?country=GB") == ["Royal Mail"]
    assert await names(admin, "?country=US") == ["USPS"]
    assert len(await names(admin)) == 4


async def test_an_old_list_is_better_than_none(world, admin, shop):
    await names(admin)
    world.channel.break_down("carriers", AWAY)

    with time_machine.travel(utcnow() + timedelta(hours=25), tick=True):
        assert len(await names(admin)) == 4


async def test_a_marketplace_that_is_away_and_was_never_asked_says_so(world, admin, shop):
    world.channel.break_down("carriers", AWAY)
    answer = await admin.get("/channels/wish/carriers")
    assert (answer.status_code, answer.json()["code"]) == (503, "marketplace_unavailable")


async def test_without_a_shop_nobody_can_be_asked(admin):
    answer = await admin.get("/channels/wish/carriers")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_connected")
    assert (await admin.get("/channels/nowhere/carriers")).status_code == 404


async def test_another_tenants_shop_is_not_asked_through(world, shop):
    async with world.caller(tenant="umbrella") as other:
        answer = await other.get(f"/channels/wish/carriers?integration_id={shop['id']}")
    assert answer.status_code == 404


async def test_a_carrier_is_told_by_the_marketplaces_name(admin, order_id):
    assert await told(admin, order_id, "royal  MAIL") == (202, "Royal Mail")


async def test_a_carrier_that_is_none_is_refused_with_what_may_have_been_meant(world, admin, order_id):
    answer = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL | {"carrier": "Royal Mail 48"})

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "unknown_carrier")
    assert problem["errors"][0]["pointer"] == "/carrier"
    assert problem["suggestions"] == ["Royal Mail"]
    assert "48" not in answer.text


async def test_a_word_of_the_tenants_is_told_as_the_marketplaces_name(admin, order_id):
    await admin.put("/channels/wish/carrier-aliases", json={"items": WORDS})
    assert await told(admin, order_id, "ROYAL MAIL 48") == (202, "Royal Mail")


async def test_a_carrier_that_came_since_the_list_was_read_is_found(world, admin, order_id):
    await names(admin)
    world.channel.merchants["m1"].carriers = ("Royal Mail", "Evri")
    assert await told(admin, order_id, "Evri") == (422, [])

    with time_machine.travel(utcnow() + timedelta(minutes=11), tick=True):
        assert await told(admin, order_id, "Evri") == (202, "Evri")


async def test_a_marketplace_that_cannot_be_asked_is_told_what_was_given(world, admin, order_id):
    await admin.put("/channels/wish/carrier-aliases", json={"items": WORDS})
    world.channel.break_down("carriers", AWAY)

    assert await told(admin, order_id, "Evri") == (202, "Evri")
    assert await told(admin, order_id, "van") == (202, "UPS")


async def test_an_order_whose_delivery_is_confirmed_goes_by_a_carrier_of_its_country(world, admin, shop):
    world.channel.merchants["m1"].confirming = {"FR": ("UPS",)}
    order = an_open_order(2, address=an_address(country_code="FR"))
    confirmed = replace(order, content=replace(order.content, confirms_delivery=True))
    [order_id] = await store_orders(world, shop["id"], confirmed)

    assert await told(admin, order_id, "Royal Mail") == (422, [])
    assert await told(admin, order_id, "ups") == (202, "UPS")


async def test_words_are_kept_apart_by_tenant_and_replaced_as_a_whole(world, admin):
    assert (await admin.get("/channels/wish/carrier-aliases")).json() == {"items": [], "next_cursor": None}
    kept = await admin.put("/channels/wish/carrier-aliases", json={"items": WORDS})
    assert kept.json() == {"items": WORDS, "next_cursor": None}
    async with world.caller(tenant="umbrella") as other:
        assert (await other.get("/channels/wish/carrier-aliases")).json()["items"] == []

    again = [{"alias": "van", "carrier": "UPS"}, {"alias": "VAN", "carrier": "USPS"}]
    await admin.put("/channels/wish/carrier-aliases", json={"items": again})

    assert (await admin.get("/channels/wish/carrier-aliases")).json()["items"] == again[1:]


async def test_a_reader_sees_words_and_sets_none(world):
    async with world.caller("orders:read") as reader:
        assert (await reader.get("/channels/wish/carrier-aliases")).status_code == 200
        assert (await reader.put("/channels/wish/carrier-aliases", json={"items": []})).status_code == 403
