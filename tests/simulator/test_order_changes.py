"""Tracking, refund and address: accepted now, settled later."""

from typing import Any

import pytest
from tests.simulator.simulated import Simulated

DAY_MS = 24 * 3600 * 1000
TRACKING = {"shipping_provider": "USPS", "tracking_number": "AB123", "origin_country": "US"}
ADDRESS = {
    "street_address1": "2 New Road",
    "city": "Rome",
    "state": "RM",
    "zipcode": "00100",
    "country_code": "IT",
}


async def changed(wish: Simulated, order_id: str, what: str, body: Any) -> Any:
    answer = await wish.put(f"/orders/{order_id}/{what}", body)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def refused(wish: Simulated, order_id: str, what: str, body: Any) -> int:
    answer = await wish.put(f"/orders/{order_id}/{what}", body)
    assert answer.status_code == 400
    code: int = answer.json()["code"]
    return code


async def test_tracking_is_in_progress_first_and_shipped_later(wish: Simulated) -> None:
    (row,) = wish.place()
    order = await changed(wish, row.id, "tracking", TRACKING)
    assert (order["state"], order["processing_source"]) == ("APPROVED", "UPDATE_TRACKING")
    assert order["processing_status"] == "IN_PROGRESS"
    wish.wait(2)
    settled = await wish.read(f"/orders/{row.id}")
    assert (settled["state"], settled["processing_status"]) == ("SHIPPED", "SUCCEEDED")
    assert settled["tracking_information"][0]["tracking_number"] == "AB123"


async def test_the_request_and_the_settling_each_move_updated_at(wish: Simulated) -> None:
    (row,) = wish.place(first_ms=0)
    asked = await changed(wish, row.id, "tracking", TRACKING)
    wish.wait(60)
    settled = await wish.read(f"/orders/{row.id}")
    assert "1970" < asked["updated_at"] < settled["updated_at"]


async def test_a_change_settles_at_its_time_however_late_somebody_looks(wish: Simulated) -> None:
    (row,) = wish.place()
    asked = await changed(wish, row.id, "tracking", TRACKING)
    wish.wait(3600)
    settled = await wish.read("/orders", updated_at_max=asked["updated_at"][:-4] + "999Z")
    assert len(settled) <= 1
    assert row.updated_ms - wish.market.clock.now_ms() < -3_000_000


async def test_a_change_that_fails_leaves_the_order_as_it_was(wish: Simulated) -> None:
    wish.market.switches.change({"settle_outcome": "FAILED"})
    (row,) = wish.place()
    await changed(wish, row.id, "tracking", TRACKING)
    wish.wait(2)
    order = await wish.read(f"/orders/{row.id}")
    assert (order["state"], order["processing_status"]) == ("APPROVED", "FAILED")


async def test_tracking_is_corrected_by_the_same_call_and_two_entries_stay(wish: Simulated) -> None:
    (row,) = wish.place()
    for number in ("A1", "A2", "A3"):
        await changed(wish, row.id, "tracking", {**TRACKING, "tracking_number": number})
        wish.wait(2)
        wish.market.catch_up()
    tracking = (await wish.read(f"/orders/{row.id}"))["tracking_information"]
    assert [one["tracking_number"] for one in tracking] == ["A3", "A2"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"shipping_provider": "Pigeon"},
        {"tracking_number": "has space"},
        {"tracking_number": ""},
        {"origin_country": "USA"},
        {"ship_note": ""},
    ],
)
async def test_wrong_tracking_is_refused(wish: Simulated, wrong: dict[str, str]) -> None:
    (row,) = wish.place()
    assert await refused(wish, row.id, "tracking", {**TRACKING, **wrong}) == 90001


@pytest.mark.parametrize("state", ["REQUIRE_REVIEW", "REFUNDED", "DECLINED"])
async def test_only_approved_and_shipped_orders_take_tracking(wish: Simulated, state: str) -> None:
    (row,) = wish.place(state=state)
    assert await refused(wish, row.id, "tracking", TRACKING) == 90001


async def test_one_change_runs_at_a_time(wish: Simulated) -> None:
    (row,) = wish.place()
    await changed(wish, row.id, "tracking", TRACKING)
    assert await refused(wish, row.id, "address", ADDRESS) == 90001


async def test_a_refund_of_an_unshipped_order_cancels_it(wish: Simulated) -> None:
    (row,) = wish.place()
    await changed(wish, row.id, "refund", {"refund_reason": "MERCHANT_OUT_OF_STOCK", "refund_reason_note": "gone"})
    wish.wait(2)
    order = await wish.read(f"/orders/{row.id}")
    assert order["state"] == "REFUNDED"
    assert order["refunds"][0]["refund_reason_note"] == "gone"


async def test_the_allowed_refund_reasons_change_with_the_state(wish: Simulated) -> None:
    (waiting,), (shipped,), (gone,) = wish.place(), wish.place(state="SHIPPED"), wish.place(state="REFUNDED")
    reasons = [await wish.read(f"/orders/{row.id}/refund_reasons") for row in (waiting, shipped, gone)]
    assert "UNABLE_TO_SHIP" in reasons[0]
    assert "UNABLE_TO_SHIP" not in reasons[1]
    assert "WRONG_COLOR" in reasons[1]
    assert reasons[2] == []


async def test_a_reason_that_is_not_allowed_now_is_refused(wish: Simulated) -> None:
    (row,) = wish.place()
    assert await refused(wish, row.id, "refund", {"refund_reason": "WRONG_COLOR"}) == 90001


async def test_a_new_address_replaces_what_it_names(wish: Simulated) -> None:
    (row,) = wish.place()
    await changed(wish, row.id, "address", ADDRESS)
    wish.wait(2)
    detail = (await wish.read(f"/orders/{row.id}"))["full_address"]["shipping_detail"]
    assert (detail["city"], detail["name"]) == ("Rome", f"Sample Customer {row.arrival}")


async def test_the_address_of_a_shipped_order_stays(wish: Simulated) -> None:
    (row,) = wish.place(state="SHIPPED")
    assert await refused(wish, row.id, "address", ADDRESS) == 90001


async def test_an_address_without_a_zipcode_is_refused(wish: Simulated) -> None:
    (row,) = wish.place()
    assert await refused(wish, row.id, "address", {**ADDRESS, "zipcode": ""}) == 90001


async def a_heavy_order(wish: Simulated, days_ago: int = 0) -> str:
    shipped_ms = wish.market.clock.now_ms() - days_ago * DAY_MS
    (row,) = wish.place(state="SHIPPED", first_ms=shipped_ms)
    await wish.control(f"/orders/{row.id}", {"fulfillment_order_types": ["LESS_THAN_TRUCKLOAD"]}, "PATCH")
    return row.id


async def test_a_truckload_proof_is_taken_at_once(wish: Simulated) -> None:
    order_id = await a_heavy_order(wish)
    answer = await wish.put(f"/orders/{order_id}", {"delivered_at": "2026-07-02T08:00:00.000Z"})
    assert answer.json()["data"]["fulfillment_records"][-1]["event_type"] == "CONFIRMED_DELIVERED"


async def test_a_proof_after_ninety_days_is_refused(wish: Simulated) -> None:
    late, in_time = await a_heavy_order(wish, days_ago=91), await a_heavy_order(wish, days_ago=89)
    assert (await wish.put(f"/orders/{late}", {})).json()["code"] == 90001
    assert (await wish.put(f"/orders/{in_time}", {})).json()["code"] == 0


async def test_an_ordinary_order_takes_no_proof(wish: Simulated) -> None:
    (row,) = wish.place(state="SHIPPED")
    assert (await wish.put(f"/orders/{row.id}", {})).json()["code"] == 90001


async def test_carriers_that_confirm_delivery_are_fewer_and_need_a_country(wish: Simulated) -> None:
    every = await wish.read("/orders/shipping_carriers", order_type="GENERAL")
    some = await wish.read("/orders/shipping_carriers", order_type="CONFIRMED_DELIVERY", dest_country_code="US")
    assert 0 < len(some) < len(every)
    for query in ({}, {"order_type": "CONFIRMED_DELIVERY"}, {"order_type": "ALL"}):
        assert (await wish.get("/orders/shipping_carriers", **query)).json()["code"] == 90001


async def test_an_order_whose_delivery_is_confirmed_takes_only_carriers_that_do(wish: Simulated) -> None:
    rows = wish.place(count=8)
    confirmed = next(row for row in rows if "CONFIRMED_DELIVERY_POLICY" in row.types)
    other = next(row for row in rows if row.types == ())
    post = TRACKING | {"shipping_provider": "Royal Mail"}

    assert await refused(wish, confirmed.id, "tracking", post) == 90001
    await changed(wish, confirmed.id, "tracking", TRACKING)
    await changed(wish, other.id, "tracking", post)
