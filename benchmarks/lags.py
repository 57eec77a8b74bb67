"""How late orders and stock are, and whether two shops sell the same unit."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.live_shop import LiveShop, connect, new_shop, wait_for_run

from benchmarks.stage import Stage, stage, wish_with_orders
from benchmarks.stock import put, wait_until_confirmed
from benchmarks.table import WrongResult, row

PRODUCTS, VARIATIONS = 100, 10
INTERVAL_S = 15
# Beyond the interval: to fetch the order, to settle what it takes, and to tell the other shop.
GRACE_S = 5
SALES_S = 60.0
PUTS, PUTS_PER_S = 150, 5
# As many as are set before the call is given up; tests/flows/stock/test_push.py has a thousand.
CHANGES = 500
_PATIENCE_S = 60
_LOOK_EVERY_S = 0.25


def of_lags() -> None:
    """Two shops with the same thousand SKUs on one service, on SQLite."""
    with wish_with_orders(0) as (wish, first):
        second = new_shop(first.controls, "another seller")
        for shop in (first, second):
            shop.add_products(PRODUCTS, VARIATIONS)
        with stage(wish, first) as place:
            shops = (first, second)
            ids = [connect(place.client, shop, shop.merchant_id) for shop in shops]
            for integration_id in ids:
                place.client.patch(
                    f"/integrations/{integration_id}", json={"settings": {"orders": {"interval_s": INTERVAL_S}}}
                ).raise_for_status()
                wait_for_run(place.client, integration_id, "listings", _PATIENCE_S)
            skus = sorted(first.stock().keys() & second.stock().keys())
            _one_unit_each(place, ids, skus, shops)
            _stock_lag(place, first, skus)
            _many_changes(place, second, min(second.stock().keys() - first.stock().keys()))


@dataclass
class _Sales:
    """When each shop sold each SKU, and when customers tried to."""

    sold: dict[str, list[float]] = field(default_factory=dict)
    tried: dict[str, list[float]] = field(default_factory=dict)
    by_order: dict[str, float] = field(default_factory=dict)

    def buy(self, shop: LiveShop, sku: str) -> None:
        """A customer takes one if the shop shows any."""
        now = time.time()
        self.tried.setdefault(sku, []).append(now)
        answer = shop.controls.get("/_control/stock", params={"merchant_id": shop.merchant_id, "sku": sku})
        if max(answer.json()[sku].values()) > 0:
            order = {"merchant_id": shop.merchant_id, "count": 1, "sku": sku, "quantity": 1, "lowers_stock": True}
            [order_id] = shop.control("POST", "/orders", **order)["ids"]
            self.sold.setdefault(sku, []).append(now)
            self.by_order[order_id] = now


def _one_unit_each(place: Stage, ids: Sequence[str], skus: Sequence[str], shops: Sequence[LiveShop]) -> None:
    for shop in shops:
        for sku in skus:
            _only_warehouse_of(shop, sku)
    put(place, dict.fromkeys(skus, 1))
    for integration_id in ids:
        wait_until_confirmed(place, integration_id)
    chance, sales = random.Random(20261128), _Sales()
    plan = sorted((chance.random() * SALES_S, number, sku) for sku in skus for number in range(len(shops)))
    began = time.monotonic()
    for at, number, sku in plan:
        time.sleep(max(0.0, began + at - time.monotonic()))
        sales.buy(shops[number], sku)
    lags = _order_lags(place, sales)
    name = f"order lag at an interval of {INTERVAL_S} s, {len(lags):,} orders"
    row(name, _spread(lags), f"p95 ≤ {INTERVAL_S + GRACE_S} s")
    twice = {sku: times for sku, times in sales.sold.items() if len(times) > 1}
    late = [sku for sku, times in twice.items() if max(times) - min(times) > INTERVAL_S + GRACE_S]
    allowed = sum(max(times) - min(times) <= INTERVAL_S + GRACE_S for times in sales.tried.values())
    measured = f"{len(twice)} sold twice; {len(late)} of them later than the delays explain"
    row(f"two shops, one unit, {len(skus):,} SKUs", measured, f"≤ {allowed}; 0")


def _only_warehouse_of(shop: LiveShop, sku: str) -> None:
    """Units of the other warehouse are nobody's business here."""
    shop.control("PUT", "/stock", merchant_id=shop.merchant_id, sku=sku, inventory=0)


def _order_lags(place: Stage, sales: _Sales) -> list[float]:
    """Seconds from each purchase until its order was stored."""
    deadline = time.monotonic() + INTERVAL_S + _PATIENCE_S
    stored: dict[str, float] = {}
    after: str | None = None
    while len(stored) < len(sales.by_order):
        if time.monotonic() > deadline:
            raise WrongResult(f"{len(sales.by_order) - len(stored)} orders did not arrive")
        query: dict[str, Any] = {"types": "order.created", "limit": 200, "wait_s": 5}
        page = place.client.get("/events", params=query | ({} if after is None else {"after": after})).json()
        after = page["next_cursor"]
        for event in page["items"]:
            stored[event["data"]["channel_order_id"]] = datetime.fromisoformat(event["created_at"]).timestamp()
    return [stored[order_id] - at for order_id, at in sales.by_order.items()]


def _stock_lag(place: Stage, shop: LiveShop, skus: Sequence[str]) -> None:
    """From the answer to a level until it stands at Wish, seen a quarter of a second apart."""
    chance, waiting = random.Random(1), dict[str, tuple[int, float]]()
    lags: list[float] = []
    wanted = chance.sample(list(skus), PUTS)
    began, looked = time.monotonic(), 0.0
    while wanted or waiting:
        if time.monotonic() - began > PUTS / PUTS_PER_S + _PATIENCE_S:
            raise WrongResult(f"{len(waiting)} levels did not arrive")
        due = int((time.monotonic() - began) * PUTS_PER_S) - (PUTS - len(wanted))
        for sku in [wanted.pop() for _ in range(min(max(due, 0), len(wanted)))]:
            units = chance.randint(10, 400)
            put(place, {sku: units})
            waiting[sku] = (units, time.monotonic())
        if time.monotonic() - looked > _LOOK_EVERY_S:
            at_wish, looked = shop.stock(), time.monotonic()
            for sku in [sku for sku, (units, _) in waiting.items() if max(at_wish[sku].values()) == units]:
                lags.append(looked - waiting.pop(sku)[1])
        time.sleep(0.02)
    row(f"stock lag, {PUTS} levels at {PUTS_PER_S}/s", _spread(lags), "p95 ≤ 5 s")


def _many_changes(place: Stage, shop: LiveShop, sku: str) -> None:
    """Levels of one SKU of one shop while the call that tells the first of them hangs at Wish."""
    seen = len(shop.journal())
    shop.control("POST", "/hold", path="/api/v3/products/*", method="PUT", when="before")
    began = time.monotonic()
    put(place, {sku: 401})
    time.sleep(0.5)
    for units in range(402, 402 + CHANGES - 1):
        put(place, {sku: units})
    shop.control("POST", "/release")
    hung_s = time.monotonic() - began
    last, deadline = 401 + CHANGES - 1, time.monotonic() + _PATIENCE_S
    while max(shop.stock()[sku].values()) != last:
        if time.monotonic() > deadline:
            raise WrongResult("the last value does not stand at Wish")
        time.sleep(0.2)
    time.sleep(3)
    pushes = sum(call["method"] == "PUT" for call in shop.journal()[seen:])
    measured = f"{pushes} pushes, the last value stands"
    # A call that hangs for longer than a client waits is lost, and the shop is looked at instead.
    row(f"{CHANGES:,} levels of one SKU while a push hangs for {hung_s:.0f} s", measured, "2 pushes")


def _spread(seconds: Sequence[float]) -> str:
    taken = sorted(seconds)
    middle, most = taken[len(taken) // 2], taken[int(len(taken) * 0.95)]
    return f"p50 {middle:.1f}, p95 {most:.1f}, worst {taken[-1]:.1f} s"
