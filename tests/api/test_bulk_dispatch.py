import pytest
from tests.api.seeds import store_orders
from tests.factories import a_channel_order, order_content
from tests.fake_channel import SCOPES
from tests.flows.order_changes.change_steps import an_open_order

from channel_sync.domain.orders import OrderState

pytestmark = pytest.mark.every_store

PARCEL = {"carrier": "Royal Mail", "tracking_number": "RM001GB", "origin_country": "GB"}


@pytest.fixture
async def shop(world, admin):
    """An integration that may dispatch."""
    world.channel.granted_scopes = (*SCOPES, "orders:write")
    return await world.connect(admin)


async def post(admin, *items):
    answer = await admin.post("/orders/dispatch", json={"items": list(items)})
    assert answer.status_code == 202
    return answer.json()["items"]


def item(order_id, **changes):
    return {"order_id": order_id} | PARCEL | changes


async def test_each_item_has_a_result_and_a_refused_one_stops_no_other(world, admin, shop):
    good, other, closed, theirs = await store_orders(
        world,
        shop["id"],
        an_open_order(1),
        an_open_order(2),
        an_open_order(3, state=OrderState.DECLINED, state_raw="DECLINED"),
        a_channel_order(channel_order_id="co-4", content=order_content(fulfilled_by="wish")),
    )
    results = await post(
        admin,
        item(good),
        item(closed),
        item("ord_of_nobody"),
        item(theirs),
        item(other, carrier="Roayl Mail"),
        item(other, tracking_number="RM 1"),
        item(other, tracking_number="RM002GB"),
    )

    assert [(one["order_id"], one["result"], one["code"]) for one in results] == [
        (good, "accepted", None),
        (closed, "refused", "order_closed"),
        ("ord_of_nobody", "refused", "not_found"),
        (theirs, "refused", "fulfilled_elsewhere"),
        (other, "refused", "unknown_carrier"),
        (other, "refused", "invalid_tracking_number"),
        (other, "accepted", None),
    ]
    assert results[4]["suggestions"] == ["Royal Mail"]
    assert results[0]["dispatch"] == (await admin.get(f"/orders/{good}")).json()["dispatch"]


async def test_several_parcels_of_one_order_are_told_in_their_order(world, admin, shop):
    [order_id] = await store_orders(world, shop["id"], an_open_order())

    results = await post(admin, *[item(order_id, tracking_number=f"RM{number}") for number in (1, 2, 2, 3)])

    assert [len(one["dispatch"]["parcels"]) for one in results] == [1, 2, 2, 3]
    parcels = (await admin.get(f"/orders/{order_id}")).json()["dispatch"]["parcels"]
    assert [one["tracking_number"] for one in parcels] == ["RM1", "RM2", "RM3"]


async def test_five_hundred_go_in_one_call_and_are_asked_for_one_list(world, admin, shop):
    orders = [an_open_order(number) for number in range(500)]
    order_ids = await store_orders(world, shop["id"], *orders)

    results = await post(admin, *[item(order_id) for order_id in order_ids])
    again = await post(admin, *[item(order_id) for order_id in order_ids])

    assert {one["result"] for one in results} == {"accepted"}
    assert again == results
    assert world.channel.calls["carriers"] == 1
    more = await admin.post("/orders/dispatch", json={"items": [item(order_ids[0])] * 501})
    assert more.status_code == 422
