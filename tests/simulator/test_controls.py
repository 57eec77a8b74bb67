"""`/_control`: setting the stage."""

from pathlib import Path
from typing import Any, get_args

import pytest
from tests.simulator.product_calls import stock
from tests.simulator.simulated import REDIRECT_URI, Simulated

from wish_simulator.faults import Way
from wish_simulator.switches import Switches

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


def pair(wish: Simulated, **more: Any) -> dict[str, Any]:
    return {"client_id": wish.app.client_id, "merchant_id": wish.shop.merchant.id, **more}


async def refused(wish: Simulated, method: str, path: str, body: Any) -> str:
    answer = await wish.http.request(method, f"/_control{path}", json=body)
    assert answer.status_code == 400, answer.text
    error: str = answer.json()["error"]
    return error


@pytest.mark.parametrize("name", [*Switches.__struct_fields__, *get_args(Way)])
def test_every_switch_and_way_to_fail_is_documented(name: str) -> None:
    assert f"`{name}`" in PAGE.read_text(encoding="utf-8")


async def test_a_shop_is_set_up_and_connected_without_pages(wish: Simulated) -> None:
    merchant = await wish.control("/merchants", {"login": "new", "display_name": "New shop"})
    app = await wish.control("/apps", {"redirect_uri": REDIRECT_URI})
    names = {"client_id": app["client_id"], "merchant_id": merchant["id"]}
    granted = await wish.control("/grants", names)
    wish.http.headers["authorization"] = f"Bearer {granted['access_token']}"
    assert (await wish.read("/oauth/test"))["merchant_id"] == merchant["id"]
    assert len(merchant["warehouse_ids"]) == 2


async def test_a_code_is_handed_out_for_an_app_and_a_merchant(wish: Simulated) -> None:
    answer = await wish.control("/codes", pair(wish))
    assert (answer["code"] in wish.market.grants.codes, answer["redirect_uri"]) == (True, REDIRECT_URI)


async def test_a_grant_may_have_fewer_scopes(wish: Simulated) -> None:
    assert (await wish.control("/grants", pair(wish, scopes=["orders:read"])))["scopes"] == ["orders:read"]


async def test_an_app_returns_elsewhere_once_that_is_changed(wish: Simulated) -> None:
    path = f"/apps/{wish.app.client_id}"
    await wish.control(path, {"redirect_uri": "https://elsewhere.example/cb"}, method="PATCH")

    assert (await wish.control("/codes", pair(wish)))["redirect_uri"] == "https://elsewhere.example/cb"


async def test_secrets_rotate(wish: Simulated) -> None:
    path = f"/apps/{wish.app.client_id}/secrets"
    assert len((await wish.control(path))["secrets"]) == 2
    assert len((await wish.control(path + "/oldest", method="DELETE"))["secrets"]) == 1


async def test_a_grant_expires_now_and_can_still_be_refreshed(wish: Simulated) -> None:
    await wish.control("/grants/expire", pair(wish))
    assert (await wish.get("/oauth/test")).json()["code"] == 1007
    assert not wish.token.grant.is_revoked


async def test_a_grant_is_revoked(wish: Simulated) -> None:
    await wish.control("/grants/revoke", pair(wish))
    assert (await wish.get("/oauth/test")).json()["code"] == 1008


async def test_an_account_is_disabled_and_enabled(wish: Simulated) -> None:
    path = f"/merchants/{wish.shop.merchant.id}"
    await wish.control(path, {"is_disabled": True}, "PATCH")
    assert (await wish.get("/oauth/test")).json()["code"] == 1002
    await wish.control(path, {"is_disabled": False}, "PATCH")
    assert (await wish.get("/oauth/test")).json()["code"] == 0


async def test_orders_are_placed_with_chosen_times_and_state(wish: Simulated) -> None:
    body = {
        "merchant_id": wish.shop.merchant.id,
        "count": 3,
        "state": "SHIPPED",
        "updated_at": "2026-07-01T10:00:00.000Z",
        "spacing_ms": 0,
    }
    placed = await wish.control("/orders", body)
    rows = await wish.read("/orders", sort_by="updated_at.asc")
    assert [row["id"] for row in rows] == placed["ids"]
    assert {(row["state"], row["updated_at"]) for row in rows} == {("SHIPPED", "2026-07-01T10:00:00.000Z")}


async def test_an_order_is_changed_at_a_chosen_time(wish: Simulated) -> None:
    (row,) = wish.place()
    changes = {"state": "DECLINED", "updated_at": "2026-07-01T10:00:00.000Z"}
    await wish.control(f"/orders/{row.id}", changes, "PATCH")
    order = await wish.read(f"/orders/{row.id}")
    assert (order["state"], order["updated_at"]) == ("DECLINED", "2026-07-01T10:00:00.000Z")


async def test_an_order_can_be_shown_as_exact_bytes(wish: Simulated) -> None:
    (row,) = wish.place()
    odd = b'{"general_payment_details":{"payment_total":{"amount":10.100000000000000001,"currency_code":"USD"}}}'
    raw = b'{"id":"%s",  "order_payment": %s}' % (row.id.encode(), odd)
    await wish.http.put(f"/_control/orders/{row.id}/raw", content=raw)
    assert raw in (await wish.get("/orders")).content
    assert raw in (await wish.get(f"/orders/{row.id}")).content


async def test_an_order_robbed_of_its_lists_still_ships(wish: Simulated) -> None:
    (row,) = wish.place()
    await wish.control(f"/orders/{row.id}", {"tracking_information": None, "fulfillment_records": None}, "PATCH")
    body = {"shipping_provider": "USPS", "tracking_number": "A1", "origin_country": "US"}
    await wish.put(f"/orders/{row.id}/tracking", body)
    wish.wait(2)
    assert (await wish.read(f"/orders/{row.id}"))["state"] == "SHIPPED"


async def test_an_order_is_released_again(wish: Simulated) -> None:
    (row,) = wish.place(state="SHIPPED")
    assert (await wish.control(f"/orders/{row.id}/rerelease"))["state"] == "APPROVED"


async def test_orders_can_leave_the_stock_alone(wish: Simulated) -> None:
    await wish.control("/orders", {"merchant_id": wish.shop.merchant.id, "lowers_stock": False})
    assert await stock(wish) == {"MUG-RED": [10, 10], "MUG-BLUE": [10, 10]}


async def test_a_shop_without_products_has_no_orders(wish: Simulated) -> None:
    empty = await wish.control("/merchants", {"login": "empty"})
    assert "NothingForSale" in await refused(wish, "POST", "/orders", {"merchant_id": empty["id"]})


async def test_products_are_added_in_bulk(wish: Simulated) -> None:
    body = {"merchant_id": wish.shop.merchant.id, "count": 20, "variations": 5, "stock": 7}
    assert (await wish.control("/products", body))["products"] == 21
    levels = await wish.control(f"/stock?merchant_id={wish.shop.merchant.id}", method="GET")
    assert len(levels) == 102
    assert set(levels["P00001-4"].values()) == {7}


async def test_stock_is_set_by_sku(wish: Simulated) -> None:
    body = {"merchant_id": wish.shop.merchant.id, "sku": "MUG-RED", "inventory": 4}
    await wish.control("/stock", body, "PUT")
    await wish.control("/stock", {**body, "inventory": 9, "warehouse_id": wish.shop.warehouses[1].id}, "PUT")
    assert (await stock(wish))["MUG-RED"] == [4, 9]
    one = await wish.control(f"/stock?merchant_id={wish.shop.merchant.id}&sku=MUG-RED", method="GET")
    assert list(one) == ["MUG-RED"]


async def test_the_clock_moves(wish: Simulated) -> None:
    assert (await wish.control("/clock", {"advance_s": 90}))["offset_s"] == 90
    assert (await wish.control("/clock", {"offset_s": 0}))["offset_s"] == 0


async def test_the_journal_names_calls_without_their_secrets(wish: Simulated) -> None:
    await wish.get("/oauth/refresh_token", client_id="c", client_secret="s3", refresh_token="r3", grant_type="x")
    await wish.get("/orders", limit=501)
    first, second = await wish.control("/journal", method="GET")
    assert first["query"] == {"client_id": "c", "grant_type": "x"}
    assert (second["path"], second["query"], second["status"], second["code"]) == (
        "/api/v3/orders",
        {"limit": "501"},
        400,
        90001,
    )
    assert (second["token_generation"], second["merchant_id"]) == (1, wish.shop.merchant.id)
    assert second["started_ms"] <= second["finished_ms"]


async def test_the_journal_is_read_on_from_a_number(wish: Simulated) -> None:
    for _ in range(3):
        await wish.get("/oauth/test")
    assert [entry["number"] for entry in await wish.control("/journal?since=2", method="GET")] == [3]


async def test_counters_are_shown(wish: Simulated) -> None:
    await wish.get("/oauth/test")
    assert (await wish.control("/counters", method="GET"))["calls"] == 1


async def test_switches_are_shown_and_changed_together(wish: Simulated) -> None:
    changed = await wish.control("/switches", {"burst": 5, "echo_state": True}, "PATCH")
    assert (changed["burst"], changed["echo_state"]) == (5, True)
    assert await wish.control("/switches", method="GET") == changed


@pytest.mark.parametrize("wrong", [{"nonsense": 1}, {"burst": 0}, {"burst": "many"}, {"reset_format": "x"}])
async def test_a_wrong_switch_changes_nothing(wish: Simulated, wrong: dict[str, Any]) -> None:
    before = await wish.control("/switches", method="GET")
    await refused(wish, "PATCH", "/switches", {"echo_state": True, **wrong})
    assert await wish.control("/switches", method="GET") == before


async def test_armed_faults_are_listed_and_cleared(wish: Simulated) -> None:
    await wish.control("/faults", {"way": "drop", "times": 2})
    assert [fault["way"] for fault in await wish.control("/faults", method="GET")] == ["drop"]
    await wish.control("/faults", method="DELETE")
    assert (await wish.get("/oauth/test")).status_code == 200


async def test_an_unknown_way_to_fail_is_refused(wish: Simulated) -> None:
    assert "explode" in await refused(wish, "POST", "/faults", {"way": "explode"})


async def test_unknown_ids_are_refused(wish: Simulated) -> None:
    nobody = {"client_id": "x", "merchant_id": "y"}
    assert await refused(wish, "POST", "/grants/revoke", nobody)
    assert await refused(wish, "POST", "/grants", nobody)
    assert await refused(wish, "PATCH", "/orders/x", {})
    assert await refused(wish, "POST", "/orders", {"merchant_id": "y"})


async def test_a_log_in_name_is_taken_once(wish: Simulated) -> None:
    assert "taken" in await refused(wish, "POST", "/merchants", {"login": "seller"})


async def test_a_reset_forgets_everything_and_can_plant_the_demo_shop(wish: Simulated) -> None:
    wish.place(3)
    await wish.control("/faults", {"way": "drop"})
    answer = await wish.control("/reset", {"seed": "demo"})
    assert len(answer["merchants"]) == 1
    assert answer["merchants"][0] != wish.shop.merchant.id
    assert (await wish.get("/oauth/test")).json()["code"] == 1006
    assert (await wish.control("/switches", method="GET"))["rate_per_s"] == 20


async def test_thousands_of_orders_can_be_paged_without_gaps(wish: Simulated) -> None:
    await wish.control("/orders", {"merchant_id": wish.shop.merchant.id, "count": 3_000})
    query = {"sort_by": "updated_at.asc", "limit": 500, "fields": "id,updated_at"}
    rows = await wish.read("/orders", **query)
    seen = {row["id"] for row in rows}
    while len(rows) > 1:
        rows = await wish.read("/orders", updated_at_min=rows[-1]["updated_at"], **query)
        seen |= {row["id"] for row in rows}
    assert len(seen) == 3_000
