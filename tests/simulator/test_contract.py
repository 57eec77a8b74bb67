"""The check every test here runs under, and that no operation of the contract is missing."""

from pathlib import Path
from typing import Any

from tests.simulator.contract import CheckedApp, Exchange, wish_contract
from tests.simulator.simulated import REDIRECT_URI, Simulated

from wish_simulator.shop import a_warehouse

PRICE = {"amount": 12.5, "currency_code": "USD"}


async def test_every_operation_of_the_contract_answers(wish: Simulated) -> None:
    wish.market.switches.change({"listing_review": True, "skip_consent": True})
    wish.place(5, state="SHIPPED")
    await _connect(wish)
    await _look_around(wish)
    await _arrange_the_shop(wish)
    await _trade(wish)
    await _sell(wish)
    await _subscribe(wish)
    assert wish.checked.never_called == []


async def _connect(wish: Simulated) -> None:
    app = wish.app
    async with wish.anonymous() as browser:
        await browser.post("/log-in", data={"login": "seller", "password": "seller"})
        for ask in (browser.get, browser.post):
            sent = await browser.get("/v3/oauth/authorize", params={"client_id": app.client_id})
            code = sent.headers["location"].partition("code=")[2]
            names = {
                "client_id": app.client_id,
                "client_secret": app.newest_secret,
                "code": code,
                "grant_type": "authorization_code",
                "redirect_uri": REDIRECT_URI,
            }
            how: dict[str, Any] = {"params": names} if ask == browser.get else {"json": names}
            answer = await ask("/api/v3/oauth/access_token", **how)
        renewed = await browser.get(
            "/api/v3/oauth/refresh_token",
            params={
                "client_id": app.client_id,
                "client_secret": app.newest_secret,
                "refresh_token": answer.json()["data"]["refresh_token"],
                "grant_type": "refresh_token",
            },
        )
    wish.http.headers["authorization"] = f"Bearer {renewed.json()['data']['access_token']}"


async def _look_around(wish: Simulated) -> None:
    for path in (
        "/oauth/test",
        "/merchant/account_details",
        "/merchant/settings",
        "/merchant/currency_settings",
        "/merchant/shipping_settings",
        "/merchant/warehouses",
        "/currencies",
        "/products/variations/colors",
        "/webhook/topics",
        "/webhook/subscriptions",
    ):
        await wish.read(path)


async def _arrange_the_shop(wish: Simulated) -> None:
    address = a_warehouse("WEST", "Oakland").address
    await wish.put("/merchant/shipping_settings", [{"country_code": "BR", "enabled": False}])
    body = {"name": "WEST", "address": address, "destination_countries": ["US"]}
    made = await wish.post("/merchant/warehouses", body)
    await wish.put(f"/merchant/warehouses/{made.json()['data']['id']}", {"address": address})


async def _trade(wish: Simulated) -> None:
    first, second, third = (row.id for row in wish.place(3))
    await wish.read("/orders", limit=2)
    await wish.read(f"/orders/{first}")
    await wish.read("/orders/shipping_carriers", order_type="GENERAL")
    tracking = {"shipping_provider": "USPS", "tracking_number": "A1", "origin_country": "US"}
    await wish.put(f"/orders/{first}/tracking", tracking)
    await wish.read(f"/orders/{second}/refund_reasons")
    await wish.put(f"/orders/{second}/refund", {"refund_reason": "UNABLE_TO_SHIP"})
    place = {"street_address1": "2 Road", "city": "Rome", "state": "RM", "zipcode": "00100", "country_code": "IT"}
    await wish.put(f"/orders/{third}/address", place)
    (heavy,) = wish.place(state="SHIPPED")
    await wish.control(f"/orders/{heavy.id}", {"fulfillment_order_types": ["LESS_THAN_TRUCKLOAD"]}, "PATCH")
    await wish.put(f"/orders/{heavy.id}", {"tracking_url": "https://carrier.example/1"})
    job = (await wish.post("/orders/bulk_get")).json()["data"]
    await wish.read(f"/orders/bulk_get/{job['id']}")


async def _sell(wish: Simulated) -> None:
    mug = (await wish.read("/products", limit=1))[0]
    await wish.read(f"/products/{mug['id']}")
    warehouse_id = wish.shop.warehouses[0].id
    variation = {"sku": "CUP-1", "price": PRICE, "inventories": [{"warehouse_id": warehouse_id, "inventory": 3}]}
    shipping = [{"warehouse_id": warehouse_id, "default_shipping_price": PRICE}]
    await wish.post(
        "/products",
        {
            "name": "Cup",
            "description": "A cup",
            "parent_sku": "CUP",
            "main_image": {"url": "https://images.invalid/cup.jpg"},
            "default_shipping_prices": shipping,
            "variations": [variation],
        },
    )
    await wish.post(f"/products/{mug['id']}/variations", {**variation, "sku": "MUG-2"})
    changed = await wish.put(f"/products/{mug['id']}", {"name": "Mug"})
    request_id = changed.json()["data"]["request_id"]
    await wish.read("/products/requests")
    await wish.read(f"/products/requests/{request_id}")
    await wish.delete(f"/products/requests/{request_id}")
    download = (await wish.post("/products/bulk_get")).json()["data"]
    await wish.read(f"/products/bulk_get/{download['id']}")
    update = (await wish.post("/products/bulk_update", [{"id": mug["id"]}])).json()["data"]
    await wish.read(f"/products/bulk_update/{update['id']}")
    await wish.delete(f"/products/{mug['id']}")


async def _subscribe(wish: Simulated) -> None:
    topic = (await wish.read("/webhook/topics"))[0]
    endpoint = "http://127.0.0.1:9/hook"
    made = await wish.post("/webhook/subscriptions", topic_id=topic["id"], endpoint=endpoint)
    subscription_id = made.json()["data"]["id"]
    await wish.read(f"/webhook/subscriptions/{subscription_id}")
    for subscription in wish.market.subscriptions:
        subscription.deactivate()
    await wish.put(f"/webhook/subscriptions/{subscription_id}", status="ACTIVE")
    await wish.delete(f"/webhook/subscriptions/{subscription_id}")


def test_the_contract_has_44_operations() -> None:
    assert len(wish_contract().operations) == 44


def _problems(**changes: Any) -> list[str]:
    """What the check finds in an otherwise faithful answer of the currency list."""
    operation = wish_contract().operation_for("GET", "/api/v3/currencies")
    assert operation is not None
    headers = {
        "wish-request-id": "1",
        "wish-rate-limit-remaining": "5",
        "content-language": "en",
        "content-type": "application/json",
    }
    answer: dict[str, Any] = {"query": {}, "status": 200, "headers": headers, "body": b'{"code":0,"data":[]}'}
    return wish_contract().problems(Exchange(operation, **{**answer, **changes}))


def test_a_faithful_answer_passes_the_check() -> None:
    assert _problems() == []


def test_the_check_finds_a_status_that_is_not_in_the_contract() -> None:
    assert _problems(status=400) == ["getCurrencies: status 400 is not in the contract"]


def test_the_check_finds_a_missing_header() -> None:
    assert "header Wish-Request-Id is missing" in " ".join(_problems(headers={"content-type": "application/json"}))


def test_the_check_finds_a_wrong_type_deep_in_the_body() -> None:
    assert "data/0/code" in " ".join(_problems(body=b'{"code":0,"data":[{"code":5}]}'))


def test_the_check_finds_an_error_in_a_success() -> None:
    assert _problems(body=b'{"code":1006,"data":{}}') != []


def test_the_check_finds_a_body_where_none_belongs(wish: Simulated) -> None:
    operation = wish_contract().operation_for("DELETE", "/api/v3/products/" + "a" * 24)
    assert operation is not None
    headers = {"wish-request-id": "1", "wish-rate-limit-remaining": "5"}
    assert wish_contract().problems(Exchange(operation, {}, 204, headers, b"{}")) != []


def test_the_check_finds_a_member_nobody_described() -> None:
    body = b'{"code":0,"data":[{"code":"USD","symbol":"$"}]}'
    assert _problems(body=body) == ["getCurrencies 200: member /data[]/symbol is not in the contract"]


async def test_an_unfaithful_application_is_reported_by_the_wrapper(wish: Simulated) -> None:
    async def bare(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    checked = CheckedApp(bare)
    scope = {"type": "http", "method": "GET", "path": "/api/v3/orders", "query_string": b""}

    async def ignore(*messages: Any) -> Any:
        return None

    await checked(scope, ignore, ignore)
    assert checked.problems == ["GetMultipleOrders: status 418 is not in the contract"]
    assert "GetMultipleOrders" in checked.never_called


async def test_only_answers_broken_on_purpose_go_unjudged(wish: Simulated) -> None:
    await wish.get("/orders")
    await wish.get("/orders", limit=501)
    assert wish.checked.judged == 2
    await wish.control("/faults", {"way": "html_502"})
    await wish.get("/orders")
    assert wish.checked.judged == 2


def test_no_test_here_serves_an_application_round_the_check() -> None:
    files = {path.name for path in Path(__file__).parent.glob("*.py") if "create_app(" in path.read_text()}
    assert files <= {"simulated.py", "contract.py", "test_contract.py"}
