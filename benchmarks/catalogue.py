"""Rows of the table about a large catalogue: how long its mapping takes, and what others notice of it."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

from tests.live_shop import LiveShop, connect, new_shop, wait_for_run
from tests.postgres import PostgresServer
from tests.processes import ServerProcess

from benchmarks.load import Latency, steady_load, timed_load
from benchmarks.raw_sockets import Request, request
from benchmarks.stage import Stage, postgres, stage, wish_with_orders
from benchmarks.table import WrongResult, row

PRODUCTS = 20_000
VARIATIONS = 5
WRITES_PER_S = 20
WRITE_MS = 100.0
BEFORE_S = 10.0
PATIENCE_S = 300


def of_catalogue() -> None:
    """On either store."""
    with wish_with_orders(0) as (wish, small):
        large = new_shop(small.controls, "large")
        large.add_products(PRODUCTS, VARIATIONS)
        _of_a_store("SQLite", wish, small, large)
        with postgres() as server:
            _of_a_store("PostgreSQL", wish, small, large, server)


def _of_a_store(
    store: str, wish: ServerProcess, small: LiveShop, large: LiveShop, server: PostgresServer | None = None
) -> None:
    with stage(wish, small, server) as place:
        beside = connect(place.client, small, "Small")
        wait_for_run(place.client, beside, "listings", PATIENCE_S)
        before = asyncio.run(timed_load(_writes(place, beside), WRITES_PER_S, BEFORE_S))
        run, latency = asyncio.run(_mapped_beside_writes(place, beside, large))
    variations = PRODUCTS * VARIATIONS
    if run["counts"]["created"] != variations:
        raise WrongResult(f"{run['counts']['created']:,} of {variations:,} listings were created")
    began, ended = (datetime.fromisoformat(run[moment]) for moment in ("started_at", "finished_at"))
    seconds = (ended - began).total_seconds()
    _tell(f"{WRITES_PER_S} writes/s before a catalogue comes, {store}", before)
    name = f"catalogue of {variations:,} variations, {store}"
    row(name, f"{seconds:.0f} s, {variations / seconds:,.0f}/s")
    _tell(f"{WRITES_PER_S} writes/s meanwhile", latency, f"p99 ≤ {WRITE_MS:.0f} ms, 0 failures")


def _tell(name: str, latency: Latency, goal: str = "") -> None:
    text = f"p50 {latency.p50_ms:.1f}, p99 {latency.p99_ms:.1f}, worst {latency.worst_ms:.0f} ms"
    row(name, f"{text}; {latency.failures} of {latency.requests} failed", goal)


async def _mapped_beside_writes(place: Stage, beside: str, large: LiveShop) -> tuple[dict[str, Any], Latency]:
    """The run that maps the large shop's catalogue, and the latency of writes that have nothing to do with it."""
    enough = asyncio.Event()
    load = asyncio.create_task(steady_load(_writes(place, beside), WRITES_PER_S, enough))
    try:
        run = await asyncio.to_thread(_map, place, large)
    finally:
        enough.set()
        latency = await load
    return run, latency


def _map(place: Stage, large: LiveShop) -> dict[str, Any]:
    return wait_for_run(place.client, connect(place.client, large, "Large"), "listings", PATIENCE_S)


def _writes(place: Stage, beside: str) -> Iterator[Request]:
    """In turn a new name for the other integration and a new level for a SKU; each changes something."""
    url = place.service.url
    for number in count():
        if number % 2:
            yield request(url, place.key, f"/integrations/{beside}", "PATCH", {"name": f"Small, name {number}"})
        else:
            level = {"sku": f"OTHER-{number % 100}", "available": number % 1000}
            yield request(url, place.key, "/stock", "PUT", {"items": [level]})
