"""A marketplace with something on it."""

from wish_simulator.marketplace import Marketplace
from wish_simulator.order_changes import rerelease
from wish_simulator.product_documents import Listing, a_product
from wish_simulator.shop import Shop
from wish_simulator.trade import Placement, place_orders

HOUR_MS = 3_600_000

DEMO_LISTINGS = (
    Listing(
        "Enamel mug", "MUG", {f"MUG-{c.upper()}": {"COLOR": c} for c in ("white", "blue", "red")}, 9.5, stock=24
    ),
    Listing("Linen tea towel", "TOWEL", {f"TOWEL-{c.upper()}": {"COLOR": c} for c in ("natural", "blue")}, 7.0),
    Listing(
        "Cotton T-shirt", "SHIRT", {f"SHIRT-{s}": {"SIZE": s, "COLOR": "white"} for s in "SML"}, 14.9, stock=40
    ),
    Listing(
        "Wool socks", "SOCKS", {f"SOCKS-{s}": {"SIZE": s} for s in ("36-38", "39-41", "42-44")}, 8.25, stock=15
    ),
    Listing("Desk lamp", "LAMP", {f"LAMP-{c.upper()}": {"COLOR": c} for c in ("black", "white")}, 32.0, stock=6),
    Listing("Notebook A5", "NOTE", {"NOTE-LINED": {}, "NOTE-PLAIN": {}, "NOTE-DOTTED": {}}, 5.4, stock=60),
    Listing(
        "Bicycle bell", "BELL", {f"BELL-{c.upper()}": {"COLOR": c} for c in ("black", "orange")}, 11.0, stock=8
    ),
    Listing("Canvas tote bag", "TOTE", {"TOTE-SMALL": {"SIZE": "S"}, "TOTE-LARGE": {"SIZE": "L"}}, 12.6, stock=18),
)
# Oldest first: what is old has mostly been shipped, what is new mostly waits.
DEMO_STATES = (
    *("SHIPPED", "SHIPPED", "REFUNDED", "SHIPPED", "SHIPPED", "DECLINED", "SHIPPED", "REFUNDED", "SHIPPED"),
    *("APPROVED", "SHIPPED", "REFUNDED", "APPROVED", "SHIPPED", "APPROVED", "DECLINED", "APPROVED"),
    *(
        "APPROVED",
        "REQUIRE_REVIEW",
        "APPROVED",
        "APPROVED",
        "REQUIRE_REVIEW",
        "APPROVED",
        "APPROVED",
        "REQUIRE_REVIEW",
    ),
)


def demo(market: Marketplace) -> Shop:
    """One shop, 8 products with 20 variations in 2 warehouses, 25 orders in all states. Log in as demo / demo."""
    shop = market.add_merchant(login="demo", display_name="Demo shop")
    add_listings(market, shop, DEMO_LISTINGS)
    first_ms = market.clock.now_ms() - len(DEMO_STATES) * 3 * HOUR_MS
    for number, state in enumerate(DEMO_STATES):
        at_ms = first_ms + number * 3 * HOUR_MS
        place_orders(market, shop, Placement(state=state, quantity=1 + (number % 5 == 0), first_ms=at_ms))
    returned = next(row for row in shop.orders if row.state == "SHIPPED")
    rerelease(market, shop, returned)
    return shop


def add_listings(market: Marketplace, shop: Shop, listings: tuple[Listing, ...]) -> None:
    warehouse_ids = [warehouse.id for warehouse in shop.warehouses]
    now_ms = market.clock.now_ms()
    for listing in listings:
        body = listing.body(warehouse_ids)
        shop.catalogue.put(a_product(body, next(shop.arrivals), now_ms, market.switches.time_suffix))


def many_listings(count: int, variations: int, first: int = 0, stock: int = 10) -> tuple[Listing, ...]:
    """Products named by number, for volume: SKU `P00012-3` is the fourth variation of the thirteenth."""
    return tuple(
        Listing(
            name=f"Sample product {number}",
            parent_sku=f"P{number:05d}",
            options_by_sku={f"P{number:05d}-{one}": {"SIZE": str(one)} for one in range(variations)},
            price=10 + number % 50,
            stock=stock,
        )
        for number in range(first, first + count)
    )
