"""Customers buy: orders appear, stock goes down."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

from wish_simulator.catalogue import ProductRow, stock_of
from wish_simulator.documents import Document, to_bytes
from wish_simulator.marketplace import Marketplace
from wish_simulator.order_book import OrderRow
from wish_simulator.order_documents import Purchase, an_order
from wish_simulator.shop import Shop


@dataclass(frozen=True)
class Placement:
    """`count` orders, one each `spacing_ms`: from `first_ms` on, or up to now. Spacing 0 gives all the same time.

    Without a SKU the customers go through all variations in turn.
    """

    count: int = 1
    state: str = "APPROVED"
    quantity: int = 1
    sku: str | None = None
    first_ms: int | None = None
    spacing_ms: int = 1
    lowers_stock: bool = True


class NothingForSale(Exception):
    """The shop has no such variation; add products first."""


def place_orders(market: Marketplace, shop: Shop, placement: Placement) -> list[OrderRow]:
    market.catch_up()
    now_ms = market.clock.now_ms()
    first_ms = placement.first_ms
    if first_ms is None:
        first_ms = now_ms - (placement.count - 1) * placement.spacing_ms
    offers = _offers(shop, placement)
    touched: dict[str, ProductRow] = {}
    rows = []
    for position in range(placement.count):
        product, variation = next(offers)
        at_ms = first_ms + position * placement.spacing_ms
        rows.append(_order(market, shop, _purchase(shop, placement, (product, variation), at_ms)))
        if placement.lowers_stock and placement.state != "DECLINED":
            touched[product.document["id"]] = product
    shop.orders.add(rows)
    for product in touched.values():
        product.updated_ms = now_ms
        product.document["updated_at"] = market.written(now_ms)
        _tell_stock(market, shop, product)
    if placement.state == "APPROVED":
        for row in rows:
            market.tell("ORDER_RELEASE", shop, row.id, row.content)
    return rows


def _offers(shop: Shop, placement: Placement) -> Iterator[tuple[ProductRow, Document]]:
    if placement.sku is None:
        offers = [offer for offer in shop.catalogue.offers() if not offer[0].is_removed]
    else:
        found = shop.catalogue.with_sku(placement.sku)
        offers = [] if found is None else [found]
    if not offers:
        raise NothingForSale(placement.sku or shop.merchant.display_name)
    start = len(shop.orders) % len(offers)
    return cycle(offers[start:] + offers[:start])


def _purchase(shop: Shop, placement: Placement, offer: tuple[ProductRow, Document], at_ms: int) -> Purchase:
    product, variation = offer
    warehouse_id = _lower(variation, placement) or shop.warehouses[0].id
    warehouse = shop.warehouse(warehouse_id)
    return Purchase(
        product=product,
        variation=variation,
        warehouse_id=warehouse_id,
        warehouse_name="" if warehouse is None else warehouse.name,
        number=next(shop.arrivals),
        state=placement.state,
        at_ms=at_ms,
        quantity=placement.quantity,
    )


def _lower(variation: Document, placement: Placement) -> str | None:
    """The warehouse the goods come from: the first that has enough, else the fullest; stock never goes below 0."""
    places = variation["inventories"]
    if not places:
        return None
    enough = [place for place in places if place["inventory"] >= placement.quantity]
    place = enough[0] if enough else max(places, key=lambda one: int(one["inventory"]))
    if placement.lowers_stock and placement.state != "DECLINED":
        place["inventory"] = max(0, place["inventory"] - placement.quantity)
    warehouse_id: str = place["warehouse_id"]
    return warehouse_id


def _order(market: Marketplace, shop: Shop, purchase: Purchase) -> OrderRow:
    document = an_order(purchase, market.switches.time_suffix)
    released_ms = None if document["released_at"] is None else purchase.at_ms
    return OrderRow(
        id=document["id"],
        arrival=purchase.number,
        state=purchase.state,
        types=tuple(document["fulfillment_order_types"]),
        updated_ms=purchase.at_ms,
        released_ms=released_ms,
        content=to_bytes(document),
    )


def _tell_stock(market: Marketplace, shop: Shop, product: ProductRow) -> None:
    product_id = product.document["id"]
    content = to_bytes(product.document)
    market.tell("PRODUCT_INVENTORY_CHANGE_WISH_USER", shop, product_id, content)
    if any(stock_of(variation) == 0 for variation in product.variations):
        market.tell("PRODUCT_SOLDOUT", shop, product_id, content)
