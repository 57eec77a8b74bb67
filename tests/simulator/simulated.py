"""A simulated shop with an app connected to it, for tests to call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from tests.simulator.contract import CheckedApp

from wish_simulator.accounts import App
from wish_simulator.app import create_app
from wish_simulator.grants import AccessToken
from wish_simulator.marketplace import Marketplace
from wish_simulator.order_book import OrderRow
from wish_simulator.product_documents import Listing
from wish_simulator.seeds import add_listings
from wish_simulator.shop import Shop
from wish_simulator.trade import Placement, place_orders

API = "/api/v3"
REDIRECT_URI = "https://app.example/wish/callback"


@dataclass
class Simulated:
    """`http` carries the app's access token; it reaches the application through the contract's check."""

    market: Marketplace
    shop: Shop
    app: App
    token: AccessToken
    checked: CheckedApp
    http: httpx.AsyncClient

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.http.get(API + path, params=query)

    async def put(self, path: str, body: Any = None, **query: Any) -> httpx.Response:
        return await self.http.put(API + path, json=body, params=query)

    async def post(self, path: str, body: Any = None, **query: Any) -> httpx.Response:
        return await self.http.post(API + path, json=body, params=query)

    async def delete(self, path: str) -> httpx.Response:
        return await self.http.delete(API + path)

    async def read(self, path: str, **query: Any) -> Any:
        """`data` of an answer that must be a success."""
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def control(self, path: str, body: Any = None, method: str = "POST") -> Any:
        answer = await self.http.request(method, f"/_control{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def place(self, count: int = 1, **rest: Any) -> list[OrderRow]:
        return place_orders(self.market, self.shop, Placement(count, **rest))

    def add(self, parent_sku: str, *skus: str, stock: int = 10, price: float = 10.0) -> dict[str, Any]:
        """A product with these SKUs; returns it as stored."""
        listing = Listing(f"Product {parent_sku}", parent_sku, {sku: {} for sku in skus}, price, stock=stock)
        add_listings(self.market, self.shop, (listing,))
        return list(self.shop.catalogue)[-1].document

    def wait(self, seconds: float) -> None:
        """Moves the marketplace's clock."""
        self.market.clock.offset_ms += int(seconds * 1000)

    def anonymous(self, **headers: str) -> httpx.AsyncClient:
        """A client without the token, such as a browser."""
        transport = httpx.ASGITransport(self.checked)
        return httpx.AsyncClient(transport=transport, base_url="http://wish.test", headers=headers)


@asynccontextmanager
async def simulated() -> AsyncIterator[Simulated]:
    """A shop with two mugs for sale and no orders; any answer that breaks the contract fails the test."""
    market = Marketplace()
    market.switches.change({"rate_per_s": None})
    shop = market.add_merchant(login="seller", display_name="Test shop")
    app = market.add_app(REDIRECT_URI, "Test app")
    token = market.grant(app, shop)
    checked = CheckedApp(create_app(market))
    headers = {"Authorization": f"Bearer {token.value}"}
    transport = httpx.ASGITransport(checked)
    async with httpx.AsyncClient(transport=transport, base_url="http://wish.test", headers=headers) as http:
        made = Simulated(market, shop, app, token, checked, http)
        made.add("MUG", "MUG-RED", "MUG-BLUE")
        yield made
    assert checked.problems == []
