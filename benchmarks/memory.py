"""Rows of the table about memory: many downloads at once, and a shop with a million orders."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import httpx
from tests.live_shop import FIRST_ORDER_AT, LiveShop, connect, new_shop, wait_for_run
from tests.processes import api

from benchmarks.downloads import check_stored, download
from benchmarks.limits import Truth, read_the_shop
from benchmarks.stage import Stage, stage, wish_with_orders
from benchmarks.table import WrongResult, row

SHOPS = 40
ORDERS_EACH = 5_000
USUAL = 100_000
MILLION = 1_000_000
MILLION_S = 180
PLACED_AT_ONCE = 100_000


def of_many_downloads() -> None:
    """Forty shops that are due when the service starts, their orders counted and added up."""
    with wish_with_orders(0) as (wish, first):
        shops = [first, *_more_shops(first)]
        truths = [asyncio.run(read_the_shop(wish.url, shop)) for shop in shops]
        with stage(wish, first, jobs="off") as place:
            for number, shop in enumerate(shops):
                connect(place.client, shop, f"Shop {number:02}")
            place.service.stop()
            peak_mb, together = _started_with_work(place)
            check_stored(place.deployment, _sum(truths))
    measured = f"{peak_mb:.0f} MB, {together} of them under way at once"
    row(f"peak memory, {SHOPS} downloads of {ORDERS_EACH:,} orders into SQLite", measured, "≤ 400 MB")


def _more_shops(first: LiveShop) -> Iterator[LiveShop]:
    first.place_orders(ORDERS_EACH)
    for number in range(1, SHOPS):
        shop = new_shop(first.controls, f"seller-{number}")
        shop.add_products(5, variations=2)
        shop.place_orders(ORDERS_EACH)
        yield shop


def _started_with_work(place: Stage) -> tuple[float, int]:
    """The service's peak of memory until every shop is downloaded, and how many were before one was done."""
    place.deployment.settings["CHANNEL_SYNC_JOBS"] = "embedded"
    service = place.deployment.serve()
    try:
        with api(service, place.key) as client:
            runs = [wait_for_run(client, one, "orders") for one in _integrations(client)]
        if any(run["outcome"] != "success" for run in runs):
            raise WrongResult(f"the runs ended as {sorted({run['outcome'] for run in runs})}")
        first_end = min(run["finished_at"] for run in runs)
        return service.peak_memory_mb(), sum(run["started_at"] < first_end for run in runs)
    finally:
        service.stop()


def _integrations(client: httpx.Client) -> list[str]:
    return [item["id"] for item in client.get("/integrations").json()["items"]]


def _sum(truths: list[Truth]) -> Truth:
    revenue = sum((truth.revenue for truth in truths), Decimal(0))
    return Truth(sum(truth.orders for truth in truths), revenue, sum(truth.fetch_s for truth in truths))


def of_a_million(orders: int = MILLION) -> None:
    """The same shop downloaded with its first 100,000 orders and with all; after three minutes it has failed.

    For a million the simulated Wish takes some 4 GB of memory, and the database 5 GB of disk.
    """
    with wish_with_orders(USUAL) as (wish, shop):
        usual = download(wish, shop, asyncio.run(read_the_shop(wish.url, shop)))
        for first in range(USUAL, orders, PLACED_AT_ONCE):
            shop.place_orders(min(PLACED_AT_ONCE, orders - first), updated_at=_placed_at(first))
        # The service has renewed the tokens it was given.
        shop.consent()
        truth = asyncio.run(read_the_shop(wish.url, shop))
        if truth.orders != orders:
            raise WrongResult(f"the shop has {truth.orders:,} orders")
        result = download(wish, shop, truth, patience_s=MILLION_S)
        wish_mb = wish.peak_memory_mb()
    ratio = f"{result.peak_mb:.0f} MB, {result.peak_mb / usual.peak_mb:.2f} of that at {USUAL:,}"
    row(f"peak memory at {orders:,} orders", ratio, "≤ 1.15")
    row(f"download of {orders:,} orders", f"{result.orders_per_s:,.0f} orders/s", "")
    row("memory that the simulated Wish took for them", f"{wish_mb:,.0f} MB", "")


def _placed_at(place: int) -> str:
    """When the order at that place was placed: orders come one a millisecond."""
    at = datetime.fromisoformat(FIRST_ORDER_AT) + timedelta(milliseconds=place)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
