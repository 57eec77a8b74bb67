"""Which products are told their stock, in which order, and how many at once. No database, no shop."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from channel_sync.domain.channel_rules import StockRules
from channel_sync.domain.listings import (
    Listing,
    ListingStock,
    Omitted,
    ProductStock,
    Waiting,
    units_in,
    units_there,
)
from channel_sync.domain.stock import Arithmetic, StockLevel

_WITH_CARE_AT_ONCE = 30


def plan(
    stale: Sequence[tuple[Listing, StockLevel]], arithmetic: Arithmetic, warehouse_id: str
) -> list[ProductStock]:
    """Stale listings by product, the steepest decrease first: an oversold unit costs more than an unsold one."""
    products: dict[str, list[ListingStock]] = {}
    changes: list[tuple[str, int]] = []
    for listing, level in stale:
        rules = (listing.sku_rules, listing.rules)
        told = arithmetic.quantities(*level.free, warehouse_id, *rules)
        ours, units = dict(told), sum(units for _, units in told)
        changes.append((listing.product_id, units - units_in(ours, listing.quantities)))
        others = tuple(place for place in listing.quantities if place[0] not in ours)
        stock = ListingStock(
            listing.id, listing.variation_id, level.version, units, told, others, listing.wanted_at
        )
        products.setdefault(listing.product_id, []).append(stock)
    return [ProductStock(product_id, tuple(products[product_id])) for product_id in _steepest_first(changes)]


def emptied(
    waiting: Iterable[tuple[Listing, StockLevel] | Waiting],
    arithmetic: Arithmetic,
    warehouse_id: str,
    released_at: datetime | None,
) -> set[str]:
    """Ids of those that have units in the shop and are told to have none.

    Not those that waited already when a person let them go.
    """
    found: set[str] = set()
    for each in waiting:
        one, level = (each, each) if isinstance(each, Waiting) else each
        if released_at is not None and one.wanted_at is not None and one.wanted_at <= released_at:
            continue
        told = arithmetic.quantities(*level.free, warehouse_id, one.sku_rules, one.rules)
        if not any(units for _, units in told) and units_there(one, dict(told)) > 0:
            found.add(one.listing_id if isinstance(one, Waiting) else one.id)
    return found


def turns(waiting: Sequence[Waiting], arithmetic: Arithmetic, warehouse_id: str) -> list[list[str]]:
    """The ids of many stale listings by product, in the same order."""
    products: dict[str, list[str]] = {}
    changes: list[tuple[str, int]] = []
    for one in waiting:
        told = arithmetic.quantities(*one.free, warehouse_id, one.sku_rules, one.rules)
        change = sum(units for _, units in told) - units_in(dict(told), one.quantities)
        changes.append((one.product_id, change))
        products.setdefault(one.product_id, []).append(one.listing_id)
    return [products[product_id] for product_id in _steepest_first(changes)]


def _steepest_first(changes: Iterable[tuple[str, int]]) -> list[str]:
    steepest: dict[str, int] = {}
    for product_id, change in changes:
        steepest[product_id] = min(change, steepest.get(product_id, change))
    return sorted(steepest, key=steepest.__getitem__)


def first_batch(products: Sequence[ProductStock], rules: StockRules) -> list[ProductStock]:
    """As many of the first products as one bulk job takes, at least one."""
    batch: list[ProductStock] = []
    size = 0
    for product in products[: rules.bulk_products]:
        size += _size(product, rules)
        if batch and size > rules.bulk_bytes:
            break
        batch.append(product)
    return batch


def with_care(
    products: Sequence[ProductStock], known: Omitted | None
) -> tuple[Sequence[ProductStock], Sequence[ProductStock]]:
    """Those that are read right before they are written, as many as are sent at a time, and those that are not.

    While nobody knows what becomes of other warehouses, the product that shows it best goes alone.
    """
    shared = [] if known is Omitted.KEPT else [product for product in products if product.is_shared]
    apart = {product.product_id for product in shared}
    others = [product for product in products if product.product_id not in apart]
    if known is None and shared:
        teacher = max(shared, key=_units_elsewhere)
        if _units_elsewhere(teacher):
            return [teacher], []
    return shared[:_WITH_CARE_AT_ONCE], others


def halves(products: Sequence[ProductStock]) -> tuple[Sequence[ProductStock], Sequence[ProductStock]]:
    """The first and the second half."""
    middle = len(products) // 2
    return products[:middle], products[middle:]


def _units_elsewhere(product: ProductStock) -> int:
    return sum(units for listing in product.listings for _, units in listing.others)


def _size(product: ProductStock, rules: StockRules) -> int:
    warehouses = sum(len(stock.quantities) for stock in product.listings)
    return rules.bytes_a_listing * len(product.listings) + rules.bytes_a_warehouse * warehouses
