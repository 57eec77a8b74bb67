"""`/_control` for what is in the shops: orders, products, stock, webhooks."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from wish_simulator.catalogue import ProductRow, stock_of
from wish_simulator.clock import parsed
from wish_simulator.controls import Control, control_route
from wish_simulator.documents import Document
from wish_simulator.marketplace import Marketplace
from wish_simulator.order_book import OrderRow
from wish_simulator.order_changes import change_order, rerelease
from wish_simulator.product_changes import set_variation_stock
from wish_simulator.refusals import UnknownId
from wish_simulator.seeds import add_listings, many_listings
from wish_simulator.shop import Shop
from wish_simulator.trade import Placement, place_orders
from wish_simulator.webhooks import WebhookSender

MOST_IDS = 1000


class NewOrders(msgspec.Struct, forbid_unknown_fields=True):
    merchant_id: str
    count: int = 1
    state: str = "APPROVED"
    quantity: int = 1
    sku: str | None = None
    updated_at: str | None = None
    spacing_ms: int = 1
    lowers_stock: bool = True


class NewProducts(msgspec.Struct, forbid_unknown_fields=True):
    merchant_id: str
    count: int = 1
    variations: int = 3
    stock: int = 10


class Stock(msgspec.Struct, forbid_unknown_fields=True):
    """Without a warehouse the number is set in every warehouse."""

    merchant_id: str
    sku: str
    inventory: int
    warehouse_id: str | None = None


class ShopControls:
    def __init__(self, market: Marketplace, sender: WebhookSender) -> None:
        self._market = market
        self._sender = sender

    def routes(self) -> list[Route]:
        table: tuple[tuple[str, str, Control], ...] = (
            ("POST", "/orders", self.place),
            ("PATCH", "/orders/{id}", self.change_order),
            ("PUT", "/orders/{id}/raw", self.set_raw),
            ("POST", "/orders/{id}/rerelease", self.rerelease),
            ("POST", "/products", self.add_products),
            ("PATCH", "/products/{id}", self.change_product),
            ("PATCH", "/variations/{id}", self.change_variation),
            ("PUT", "/stock", self.set_stock),
            ("GET", "/stock", self.stock),
            ("POST", "/webhooks/deliver", self.deliver),
            ("POST", "/webhooks/test", self.send_test),
        )
        return [control_route(*line) for line in table]

    async def place(self, request: Request, body: bytes) -> object:
        wanted = msgspec.json.decode(body, type=NewOrders)
        placement = Placement(
            count=wanted.count,
            state=wanted.state,
            quantity=wanted.quantity,
            sku=wanted.sku,
            first_ms=None if wanted.updated_at is None else parsed(wanted.updated_at),
            spacing_ms=wanted.spacing_ms,
            lowers_stock=wanted.lowers_stock,
        )
        rows = place_orders(self._market, self._market.shops[wanted.merchant_id], placement)
        return {"count": len(rows), "ids": [row.id for row in rows[:MOST_IDS]]}

    async def change_order(self, request: Request, body: bytes) -> object:
        """Members sent replace those of the order, also by null. `updated_at` is now unless sent."""
        changes = msgspec.json.decode(body, type=dict[str, Any])
        shop, row = self._order(request)
        at = changes.pop("updated_at", None)
        at_ms = None if at is None else parsed(at)
        change_order(self._market, row, shop, lambda document, _: document.update(changes), at_ms)
        return row.document()

    async def set_raw(self, request: Request, body: bytes) -> object:
        """The order is shown as exactly these bytes, so that odd numbers, types and gaps can be tried."""
        _, row = self._order(request)
        msgspec.json.decode(body, type=dict[str, Any])
        row.content = body
        return {"bytes": len(body)}

    async def rerelease(self, request: Request, body: bytes) -> object:
        shop, row = self._order(request)
        rerelease(self._market, shop, row)
        return row.document()

    async def add_products(self, request: Request, body: bytes) -> object:
        wanted = msgspec.json.decode(body, type=NewProducts)
        shop = self._market.shops[wanted.merchant_id]
        first = len(shop.catalogue)
        add_listings(self._market, shop, many_listings(wanted.count, wanted.variations, first, wanted.stock))
        return {"count": wanted.count, "products": len(shop.catalogue)}

    async def change_product(self, request: Request, body: bytes) -> object:
        changes = msgspec.json.decode(body, type=dict[str, Any])
        row = self._product(request.path_params["id"])
        row.document.update(changes)
        self._touch(row)
        return row.document

    async def change_variation(self, request: Request, body: bytes) -> object:
        changes = msgspec.json.decode(body, type=dict[str, Any])
        for shop in self._market.shops.values():
            row = shop.catalogue.with_variation(request.path_params["id"])
            if row is not None:
                variation = next(one for one in row.variations if one["id"] == request.path_params["id"])
                variation.update(changes)
                self._touch(row)
                return variation
        raise UnknownId("variation")

    async def set_stock(self, request: Request, body: bytes) -> object:
        wanted = msgspec.json.decode(body, type=Stock)
        shop = self._market.shops[wanted.merchant_id]
        found = shop.catalogue.with_sku(wanted.sku)
        if found is None:
            raise UnknownId("sku")
        row, variation = found
        all_ids = [place["warehouse_id"] for place in variation["inventories"]]
        ids = all_ids if wanted.warehouse_id is None else [wanted.warehouse_id]
        set_variation_stock(self._market, shop, row, variation, dict.fromkeys(ids, wanted.inventory))
        return {"sku": wanted.sku, "stock": stock_of(variation)}

    async def stock(self, request: Request, body: bytes) -> object:
        """SKU to warehouse id to number; one SKU with `?sku=`."""
        self._market.catch_up()
        shop = self._market.shops[request.query_params["merchant_id"]]
        sku = request.query_params.get("sku")
        return {
            variation["sku"]: _by_warehouse(variation)
            for _, variation in shop.catalogue.offers()
            if sku in (None, variation["sku"])
        }

    async def deliver(self, request: Request, body: bytes) -> object:
        return {"attempts": await self._sender.send_due()}

    async def send_test(self, request: Request, body: bytes) -> object:
        wanted = msgspec.json.decode(body, type=dict[str, str])
        subscription = self._market.subscriptions.with_id(wanted["subscription_id"])
        if subscription is None:
            raise UnknownId("subscription")
        return {"is_accepted": await self._sender.send_test(subscription)}

    def _order(self, request: Request) -> tuple[Shop, OrderRow]:
        self._market.catch_up()
        for shop in self._market.shops.values():
            row = shop.orders.find(request.path_params["id"])
            if row is not None:
                return shop, row
        raise UnknownId("order")

    def _product(self, product_id: str) -> ProductRow:
        for shop in self._market.shops.values():
            row = shop.catalogue.find(product_id)
            if row is not None:
                return row
        raise UnknownId("product")

    def _touch(self, row: ProductRow) -> None:
        row.updated_ms = self._market.clock.now_ms()
        row.document["updated_at"] = self._market.written(row.updated_ms)


def _by_warehouse(variation: Document) -> dict[str, int]:
    return {place["warehouse_id"]: place["inventory"] for place in variation["inventories"]}
