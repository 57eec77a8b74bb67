"""The catalogue: lists, whole products, changes."""

from typing import Any

import pytest
from tests.simulator.product_calls import PRICE, mug, new_product, places, put_stock, stock
from tests.simulator.simulated import Simulated

from wish_simulator.clock import parsed


async def test_the_list_has_short_rows(wish: Simulated) -> None:
    (row,) = await wish.read("/products")
    assert row["parent_sku"] == "MUG"
    assert not {"variations", "main_image", "default_shipping_prices"} & row.keys()


async def test_the_single_read_has_variations_and_stock(wish: Simulated) -> None:
    assert await stock(wish) == {"MUG-RED": [10, 10], "MUG-BLUE": [10, 10]}


async def test_the_list_is_windowed_sorted_and_limited(wish: Simulated) -> None:
    for sku in ("A", "B", "C"):
        wish.wait(1)
        wish.add(sku, f"{sku}-1")
    rows = await wish.read("/products", sort_by="updated_at.asc")
    assert [row["parent_sku"] for row in rows] == ["MUG", "A", "B", "C"]
    window = {"updated_at_min": rows[1]["updated_at"], "updated_at_max": rows[2]["updated_at"]}
    assert [row["parent_sku"] for row in await wish.read("/products", **window)] == ["B", "A"]
    assert [row["parent_sku"] for row in await wish.read("/products", limit=1)] == ["C"]
    assert (await wish.get("/products", limit=1001)).json()["code"] == 90001


async def test_creation_bounds_are_cut_to_whole_seconds(wish: Simulated) -> None:
    row = next(iter(wish.shop.catalogue))
    row.created_ms = parsed("2026-07-01T10:00:00.500Z")
    assert await wish.read("/products", created_at_max="2026-07-01T10:00:00.900Z") == []
    assert len(await wish.read("/products", created_at_min="2026-07-01T10:00:00.900Z")) == 1


async def test_the_list_filters_by_parent_sku(wish: Simulated) -> None:
    wish.add("CUP", "CUP-1")
    assert [row["parent_sku"] for row in await wish.read("/products", parent_sku="CUP")] == ["CUP"]


async def test_removed_products_are_listed_only_when_asked_for(wish: Simulated) -> None:
    answer = await wish.delete(f"/products/{mug(wish)['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await wish.read("/products") == []
    assert len(await wish.read("/products", state="REMOVED_BY_MERCHANT")) == 1
    assert len(await wish.read("/products", statuses=["APPROVED", "REMOVED_BY_MERCHANT"])) == 1


async def test_a_put_of_stock_changes_only_what_it_names(wish: Simulated) -> None:
    answer = await put_stock(wish, 7, 0)
    assert answer.status_code == 200
    assert await stock(wish) == {"MUG-RED": [7, 0], "MUG-BLUE": [10, 10]}
    assert answer.json()["data"]["name"] == "Product MUG"


async def test_a_put_moves_updated_at(wish: Simulated) -> None:
    before = mug(wish)["updated_at"]
    wish.wait(1)
    assert (await put_stock(wish, 1, 1)).json()["data"]["updated_at"] > before


async def test_a_warehouse_left_out_keeps_its_stock(wish: Simulated) -> None:
    await put_stock(wish, 3)
    assert (await stock(wish))["MUG-RED"] == [3, 10]


async def test_a_warehouse_left_out_can_be_reset_to_nothing(wish: Simulated) -> None:
    wish.market.switches.change({"omitted_warehouses": "reset"})
    await put_stock(wish, 3)
    assert (await stock(wish))["MUG-RED"] == [3, 0]


@pytest.mark.parametrize("inventory", [-1, 500_001, 1.5, "3", None])
async def test_stock_must_be_a_whole_number_up_to_500000(wish: Simulated, inventory: Any) -> None:
    assert (await put_stock(wish, inventory)).json()["code"] == 90001
    assert (await stock(wish))["MUG-RED"] == [10, 10]


async def test_one_bad_variation_refuses_the_whole_put(wish: Simulated) -> None:
    good = {"id": mug(wish)["variations"][0]["id"], "inventories": places(wish, 1, 1)}
    for bad in ({"id": "0" * 24, "inventories": places(wish, 1)}, {"id": good["id"], "inventories": [{}]}):
        answer = await wish.put(f"/products/{mug(wish)['id']}", {"variations": [good, bad]})
        assert (answer.status_code, answer.json()["code"]) == (400, 90001)
    assert (await stock(wish))["MUG-RED"] == [10, 10]


async def test_an_unknown_warehouse_is_refused(wish: Simulated) -> None:
    variation = {
        "id": mug(wish)["variations"][0]["id"],
        "inventories": [{"warehouse_id": "0" * 24, "inventory": 1}],
    }
    answer = await wish.put(f"/products/{mug(wish)['id']}", {"variations": [variation]})
    assert answer.json()["code"] == 90001


async def test_a_variation_removed_by_wish_cannot_be_updated(wish: Simulated) -> None:
    variation_id = mug(wish)["variations"][0]["id"]
    await wish.control(f"/variations/{variation_id}", {"status": "REMOVED_BY_WISH"}, "PATCH")
    assert (await put_stock(wish, 1, 1)).json()["code"] == 90001


@pytest.mark.parametrize("state", ["REMOVED_BY_WISH", "REMOVED_BY_MERCHANT"])
async def test_a_removed_product_cannot_be_updated(wish: Simulated, state: str) -> None:
    await wish.control(f"/products/{mug(wish)['id']}", {"state": state, "status": state}, "PATCH")
    assert (await put_stock(wish, 1, 1)).json()["code"] == 90001
    assert (await wish.delete(f"/products/{mug(wish)['id']}")).json()["code"] == 90001


async def test_400_variations_fit_in_a_put_and_401_do_not(wish: Simulated) -> None:
    variation = {"id": mug(wish)["variations"][0]["id"], "inventories": places(wish, 1, 1)}
    path = f"/products/{mug(wish)['id']}"
    assert (await wish.put(path, {"variations": [variation] * 400})).status_code == 200
    assert (await wish.put(path, {"variations": [variation] * 401})).json()["code"] == 90001


async def test_null_removes_and_attributes_merge_by_name(wish: Simulated) -> None:
    path = f"/products/{mug(wish)['id']}"
    attributes = [{"name": "Material", "value": ["clay"]}, {"name": "Style", "value": ["plain"]}]
    await wish.put(path, {"attributes": attributes, "max_quantity": 3})
    changed = await wish.put(path, {"attributes": [{"name": "Style", "value": None}], "max_quantity": None})
    assert changed.json()["data"]["attributes"] == attributes[:1]
    assert "max_quantity" not in changed.json()["data"]


async def test_a_product_is_switched_off_and_on(wish: Simulated) -> None:
    path = f"/products/{mug(wish)['id']}"
    assert (await wish.put(path, {"status": "DISABLED"})).json()["data"]["state"] == "MERCHANT_INACTIVE"
    assert (await wish.put(path, {"status": "ENABLED"})).json()["data"]["state"] == "ACTIVE"


@pytest.mark.parametrize(
    "wrong",
    [
        {"description": "<b>bold</b>"},
        {"description": "x" * 4001},
        {"tags": ["t"] * 11},
        {"name": ""},
        {"max_quantity": 0},
        {"msrp": {"amount": -1, "currency_code": "USD"}},
        {"status": "GONE"},
    ],
)
async def test_limits_of_product_members_hold(wish: Simulated, wrong: dict[str, Any]) -> None:
    assert (await wish.put(f"/products/{mug(wish)['id']}", wrong)).json()["code"] == 90001


async def test_a_product_is_created_with_its_variations(wish: Simulated) -> None:
    made = (await wish.post("/products", new_product(wish))).json()["data"]
    assert (made["state"], made["variations"][0]["status"]) == ("ACTIVE", "ENABLED")
    assert (await wish.read(f"/products/{made['id']}"))["variations"][0]["inventories"] == places(wish, 3)


async def test_members_the_contract_takes_and_never_shows_are_not_shown(wish: Simulated) -> None:
    body = new_product(wish, consignment={"existing_pid": None})
    body["variations"][0]["merchant_set_cost"] = 3
    made = (await wish.post("/products", body)).json()["data"]
    change = {"id": made["variations"][0]["id"], "merchant_set_cost": 4}
    changed = await wish.put(f"/products/{made['id']}", {"consignment": None, "variations": [change]})
    shown = changed.json()["data"]
    assert "consignment" not in {**made, **shown}
    assert "merchant_set_cost" not in {**made["variations"][0], **shown["variations"][0]}


async def test_a_product_without_variations_is_refused(wish: Simulated) -> None:
    assert (await wish.post("/products", new_product(wish, variations=[]))).json()["code"] == 90001


async def test_a_sku_is_used_once_in_a_shop(wish: Simulated) -> None:
    twice = [{"sku": "MUG-RED", "price": PRICE, "inventories": places(wish, 3)}]
    assert (await wish.post("/products", new_product(wish, variations=twice))).json()["code"] == 90001
    path = f"/products/{mug(wish)['id']}/variations"
    assert (await wish.post(path, twice[0])).json()["code"] == 90001
    renamed = {"id": mug(wish)["variations"][0]["id"], "sku": "MUG-BLUE"}
    assert (await wish.put(f"/products/{mug(wish)['id']}", {"variations": [renamed]})).json()["code"] == 90001


async def test_a_variation_is_added(wish: Simulated) -> None:
    path = f"/products/{mug(wish)['id']}/variations"
    added = await wish.post(path, {"sku": "MUG-XL", "price": PRICE, "inventories": places(wish, 4, 4)})
    assert added.json()["data"]["product_id"] == mug(wish)["id"]
    assert (await stock(wish))["MUG-XL"] == [4, 4]


async def test_the_image_of_a_variation_must_belong_to_the_product(wish: Simulated) -> None:
    variation = {"id": mug(wish)["variations"][0]["id"], "image": "https://images.invalid/other.jpg"}
    answer = await wish.put(f"/products/{mug(wish)['id']}", {"variations": [variation]})
    assert answer.json()["code"] == 90001


async def test_a_purchase_lowers_stock_and_moves_the_product(wish: Simulated) -> None:
    before = mug(wish)["updated_at"]
    wish.wait(1)
    wish.place(3, sku="MUG-RED", quantity=2)
    assert (await stock(wish))["MUG-RED"] == [4, 10]
    assert mug(wish)["updated_at"] > before


async def test_a_purchase_comes_from_the_first_warehouse_that_has_enough(wish: Simulated) -> None:
    await put_stock(wish, 1, 5)
    (row,) = wish.place(sku="MUG-RED", quantity=2)
    assert (await stock(wish))["MUG-RED"] == [1, 3]
    assert row.document()["warehouse_information"]["warehouse_id"] == wish.shop.warehouses[1].id


async def test_stock_never_goes_below_nothing(wish: Simulated) -> None:
    wish.place(30, sku="MUG-RED")
    assert (await stock(wish))["MUG-RED"] == [0, 0]


async def test_colors_are_sorted_windowed_and_limited(wish: Simulated) -> None:
    ids = [color["id"] for color in await wish.read("/products/variations/colors")]
    assert ids == sorted(ids)
    query = {"id_min": "blue", "id_max": "red", "sort_by": "id.desc", "limit": 2}
    found = [color["id"] for color in await wish.read("/products/variations/colors", **query)]
    assert found == [id for id in reversed(ids) if "blue" <= id <= "red"][:2]
