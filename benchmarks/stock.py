"""Stock: many changed SKUs on their way to Wish."""

import math
import time
from dataclasses import dataclass
from typing import Any

from tests.live_shop import LiveShop, connect, wait_for_run
from tests.processes import ServerProcess

from benchmarks.stage import Stage, stage

PRODUCTS = 2_000
VARIATIONS = 5
JOB_S = 1.0
POLL_S = 2.0
PATIENCE_S = 300


@dataclass(frozen=True)
class Push:
    """One checked push of every SKU of the shop."""

    skus: int
    jobs: int
    allowed_jobs: int
    seconds: float
    allowed_s: float


def push(wish: ServerProcess, shop: LiveShop) -> Push:
    """Change every SKU at once; from the answer of the last write to the last value standing at Wish."""
    shop.add_products(PRODUCTS, VARIATIONS)
    shop.switch(job_delay_s=JOB_S)
    with stage(wish, shop) as place:
        integration_id = connect(place.client, shop)
        wait_for_run(place.client, integration_id, "listings", PATIENCE_S)
        seen = len(shop.journal())
        skus = list(shop.stock())
        started = time.perf_counter()
        put(place, {sku: 100 + number % 400 for number, sku in enumerate(skus)})
        wait_until_confirmed(place, integration_id)
        seconds = time.perf_counter() - started
        return _checked(place, skus, seen, seconds)


def put(place: Stage, levels: dict[str, int]) -> None:
    """Set levels."""
    items = [{"sku": sku, "available": units} for sku, units in levels.items()]
    for first in range(0, len(items), 5000):
        place.client.put("/stock", json={"items": items[first : first + 5000]}).raise_for_status()


def wait_until_confirmed(place: Stage, integration_id: str) -> None:
    """Wait until no listing of the shop waits any more."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        integration: dict[str, Any] = place.client.get(f"/integrations/{integration_id}").json()
        if integration["freshness"]["stock_pending"] == 0:
            return
        time.sleep(0.1)
    raise AssertionError("the stock did not arrive")


def _checked(place: Stage, skus: list[str], seen: int, seconds: float) -> Push:
    at_wish = place.shop.stock()
    for number, sku in enumerate(skus):
        if max(at_wish[sku].values()) != 100 + number % 400:
            raise AssertionError("a SKU at Wish does not show its newest value")
    calls = place.shop.journal()[seen:]
    jobs = sum(call["method"] == "POST" and call["path"].endswith("/bulk_update") for call in calls)
    allowed_jobs = math.ceil((PRODUCTS + 5) / 250)
    return Push(len(skus), jobs, allowed_jobs, seconds, allowed_jobs * (JOB_S + POLL_S) * 1.1)
