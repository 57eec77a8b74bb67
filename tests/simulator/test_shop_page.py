"""The front page, for a person to watch, and the demo shop on it."""

from collections import Counter

from tests.simulator.product_calls import stock
from tests.simulator.simulated import Simulated

from wish_simulator.catalogue import stock_of
from wish_simulator.marketplace import Marketplace
from wish_simulator.seeds import demo


async def test_the_page_shows_orders_and_stock(wish: Simulated) -> None:
    (row,) = wish.place(sku="MUG-RED", quantity=2)
    page = (await wish.http.get("/")).text
    assert all(text in page for text in ("Test shop", row.id, "MUG-RED", "MUG-BLUE", "STANDARD", "EAST"))


async def test_the_part_that_refreshes_follows_a_change(wish: Simulated) -> None:
    path = f"/shop/view?merchant_id={wish.shop.merchant.id}"
    before = (await wish.http.get(path)).text
    wish.place(sku="MUG-RED")
    after = (await wish.http.get(path)).text
    assert "No orders yet" in before
    assert "No orders yet" not in after


async def test_the_button_places_an_order_and_takes_it_from_stock(wish: Simulated) -> None:
    answer = await wish.http.post("/shop/orders", data={"merchant_id": wish.shop.merchant.id})
    assert (answer.status_code, len(wish.shop.orders)) == (303, 1)
    assert sum(map(sum, (await stock(wish)).values())) == 39


async def test_the_button_says_so_when_everything_is_sold(wish: Simulated) -> None:
    wish.place(50)
    answer = await wish.http.post("/shop/orders", data={"merchant_id": wish.shop.merchant.id})
    assert "sold out" in (await wish.http.get(answer.headers["location"])).text
    assert len(wish.shop.orders) == 50


async def test_an_order_with_nothing_in_it_does_not_break_the_page(wish: Simulated) -> None:
    (row,) = wish.place()
    empty = {
        "order_payment": None,
        "product_information": None,
        "full_address": None,
        "tracking_information": None,
    }
    await wish.control(f"/orders/{row.id}", empty, "PATCH")
    assert (await wish.http.get("/")).status_code == 200


async def test_no_page_needs_another_host(wish: Simulated) -> None:
    wish.place()
    for path in ("/", "/log-in", "/settings/apps"):
        page = (await wish.http.get(path)).text
        assert 'src="http' not in page
        assert 'href="http' not in page


async def test_an_empty_marketplace_says_so(wish: Simulated) -> None:
    await wish.control("/reset", {})
    assert "no shop yet" in (await wish.http.get("/")).text
    assert (await wish.http.get("/shop/view")).status_code == 404


def test_the_demo_shop_has_orders_in_all_states_and_twenty_variations() -> None:
    market = Marketplace()
    shop = demo(market)
    states = Counter(row.state for row in shop.orders)
    assert len(shop.orders) == 25
    assert states.keys() == {"APPROVED", "SHIPPED", "REFUNDED", "REQUIRE_REVIEW", "DECLINED"}
    offers = list(shop.catalogue.offers())
    assert (len(shop.catalogue), len(offers), len(shop.warehouses)) == (8, 20, 2)
    assert all(stock_of(variation) > 0 for _, variation in offers)
    assert market.accounts.signed_in_as("demo", "demo") is shop.merchant
