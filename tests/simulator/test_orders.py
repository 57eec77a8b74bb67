"""Listing and reading orders."""

from typing import Any

import pytest
from tests.simulator.simulated import Simulated

from wish_simulator.clock import parsed
from wish_simulator.order_changes import change_order, rerelease

T0 = "2026-07-01T10:00:00.000Z"
T0_MS = parsed(T0)


async def ids(wish: Simulated, **query: Any) -> list[str]:
    return [order["id"] for order in await wish.read("/orders", **query)]


async def test_the_newest_50_come_first_by_default(wish: Simulated) -> None:
    rows = wish.place(60)
    assert await ids(wish) == [row.id for row in reversed(rows)][:50]


async def test_ascending_order_starts_at_the_oldest(wish: Simulated) -> None:
    rows = wish.place(5)
    assert await ids(wish, sort_by="updated_at.asc", limit=3) == [row.id for row in rows[:3]]


async def test_a_page_holds_up_to_500(wish: Simulated) -> None:
    wish.place(510)
    assert len(await ids(wish, limit=500)) == 500


@pytest.mark.parametrize("limit", ["501", "0", "-1", "x", "1.5", ""])
async def test_any_other_limit_is_an_invalid_parameter(wish: Simulated, limit: str) -> None:
    answer = await wish.get("/orders", limit=limit)
    assert (answer.status_code, answer.json()["code"]) == (400, 90001)


async def test_both_ends_of_the_window_are_inclusive(wish: Simulated) -> None:
    rows = wish.place(5, first_ms=T0_MS, spacing_ms=1000)
    found = await ids(
        wish,
        updated_at_min="2026-07-01T10:00:01.000Z",
        updated_at_max="2026-07-01T12:00:03.000+02:00",
        sort_by="updated_at.asc",
    )
    assert found == [row.id for row in rows[1:4]]


async def test_the_window_looks_at_milliseconds(wish: Simulated) -> None:
    wish.place(1, first_ms=T0_MS + 1)
    assert await ids(wish, updated_at_max=T0) == []
    assert len(await ids(wish, updated_at_max="2026-07-01T10:00:00.001Z")) == 1


@pytest.mark.parametrize("text", ["yesterday", "2026-07-01", "2026-07-01T10:00:00", "2026-07-01T10:00:00 00:00"])
async def test_a_time_that_cannot_be_read_is_an_invalid_parameter(wish: Simulated, text: str) -> None:
    assert (await wish.get("/orders", updated_at_min=text)).json()["code"] == 90001


async def test_equal_times_keep_their_order_across_calls(wish: Simulated) -> None:
    rows = wish.place(600, first_ms=T0_MS, spacing_ms=0)
    page = await ids(wish, sort_by="updated_at.asc", limit=500)
    assert page == [row.id for row in rows[:500]]
    assert await ids(wish, sort_by="updated_at.asc", limit=500, updated_at_min=T0) == page


async def test_a_burst_of_equal_times_can_be_split_by_state(wish: Simulated) -> None:
    wish.place(400, first_ms=T0_MS, spacing_ms=0)
    wish.place(400, first_ms=T0_MS, spacing_ms=0, state="SHIPPED")
    window = {"updated_at_min": T0, "updated_at_max": T0, "limit": 500}
    assert len(await ids(wish, states="SHIPPED", **window)) == 400
    assert len(await ids(wish, states="APPROVED", **window)) == 400


async def test_states_may_be_repeated_or_listed_with_commas(wish: Simulated) -> None:
    for state in ("APPROVED", "SHIPPED", "REFUNDED", "REQUIRE_REVIEW", "DECLINED"):
        wish.place(state=state)
    assert len(await ids(wish, states=["SHIPPED", "DECLINED"])) == 2
    assert len(await ids(wish, states="SHIPPED,DECLINED,REFUNDED")) == 3
    assert (await wish.get("/orders", states="LOST")).json()["code"] == 90001


async def test_an_order_under_review_is_listed_and_not_released(wish: Simulated) -> None:
    wish.place(state="REQUIRE_REVIEW")
    (order,) = await wish.read("/orders")
    assert (order["state"], order["released_at"]) == ("REQUIRE_REVIEW", None)
    assert await ids(wish, released_at_min="2000-01-01T00:00:00.000Z") == []


async def test_orders_can_be_sorted_and_windowed_by_release(wish: Simulated) -> None:
    early, late = wish.place(2, first_ms=T0_MS, spacing_ms=1000)
    change_order(wish.market, early, wish.shop, lambda document, at: None)
    assert await ids(wish, sort_by="released_at.asc") == [early.id, late.id]
    assert await ids(wish, sort_by="updated_at.asc") == [late.id, early.id]
    assert await ids(wish, released_at_min=T0, released_at_max=T0) == [early.id]


@pytest.mark.parametrize("sort_by", ["id.asc", "updated_at.up", "created_at", ""])
async def test_an_unknown_sorting_is_an_invalid_parameter(wish: Simulated, sort_by: str) -> None:
    assert (await wish.get("/orders", sort_by=sort_by)).json()["code"] == 90001


async def test_one_order_type_filters(wish: Simulated) -> None:
    first, _ = wish.place(2)
    await wish.control(f"/orders/{first.id}", {"fulfillment_order_types": ["WISH_EXPRESS"]}, "PATCH")
    assert await ids(wish, order_type="WISH_EXPRESS") == [first.id]
    assert (await wish.get("/orders", order_type="VAT")).json()["code"] == 90001


async def test_unknown_query_names_are_ignored(wish: Simulated) -> None:
    wish.place(2)
    assert len(await ids(wish, id_min="f" * 24, page=7)) == 2


async def test_an_order_that_changes_while_paging_moves_to_the_end(wish: Simulated) -> None:
    rows = wish.place(4, first_ms=T0_MS)
    wish.market.switches.change({"touch_orders_per_list": 1})
    await ids(wish, sort_by="updated_at.asc", limit=2)
    assert (await ids(wish, sort_by="updated_at.asc"))[-1] == rows[0].id


async def test_orders_of_another_shop_do_not_appear(wish: Simulated) -> None:
    (row,) = wish.place()
    other = wish.market.grant(wish.app, wish.market.add_merchant(login="other"))
    wish.http.headers["authorization"] = f"Bearer {other.value}"
    assert await ids(wish) == []
    assert (await wish.get(f"/orders/{row.id}")).json()["code"] == 90001


async def test_the_single_read_equals_the_row_of_the_list(wish: Simulated) -> None:
    (row,) = wish.place()
    assert await wish.read(f"/orders/{row.id}") == (await wish.read("/orders"))[0]


@pytest.mark.parametrize("order_id", ["0" * 24, "nonsense"])
async def test_an_unknown_order_is_an_invalid_parameter(wish: Simulated, order_id: str) -> None:
    answer = await wish.get(f"/orders/{order_id}")
    assert (answer.status_code, answer.json()["code"]) == (400, 90001)


async def test_an_unknown_id_can_be_a_404_instead(wish: Simulated) -> None:
    wish.market.switches.change({"unknown_id_status": 404})
    assert (await wish.get(f"/orders/{'0' * 24}")).status_code == 404


async def test_an_address_may_be_null(wish: Simulated) -> None:
    (row,) = wish.place()
    await wish.control(f"/orders/{row.id}", {"full_address": None}, "PATCH")
    assert (await wish.read(f"/orders/{row.id}"))["full_address"] is None


async def test_a_payment_total_may_be_negative(wish: Simulated) -> None:
    (row,) = wish.place()
    payment = row.document()["order_payment"]
    payment["general_payment_details"]["payment_total"]["amount"] = -1.25
    await wish.control(f"/orders/{row.id}", {"order_payment": payment}, "PATCH")
    order = await wish.read(f"/orders/{row.id}")
    assert order["order_payment"]["general_payment_details"]["payment_total"]["amount"] == -1.25


async def test_a_shipped_order_can_be_released_again(wish: Simulated) -> None:
    (row,) = wish.place(state="SHIPPED")
    rerelease(wish.market, wish.shop, row)
    order = await wish.read(f"/orders/{row.id}")
    assert (order["state"], order["tracking_information"]) == ("APPROVED", [])
    assert [one["event_type"] for one in order["fulfillment_records"]][-2:] == [
        "TRACKING_CANCELLED",
        "ORDER_RE_RELEASED",
    ]


async def test_a_refunded_order_can_be_released_again(wish: Simulated) -> None:
    (row,) = wish.place(state="REFUNDED")
    rerelease(wish.market, wish.shop, row)
    order = await wish.read(f"/orders/{row.id}")
    assert (order["state"], len(order["refunds"])) == ("APPROVED", 1)


async def test_times_can_be_printed_with_an_offset(wish: Simulated) -> None:
    wish.market.switches.change({"time_suffix": "+00:00"})
    wish.place(1, first_ms=T0_MS)
    assert (await wish.read("/orders"))[0]["updated_at"] == "2026-07-01T10:00:00.000+00:00"


async def test_full_orders_weigh_about_2800_bytes(wish: Simulated) -> None:
    rows = wish.place(60)
    assert 2500 < sum(len(row.content) for row in rows) / len(rows) < 3100
