"""The front page: one shop's newest orders and its stock, for a person to watch."""

from collections import Counter

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from wish_simulator.catalogue import ProductRow, stock_of
from wish_simulator.documents import Document
from wish_simulator.marketplace import Marketplace
from wish_simulator.order_book import OrderQuery, OrderRow
from wish_simulator.order_operations import STATES
from wish_simulator.pages import Pages
from wish_simulator.shop import Shop
from wish_simulator.trade import Placement, place_orders

MOST_ORDERS = 30
MOST_PRODUCTS = 40


class ShopPage:
    def __init__(self, market: Marketplace, pages: Pages) -> None:
        self._market = market
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/", self.show, methods=["GET"]),
            Route("/shop/view", self.show_view, methods=["GET"]),
            Route("/shop/orders", self.place_order, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        shop = self._shop(request.query_params.get("merchant_id", ""))
        if shop is None:
            return self._pages.message("An empty marketplace", "There is no shop yet.")
        shops = list(self._market.shops.values())[:20]
        problem = "Everything is sold out." if "sold_out" in request.query_params else ""
        return self._pages.show("shop.html", shop=shop, shops=shops, problem=problem, view=self._view(shop))

    async def show_view(self, request: Request) -> Response:
        shop = self._shop(request.query_params.get("merchant_id", ""))
        if shop is None:
            return Response(status_code=404)
        return self._pages.show("shop_view.html", view=self._view(shop))

    async def place_order(self, request: Request) -> Response:
        """A customer buys one of whatever is in stock, something else each time."""
        form = await request.form()
        shop = self._shop(str(form.get("merchant_id", "")))
        if shop is None:
            return Response(status_code=404)
        back = f"/?merchant_id={shop.merchant.id}"
        offers = [
            variation
            for row, variation in shop.catalogue.offers()
            if row.document["state"] == "ACTIVE" and stock_of(variation)
        ]
        if not offers:
            return RedirectResponse(f"{back}&sold_out", 303)
        chosen = offers[len(shop.orders) % len(offers)]
        place_orders(self._market, shop, Placement(sku=chosen["sku"]))
        return RedirectResponse(back, 303)

    def _shop(self, merchant_id: str) -> Shop | None:
        if merchant_id:
            return self._market.shops.get(merchant_id)
        return next(iter(self._market.shops.values()), None)

    def _view(self, shop: Shop) -> dict[str, object]:
        self._market.catch_up()
        counts = Counter(row.state for row in shop.orders)
        rows = shop.orders.page(OrderQuery(limit=MOST_ORDERS))
        return {
            "orders": [_order_line(row) for row in rows],
            "order_count": len(shop.orders),
            "counts": [(state, counts[state]) for state in STATES],
            "units": sum(stock_of(variation) for _, variation in shop.catalogue.offers()),
            "warehouses": shop.warehouses,
            "products": [_product_lines(shop, row) for row in list(shop.catalogue)[:MOST_PRODUCTS]],
            "product_count": len(shop.catalogue),
        }


def _order_line(row: OrderRow) -> dict[str, object]:
    """Tolerates orders with members missing or null, which tests may place."""
    document = row.document()
    payment = _inside(document, "order_payment", "general_payment_details")
    total = _inside(payment, "payment_total")
    product = _inside(document, "product_information")
    tracking = (document.get("tracking_information") or [{}])[0]
    progress = f"{document.get('processing_source') or ''} {document.get('processing_status') or ''}"
    return {
        "id": row.id,
        "state": row.state,
        "progress": progress.replace("_", " ").lower().strip(),
        "sku": product.get("sku", ""),
        "name": product.get("name", ""),
        "quantity": payment.get("product_quantity", ""),
        "total": f"{total['amount']:.2f} {total['currency_code']}" if total else "",
        "updated": str(document.get("updated_at", ""))[:19].replace("T", " "),
        "carrier": _inside(tracking, "shipping_provider").get("name", ""),
        "tracking": tracking.get("tracking_number", ""),
    }


def _inside(document: Document, *names: str) -> Document:
    for name in names:
        document = document.get(name) or {}
    return document


def _product_lines(shop: Shop, row: ProductRow) -> dict[str, object]:
    variations = [
        {
            "id": variation["id"],
            "sku": variation["sku"],
            "status": variation["status"],
            "stock": [_stock(variation, warehouse.id) for warehouse in shop.warehouses],
        }
        for variation in row.variations
    ]
    return {"name": row.document["name"], "state": row.document["state"], "variations": variations}


def _stock(variation: Document, warehouse_id: str) -> int | None:
    places = variation["inventories"]
    return next((place["inventory"] for place in places if place["warehouse_id"] == warehouse_id), None)
