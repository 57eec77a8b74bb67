"""Account, currency, countries, warehouses."""

from typing import Any

import pytest
from tests.simulator.simulated import Simulated

from wish_simulator.shop import a_warehouse


def west(**changes: Any) -> dict[str, Any]:
    address = a_warehouse("WEST", "Oakland").address
    return {"name": "WEST", "address": address, "destination_countries": ["US"], **changes}


async def test_account_and_currency_are_those_of_the_merchant(wish: Simulated) -> None:
    account = await wish.read("/merchant/account_details")
    assert (account["display_name"], account["status"]) == ("Test shop", "ACTIVE")
    assert (await wish.read("/merchant/currency_settings"))["localized_currency"] == "USD"


async def test_a_new_warehouse_is_listed(wish: Simulated) -> None:
    made = (await wish.post("/merchant/warehouses", west())).json()["data"]
    assert [one["name"] for one in await wish.read("/merchant/warehouses")] == ["STANDARD", "EAST", "WEST"]
    assert made["shipping_type"] == "STANDARD"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "EAST"}, 10001),
        ({"destination_countries": ["ZZ"]}, 10004),
        ({"name": ""}, 90001),
        ({"destination_countries": []}, 90001),
        ({"address": {"city": "Oakland"}}, 90001),
    ],
)
async def test_a_wrong_warehouse_has_its_own_code(wish: Simulated, changes: dict[str, Any], code: int) -> None:
    assert (await wish.post("/merchant/warehouses", west(**changes))).json()["code"] == code


async def test_only_the_address_of_a_warehouse_changes(wish: Simulated) -> None:
    path = f"/merchant/warehouses/{wish.shop.warehouses[0].id}"
    answer = await wish.put(path, {"address": west()["address"], "name": "OTHER"})
    assert (answer.json()["data"]["name"], answer.json()["data"]["address"]["city"]) == ("STANDARD", "Oakland")
    assert (await wish.put(path, {})).json()["code"] == 10011
    assert (await wish.put(f"/merchant/warehouses/{'0' * 24}", west())).json()["code"] == 90001


async def test_countries_left_out_keep_their_value(wish: Simulated) -> None:
    await wish.put("/merchant/shipping_settings", [{"country_code": "BR", "enabled": False}])
    settings = {one["country_code"]: one["enabled"] for one in await wish.read("/merchant/shipping_settings")}
    assert settings["BR"] is False
    assert settings["US"] is True


async def test_a_body_of_null_switches_every_country_off(wish: Simulated) -> None:
    await wish.http.put("/api/v3/merchant/shipping_settings", content=b"null")
    assert not any(one["enabled"] for one in await wish.read("/merchant/shipping_settings"))


@pytest.mark.parametrize(
    ("codes", "code"), [(["ZZ"], 10009), ([], 10009), (["US", "US"], 10008), (["usa"], 90001)]
)
async def test_wrong_countries_are_refused(wish: Simulated, codes: list[str], code: int) -> None:
    body = [{"country_code": one, "enabled": True} for one in codes]
    assert (await wish.put("/merchant/shipping_settings", body)).json()["code"] == code


async def test_currencies_have_a_code_and_a_name(wish: Simulated) -> None:
    assert {"code": "USD", "name": "US Dollar"} in await wish.read("/currencies")


async def test_a_bad_token_is_a_401_where_the_contract_has_no_400(wish: Simulated) -> None:
    wish.token.grant.revoke()
    assert (await wish.get("/currencies")).status_code == 401
    assert (await wish.get("/products/variations/colors")).status_code == 401
    assert (await wish.get("/products")).status_code == 400
