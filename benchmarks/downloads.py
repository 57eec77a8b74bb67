"""Order downloads: how fast, in how much memory, and what the API does meanwhile."""

import asyncio
import sqlite3
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import repeat
from typing import Any

import asyncpg
from tests.live_shop import LiveShop, connect, new_shop, wait_for_run
from tests.postgres import PostgresServer
from tests.processes import Deployment, ServerProcess

from benchmarks.limits import Truth
from benchmarks.load import Latency, timed_load
from benchmarks.raw_sockets import request
from benchmarks.stage import Stage, stage
from benchmarks.table import WrongResult

PATIENCE_S = 300
_AMOUNTS = "SELECT revenue_amount FROM orders"
_CREATED = "SELECT count(*) FROM events WHERE type = 'order.created'"


@dataclass(frozen=True)
class Download:
    """One checked download."""

    orders: int
    seconds: float
    peak_mb: float

    @property
    def orders_per_s(self) -> float:
        """Orders stored a second, from the first call to the last commit."""
        return self.orders / self.seconds


@dataclass(frozen=True)
class Look:
    """One run that found nothing new, and the calls it made to Wish."""

    seconds: float
    calls: int


def download(
    wish: ServerProcess,
    shop: LiveShop,
    truth: Truth,
    server: PostgresServer | None = None,
    patience_s: float = PATIENCE_S,
) -> Download:
    """The first download of the whole shop into a fresh SQLite database, or into one of the server."""
    with stage(wish, shop, server) as place:
        return measured(place, truth, patience_s=patience_s)


def download_and_look_again(
    wish: ServerProcess, shop: LiveShop, truth: Truth, passes: int, server: PostgresServer | None = None
) -> tuple[Download, list[Look]]:
    """The same download, and then that many runs on the same database that find nothing new."""
    with stage(wish, shop, server) as place:
        first = measured(place, truth)
        looks = [_look(place) for _ in range(passes)]
        check_stored(place.deployment, truth)
        return first, looks


def download_under_load(
    wish: ServerProcess, shop: LiveShop, truth: Truth, rate_per_s: float
) -> tuple[Download, Latency]:
    """The same download while the list of integrations is read `rate_per_s` times a second."""
    with stage(wish, shop) as place:
        for number in range(49):
            connect(place.client, new_shop(shop.controls, f"seller-{number}"), f"Shop {number:02}")
        reading = _Reader(place, rate_per_s, truth.orders / 3000)
        result = measured(place, truth, reading)
        return result, reading.latency()


def restart(wish: ServerProcess, shop: LiveShop, truth: Truth) -> float:
    """Seconds from starting the service on a database that holds the orders until it is ready."""
    with stage(wish, shop) as place:
        measured(place, truth)
        place.service.stop()
        started = time.perf_counter()
        place.service = place.deployment.serve()
        try:
            with_ready = place.client.get(f"{place.service.url}/health/ready")
            assert with_ready.status_code == 200, with_ready.text
            return time.perf_counter() - started
        finally:
            place.service.stop()


class _Reader(threading.Thread):
    """Reads the list at a steady rate in a thread with a loop of its own."""

    def __init__(self, place: Stage, rate_per_s: float, duration_s: float) -> None:
        super().__init__()
        listing = request(place.service.url, place.key, "/integrations?limit=50")
        self._load = (repeat(listing), rate_per_s, duration_s)
        self._latency: Latency | None = None

    def run(self) -> None:
        self._latency = asyncio.run(timed_load(*self._load))

    def latency(self) -> Latency:
        """What was measured, once the load is over."""
        self.join()
        assert self._latency is not None
        return self._latency


def measured(
    place: Stage, truth: Truth, reading: _Reader | None = None, patience_s: float = PATIENCE_S
) -> Download:
    """The first download of a stage's shop, checked."""
    if reading is not None:
        reading.start()
    integration_id = connect(place.client, place.shop)
    run = wait_for_run(place.client, integration_id, "orders", patience_s)
    if run["outcome"] != "success":
        raise WrongResult(f"the run ended as {run['outcome']}, with {run['error']}")
    check_stored(place.deployment, truth)
    return Download(truth.orders, _seconds(run), place.service.peak_memory_mb())


def _look(place: Stage) -> Look:
    integration_id = place.client.get("/integrations").json()["items"][0]["id"]
    asked = place.client.post(f"/integrations/{integration_id}/runs", json={"kind": "orders"})
    assert asked.status_code in (200, 202), asked.text
    address = f"/runs/{asked.json()['id']}"
    deadline = time.monotonic() + PATIENCE_S
    while (run := place.client.get(address).json())["status"] != "finished":
        assert time.monotonic() < deadline, "a run that finds nothing did not finish"
        time.sleep(0.05)
    if run["outcome"] != "no_changes":
        raise WrongResult(f"a run with nothing to find ended as {run['outcome']}")
    return Look(_seconds(run), len(place.client.get(f"{address}/calls").json()["items"]))


def _seconds(run: dict[str, Any]) -> float:
    started, finished = (datetime.fromisoformat(run[member]) for member in ("started_at", "finished_at"))
    return (finished - started).total_seconds()


def check_stored(deployment: Deployment, truth: Truth) -> None:
    """Raise WrongResult unless the orders stored are the orders of the shop, each told as created once."""
    amounts, events = _stored(deployment)
    revenue = sum(map(Decimal, amounts), Decimal(0))
    if (len(amounts), revenue, events) != (truth.orders, truth.revenue, truth.orders):
        raise WrongResult(f"{len(amounts)} orders worth {revenue}, {events} events; the shop has {truth}")


def _stored(deployment: Deployment) -> tuple[list[str], int]:
    """What each order earns, and how many were told as created."""
    url = deployment.settings["CHANNEL_SYNC_DATABASE_URL"]
    if url.startswith("postgresql:"):
        return asyncio.run(_stored_in_postgres(url))
    with sqlite3.connect(f"file:{deployment.database}?mode=ro", uri=True) as connection:
        amounts = [row[0] for row in connection.execute(_AMOUNTS)]
        return amounts, connection.execute(_CREATED).fetchone()[0]


async def _stored_in_postgres(url: str) -> tuple[list[str], int]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(_AMOUNTS)], await connection.fetchval(_CREATED)
    finally:
        await connection.close()
