import pytest
from tests.api.seeds import store_orders
from tests.factories import NOW, a_channel_order, later

from channel_sync.domain.orders import OrderState

pytestmark = pytest.mark.every_store


async def test_the_feed_has_what_is_to_be_shipped_by_a_moment(world, admin):
    shop = await world.connect(admin)
    first, _, _, _ = await store_orders(
        world,
        shop["id"],
        a_channel_order(ship_by=later(3600)),
        a_channel_order(ship_by=later(7201)),
        a_channel_order(ship_by=later(60), state=OrderState.SHIPPED, state_raw="SHIPPED"),
        a_channel_order(ship_by=None),
    )
    by = {"ship_by_before": later(7200).isoformat()}

    found = (await admin.get("/orders", params=by)).json()
    assert [one["id"] for one in found["items"]] == [first]
    both = by | {"integration_id": shop["id"], "limit": "1"}
    assert [one["id"] for one in (await admin.get("/orders", params=both)).json()["items"]] == [first]
    after = by | {"cursor": found["next_cursor"]}
    assert (await admin.get("/orders", params=after)).json()["items"] == []
    assert (await admin.get("/orders", params={"ship_by_before": NOW.isoformat()})).json()["items"] == []


async def test_a_cursor_of_the_feed_is_none_of_what_is_to_be_shipped(world, admin):
    shop = await world.connect(admin)
    await store_orders(world, shop["id"], a_channel_order())
    cursor = (await admin.get("/orders")).json()["next_cursor"]
    answer = await admin.get("/orders", params={"ship_by_before": NOW.isoformat(), "cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


async def test_a_tenant_says_how_early_it_is_told(world, admin):
    place = "/settings/ship-by-notice"
    assert (await admin.get(place)).json() == {"notice_h": 24, "own": False}
    assert (await admin.put(place, json={"notice_h": 48})).json() == {"notice_h": 48, "own": True}
    async with world.caller(tenant="umbrella") as other:
        assert (await other.get(place)).json() == {"notice_h": 24, "own": False}
    assert (await admin.put(place, json={"notice_h": 0})).json() == {"notice_h": 0, "own": True}
    assert (await admin.put(place, json={"notice_h": None})).json() == {"notice_h": 24, "own": False}


@pytest.mark.parametrize("hours", [-1, 337, 1.5, "24"])
async def test_a_time_out_of_range_is_refused(admin, hours):
    assert (await admin.put("/settings/ship-by-notice", json={"notice_h": hours})).status_code == 422
