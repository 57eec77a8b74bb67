"""`make bench`: every figure the project promises, measured on real servers, as one table.

Each download is checked, row by row and to the cent, against the shop read by other code; a wrong result is
no figure. Machines differ: the ratios travel, the seconds do not.

`python -m benchmarks GROUP …` measures some of it: orders, postgres, memory, api, stock, catalogue (a large one,
and writes beside its mapping), rereads (what reading a large one again costs), reads (the list of integrations
beside a bare route, and at steady rates), shops (many integrations due at once), support (exports, and what is
asked of single orders), lags (how late orders and stock are, and whether two shops sell one unit), workers.

Four more have to be named. `profile` tells where the time goes, with a profiler that it installs below
var/benchmarks. `million` downloads a million orders, for which 5 GB of memory and 5 GB of disk must be free.
`tables` fills a PostgreSQL with ten million orders, for which 15 GB of disk must be free. `peers` downloads the
same orders with dlt, the Singer SDK, Airbyte's CDK and PyAirbyte, in turn with ours. It installs them, at fixed
versions, in the same place the first time (1.4 GB); a round takes six minutes or more: `--rounds 3` for fewer
rounds, `--only dlt,singer` for fewer peers.
"""

import argparse
import asyncio
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.postgres import NoPostgres, PostgresServer

from benchmarks.catalogue import of_catalogue
from benchmarks.crowds import of_a_stuck_shop, of_one_process, of_workers
from benchmarks.downloads import Download, download, download_under_load, restart
from benchmarks.lags import of_lags
from benchmarks.large_tables import of_large_tables
from benchmarks.limits import Truth, copy_only_s, load_only_s, read_the_shop
from benchmarks.memory import of_a_million, of_many_downloads
from benchmarks.peers.environments import PINS
from benchmarks.peers.side_by_side import Ground, compare
from benchmarks.profile import of_profile
from benchmarks.reads import of_reads
from benchmarks.rereads import of_rereads
from benchmarks.stage import fresh_database, postgres, wish_with_orders
from benchmarks.stock import push
from benchmarks.support import of_support
from benchmarks.table import row

ORDERS = 100_000
LISTINGS = 100_000
MANY_ORDERS = 300_000
ROUNDS = 5
PEER_ROUNDS = 5
A_DAY_LATER = "2026-11-02T00:00:00.000Z"
READS_PER_S = 200
GROUPS = {
    *("orders", "postgres", "memory", "api", "stock", "catalogue", "rereads", "reads", "shops", "support"),
    *("lags", "workers"),
}
TO_BE_NAMED = {"million", "tables", "peers", "profile"}


def main() -> None:
    """Measure and print what the arguments name."""
    asked = _arguments()
    groups = set(asked.groups) or GROUPS
    print("| what | measured | goal |\n| --- | --- | --- |")
    if groups & {"orders", "postgres", "api", "memory"}:
        _of_orders(groups)
    if "stock" in groups:
        _of_stock()
    if "catalogue" in groups:
        of_catalogue()
    if "rereads" in groups:
        of_rereads(asked.listings)
    if "reads" in groups:
        of_reads()
    if "shops" in groups:
        of_one_process()
        of_a_stuck_shop()
    if "support" in groups:
        of_support()
    if "lags" in groups:
        of_lags()
    if "workers" in groups:
        of_workers()
    if "profile" in groups:
        of_profile()
    if "million" in groups:
        of_a_million()
    if "tables" in groups:
        of_large_tables()
    if "peers" in groups:
        _of_peers(asked.orders, asked.rounds, set(asked.only.split(",")) if asked.only else set(PINS))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks")
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=", ".join((*sorted(GROUPS), *sorted(TO_BE_NAMED)))
    )
    parser.add_argument("--rounds", type=int, default=PEER_ROUNDS, help="how often each peer runs (%(default)s)")
    parser.add_argument("--only", default="", help=f"peers to measure, of {','.join(PINS)}")
    parser.add_argument(
        "--listings", type=int, default=LISTINGS, help="of the shop that is read again (%(default)s)"
    )
    parser.add_argument("--orders", type=int, default=ORDERS, help="orders that peers download (%(default)s)")
    asked = parser.parse_args()
    if unknown := set(asked.groups) - GROUPS - TO_BE_NAMED:
        parser.error(f"unknown group: {', '.join(sorted(unknown))}")
    if asked.only and (unknown := set(asked.only.split(",")) - set(PINS)):
        parser.error(f"unknown peer: {', '.join(sorted(unknown))}")
    return asked


def _of_orders(groups: set[str]) -> None:
    usual_mb = 0.0
    with wish_with_orders(ORDERS) as (wish, shop):
        raw: list[bytes] = []
        truth = asyncio.run(read_the_shop(wish.url, shop, raw))
        if groups & {"orders", "memory"}:
            rounds = []
            for _ in range(ROUNDS if "orders" in groups else 1):
                rounds.append((download(wish, shop, truth), load_only_s(raw)))
            usual_mb = statistics.median(result.peak_mb for result, _ in rounds)
            _speed(rounds, truth)
        if "orders" in groups:
            row("start to ready with 100 000 orders stored", f"{restart(wish, shop, truth):.2f} s", "≤ 3 s")
        if "postgres" in groups:
            with postgres() as server:
                rounds = []
                for _ in range(ROUNDS):
                    copied_s = asyncio.run(copy_only_s(raw, fresh_database(server)))
                    rounds.append((download(wish, shop, truth, server), copied_s))
                _tell_speed("PostgreSQL", rounds, "COPY of the same bytes alone")
        if "api" in groups:
            result, latency = download_under_load(wish, shop, truth, READS_PER_S)
            goal = "p99 ≤ 50 ms, 0 failures"
            name = f"GET /integrations?limit=50 at {READS_PER_S}/s while a download runs"
            text = f"p50 {latency.p50_ms:.1f}, p99 {latency.p99_ms:.1f}, worst {latency.worst_ms:.0f} ms"
            row(name, f"{text}; {latency.failures} of {latency.requests} failed", goal)
            row("that download", f"{result.orders_per_s:,.0f} orders/s", "≥ 3 000 orders/s")
    if "memory" in groups:
        _memory(usual_mb)
        of_many_downloads()


def _speed(rounds: list[tuple[Download, float]], truth: Truth) -> None:
    _tell_speed("SQLite", rounds, "loading the same bytes alone", "≥ 15 000 orders/s")
    best = statistics.median(result.seconds for result, _ in rounds)
    row("that, against fetching the same pages alone", f"{truth.fetch_s / best:.0%} of its speed", "")
    row("peak memory", f"{max(result.peak_mb for result, _ in rounds):.0f} MB", "≤ 200 MB")


def _tell_speed(store: str, rounds: list[tuple[Download, float]], limit: str, goal: str = "") -> None:
    """Each round is a download and the seconds that the limit took beside it."""
    per_s = statistics.median(result.orders_per_s for result, _ in rounds)
    each = ", ".join(f"{result.orders_per_s:,.0f}" for result, _ in rounds)
    row(f"download of {ORDERS:,} orders into {store}", f"{per_s:,.0f} orders/s (each: {each})", goal)
    shares = [limit_s / result.seconds for result, limit_s in rounds]
    each = ", ".join(f"{share:.0%}" for share in shares)
    row(f"that, against {limit}", f"{statistics.median(shares):.0%} of its speed (each: {each})", "")


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


def _of_peers(orders: int, rounds: int, only: set[str]) -> None:
    with wish_with_orders(orders - 1) as (wish, shop):
        # Ours looks back ten minutes, the peers not at all. In that time stands this one order, as in a real shop.
        shop.place_orders(1, updated_at=A_DAY_LATER)
        truth = asyncio.run(read_the_shop(wish.url, shop))
        with _postgres_if_there() as server:
            compare(Ground(wish, shop, truth, server), rounds, only)


@contextmanager
def _postgres_if_there() -> Iterator[PostgresServer | None]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgres())
        except NoPostgres:
            yield None
            return
        yield server


if __name__ == "__main__":
    main()
