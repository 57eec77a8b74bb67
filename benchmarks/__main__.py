"""`make bench`: every figure the project promises, measured on real servers, as one table.

Each download is checked, row by row and to the cent, against the shop read by other code; a wrong result is
no figure. Machines differ: the ratios travel, the seconds do not. Names on the command line choose groups of rows:
orders, postgres, memory, api, stock, shops (many integrations due at once), workers.
"""

import asyncio
import statistics
import sys

from benchmarks.crowds import of_one_process, of_workers
from benchmarks.downloads import Download, download, download_under_load, restart
from benchmarks.limits import Truth, copy_only_s, load_only_s, read_the_shop
from benchmarks.rows import row
from benchmarks.stage import fresh_database, postgres, wish_with_orders
from benchmarks.stock import push

ORDERS = 100_000
MANY_ORDERS = 300_000
ROUNDS = 3
READS_PER_S = 200


def main() -> None:
    """Measure and print; arguments name the groups of rows wanted."""
    groups = set(sys.argv[1:]) or {"orders", "postgres", "memory", "api", "stock", "shops", "workers"}
    print("| what | measured | goal |\n| --- | --- | --- |")
    if groups & {"orders", "postgres", "api", "memory"}:
        _of_orders(groups)
    if "stock" in groups:
        _of_stock()
    if "shops" in groups:
        of_one_process()
    if "workers" in groups:
        of_workers()


def _of_orders(groups: set[str]) -> None:
    usual_mb = 0.0
    with wish_with_orders(ORDERS) as (wish, shop):
        raw: list[bytes] = []
        truth = asyncio.run(read_the_shop(wish.url, shop, raw))
        if groups & {"orders", "memory"}:
            rounds = [download(wish, shop, truth) for _ in range(ROUNDS if "orders" in groups else 1)]
            usual_mb = statistics.median(result.peak_mb for result in rounds)
            _speed(rounds, truth, raw)
        if "orders" in groups:
            row("start to ready with 100 000 orders stored", f"{restart(wish, shop, truth):.2f} s", "≤ 3 s")
        if "postgres" in groups:
            with postgres() as server:
                rounds = [download(wish, shop, truth, server) for _ in range(ROUNDS)]
                _into_postgres(rounds, asyncio.run(copy_only_s(raw, fresh_database(server))))
        if "api" in groups:
            result, latency = download_under_load(wish, shop, truth, READS_PER_S)
            goal = "p99 ≤ 50 ms, 0 failures"
            name = f"GET /integrations?limit=50 at {READS_PER_S}/s while a download runs"
            text = f"p50 {latency.p50_ms:.1f}, p99 {latency.p99_ms:.1f}, worst {latency.worst_ms:.0f} ms"
            row(name, f"{text}; {latency.failures} of {latency.requests} failed", goal)
            row("that download", f"{result.orders_per_s:,.0f} orders/s", "≥ 3 000 orders/s")
    if "memory" in groups:
        _memory(usual_mb)


def _speed(rounds: list[Download], truth: Truth, raw: list[bytes]) -> None:
    best = statistics.median(result.seconds for result in rounds)
    each = ", ".join(f"{result.orders_per_s:,.0f}" for result in rounds)
    name = f"download of {ORDERS:,} orders into SQLite"
    row(name, f"{ORDERS / best:,.0f} orders/s (each: {each})", "≥ 15 000 orders/s")
    row("that, against loading the same bytes alone", f"{load_only_s(raw) / best:.0%} of its speed", "")
    row("that, against fetching the same pages alone", f"{truth.fetch_s / best:.0%} of its speed", "")
    row("peak memory", f"{max(result.peak_mb for result in rounds):.0f} MB", "< 250 MB")


def _into_postgres(rounds: list[Download], copy_s: float) -> None:
    """PostgreSQL on the same two cores, with its default durability."""
    best = statistics.median(result.seconds for result in rounds)
    each = ", ".join(f"{result.orders_per_s:,.0f}" for result in rounds)
    row(f"download of {ORDERS:,} orders into PostgreSQL", f"{ORDERS / best:,.0f} orders/s (each: {each})", "")
    row("that, against COPY of the same bytes alone", f"{copy_s / best:.0%} of its speed", "")


def _memory(usual_mb: float) -> None:
    with wish_with_orders(MANY_ORDERS) as (wish, shop):
        truth = asyncio.run(read_the_shop(wish.url, shop))
        result = download(wish, shop, truth)
    measured = f"{result.peak_mb:.0f} MB, {result.peak_mb / usual_mb:.2f} of that at {ORDERS:,}"
    row(f"peak memory at {MANY_ORDERS:,} orders", measured, "≤ 1.10")
    row(f"download of {MANY_ORDERS:,} orders", f"{result.orders_per_s:,.0f} orders/s", "")


def _of_stock() -> None:
    with wish_with_orders(0) as (wish, shop):
        result = push(wish, shop)
    row(f"bulk jobs for {result.skus:,} changed SKUs", str(result.jobs), f"≤ {result.allowed_jobs}")
    row("time until all stand at Wish", f"{result.seconds:.1f} s", f"≤ {result.allowed_s:.1f} s")


if __name__ == "__main__":
    main()
