import pytest
from tests.api.seeds import store_orders
from tests.fake_channel import SCOPES
from tests.flows.order_changes.change_steps import an_open_order

from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.orders import OrderState

REASON = {"reason": "UNABLE_TO_SHIP"}


@pytest.fixture
async def shop(world, admin):
    """An integration that may refund."""
    world.channel.granted_scopes = (*SCOPES, "orders:write")
    return await world.connect(admin)


@pytest.fixture
async def order_id(world, shop):
    [order_id] = await store_orders(world, shop["id"], an_open_order())
    return order_id


async def test_the_reasons_are_those_of_the_marketplace_now(world, admin, order_id):
    world.channel.merchants["m1"].reasons = ("WRONG_COLOR",)
    answer = await admin.get(f"/orders/{order_id}/refund-reasons")
    assert answer.json() == {"items": [{"reason": "WRONG_COLOR"}], "next_cursor": None}


async def test_a_refund_is_taken_and_shows_on_the_order(admin, order_id):
    answer = await admin.post(f"/orders/{order_id}/refund", json=REASON)

    assert (answer.status_code, answer.headers["location"]) == (202, f"/orders/{order_id}")
    refund = answer.json()
    assert (refund["state"], refund["code"], refund["reason"]) == ("pending", "queued", "UNABLE_TO_SHIP")
    order = (await admin.get(f"/orders/{order_id}")).json()
    assert (order["refund_request"], order["dispatch"]) == (refund, None)
    assert (await admin.post(f"/orders/{order_id}/refund", json=REASON)).json() == refund


async def test_another_refund_of_the_order_is_refused(admin, order_id):
    await admin.post(f"/orders/{order_id}/refund", json=REASON)
    again = await admin.post(f"/orders/{order_id}/refund", json={"reason": "MERCHANT_OUT_OF_STOCK"})
    assert (again.status_code, again.json()["code"]) == (409, "refund_requested")


async def test_an_order_that_is_refunded_is_not_refunded_again(world, admin, shop):
    refunded = an_open_order(2, state=OrderState.REFUNDED, state_raw="REFUNDED")
    [order_id] = await store_orders(world, shop["id"], refunded)
    answer = await admin.post(f"/orders/{order_id}/refund", json=REASON)
    assert (answer.status_code, answer.json()["code"]) == (409, "refund_requested")


async def test_a_reason_that_is_not_allowed_is_refused(admin, order_id):
    answer = await admin.post(f"/orders/{order_id}/refund", json={"reason": "BECAUSE"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "refund_reason_not_allowed")
    assert problem["errors"][0]["pointer"] == "/reason"
    assert "BECAUSE" not in answer.text


async def test_a_marketplace_that_is_away_says_when_to_come_back(world, admin, order_id):
    world.channel.fail(
        "refund_reasons", ChannelUnavailable("marketplace_unavailable", "Away.", 7, did_nothing=True)
    )
    answer = await admin.post(f"/orders/{order_id}/refund", json=REASON)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


async def test_a_refund_needs_the_scope_and_the_reasons_do_not(world, admin):
    shop = await world.connect(admin)
    [order_id] = await store_orders(world, shop["id"], an_open_order())
    answer = await admin.post(f"/orders/{order_id}/refund", json=REASON)
    assert (answer.status_code, answer.json()["code"]) == (409, "grant_lacks_scope")
    assert (await admin.get(f"/orders/{order_id}/refund-reasons")).status_code == 200


async def test_an_order_of_others_is_no_order(world, order_id):
    async with world.caller(tenant="umbrella") as other:
        assert (await other.post(f"/orders/{order_id}/refund", json=REASON)).status_code == 404
        assert (await other.get(f"/orders/{order_id}/refund-reasons")).status_code == 404
