"""Rows of the table about answering for orders: exports, and what support asks for."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
import httpx
from tests.live_shop import LiveShop, connect, wait_for_run
from tests.postgres import PostgresServer
from tests.processes import ServerProcess, api

from benchmarks.stage import Stage, postgres, stage, wish_with_orders
from benchmarks.table import WrongResult, row
from channel_sync.api.export_columns import ORDINARY, PERSONAL

ORDERS = 100_000
ASKED = 300
_ALL = ",".join(ORDINARY)
_FORMS = (
    ("CSV", "≥ 20 000 rows/s", {"format": "csv", "columns": _ALL}),
    ("JSON lines", "≥ 20 000 rows/s", {"format": "jsonl", "columns": _ALL}),
    ("CSV with addresses", "", {"format": "csv", "columns": f"{_ALL},{','.join(PERSONAL)}"}),
)
_PATIENCE_S = 300


@dataclass(frozen=True)
class Export:
    """One export that was taken as a whole: its rows, and how long it took."""

    rows: int
    seconds: float

    @property
    def rows_per_s(self) -> float:
        """Rows taken a second."""
        return self.rows / self.seconds


def of_support(orders: int = ORDERS) -> None:
    """A shop's orders downloaded, then exported and asked about, on either store."""
    with wish_with_orders(orders) as (wish, shop):
        _on("SQLite", wish, shop, orders)
        shop.consent()
        with postgres() as server:
            _on("PostgreSQL", wish, shop, orders, server)


def _on(
    store: str, wish: ServerProcess, shop: LiveShop, orders: int, server: PostgresServer | None = None
) -> None:
    with stage(wish, shop, server) as place:
        integration_id = connect(place.client, shop)
        wait_for_run(place.client, integration_id, "orders", _PATIENCE_S)
        asyncio.run(_analysed(place))
        # A process that has downloaded nothing has room for nothing but what an export takes.
        place.service.stop()
        place.service = place.deployment.serve()
        with api(place.service, place.key) as client:
            client.get("/orders").raise_for_status()
            _exports(store, place, client, orders)
            _reads(store, place.service, client, integration_id)


async def _analysed(place: Stage) -> None:
    """As PostgreSQL does by itself within a minute; until then it reads and sorts whole tables for a page."""
    url = place.deployment.settings["CHANNEL_SYNC_DATABASE_URL"]
    if url.startswith("postgresql:"):
        connection = await asyncpg.connect(url)
        await connection.execute("ANALYZE")
        await connection.close()


def _exports(store: str, place: Stage, client: httpx.Client, orders: int) -> None:
    before_mb = place.service.peak_memory_mb()
    for name, goal, query in _FORMS:
        spent_s = place.service.cpu_s()
        result = _taken(client, query)
        per_cpu_s = result.rows / (place.service.cpu_s() - spent_s)
        if result.rows != orders + (query["format"] == "csv"):
            raise WrongResult(f"{result.rows} rows of {orders} orders")
        measured = f"{result.rows_per_s:,.0f} rows/s, {per_cpu_s:,.0f} a second of our processor time"
        row(f"export of {orders:,} orders, {name}, {store}", measured, goal)
    grown_mb = place.service.peak_memory_mb() - before_mb
    row(f"memory that these exports took, {store}", f"{grown_mb:.0f} MB", "≤ 20 MB")


def _taken(client: httpx.Client, query: dict[str, str]) -> Export:
    started = time.perf_counter()
    with client.stream("GET", "/orders/export", params=query, timeout=_PATIENCE_S) as answer:
        answer.raise_for_status()
        rows = sum(part.count(b"\n") for part in answer.iter_raw())
    return Export(rows, time.perf_counter() - started)


def _reads(store: str, service: ServerProcess, client: httpx.Client, integration_id: str) -> None:
    order = client.get("/orders").json()["items"][0]
    explained = f"/integrations/{integration_id}/orders/{order['channel_order_id']}/explain"
    row(
        f"GET …/explain, with Wish's own time, {store}",
        _latency(service, client, explained),
        "≤ 300 ms without it",
    )
    for name, place in (
        ("GET /orders/{id}/timeline", f"/orders/{order['id']}/timeline"),
        ("GET …/diagnostics", f"/integrations/{integration_id}/diagnostics"),
        ("GET /orders, 50 to be shipped", "/orders?state=approved&fulfilment=merchant"),
        ("GET /orders, 50 that nobody has", "/orders?state=in_review&fulfilment=other"),
    ):
        row(f"{name}, {store}", _latency(service, client, place), "p99 ≤ 50 ms")


def _latency(service: ServerProcess, client: httpx.Client, place: str) -> str:
    """One after the other. Our processor time is what does not depend on who else works on the machine."""
    spent_s = service.cpu_s()
    taken = sorted(_ms(lambda: client.get(place).raise_for_status()) for _ in range(ASKED))
    ours_ms = (service.cpu_s() - spent_s) * 1000 / ASKED
    p50, p99 = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
    return f"p50 {p50:.1f}, p99 {p99:.1f} ms, {ours_ms:.1f} of our processor time"


def _ms(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1000
