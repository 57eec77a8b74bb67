"""Rows of the table about a large catalogue that is known already: what reading it again costs our side alone."""

import asyncio
import sqlite3
import time
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import asyncpg
from tests.live_shop import LiveShop, connect, new_shop, wait_for_run
from tests.postgres import PostgresServer
from tests.processes import ServerProcess

from benchmarks.stage import Stage, postgres, stage, wish_with_orders
from benchmarks.table import WrongResult, row

VARIATIONS = 5
ROUNDS = 2
PATIENCE_S = 300
_TABLES = ("listings", "stock_levels")


@dataclass(frozen=True)
class Read:
    """One run of the catalogue: its counts, how long it took, and our processor's time for it."""

    counts: dict[str, int]
    seconds: float
    cpu_s: float
    calls: int


def of_rereads(listings: int) -> None:
    """On either store: a catalogue that is unchanged, one with a change, and what changed alone."""
    with wish_with_orders(0) as (wish, small):
        large = new_shop(small.controls, "large")
        # Long enough ago that they are not what changed lately.
        large.control("POST", "/clock", offset_s=-86_400)
        large.add_products(listings // VARIATIONS, VARIATIONS)
        large.control("POST", "/clock", offset_s=0)
        _of_a_store("SQLite", wish, large, listings)
        with postgres() as server:
            _of_a_store("PostgreSQL", wish, large, listings, server)


def _of_a_store(
    store: str, wish: ServerProcess, shop: LiveShop, listings: int, server: PostgresServer | None = None
) -> None:
    with stage(wish, shop, server) as place:
        integration_id = connect(place.client, shop, "Large")
        first = wait_for_run(place.client, integration_id, "listings", PATIENCE_S)
        if first["counts"]["created"] != listings:
            raise WrongResult(f"{first['counts']['created']:,} of {listings:,} listings were created")
        at_first_mb, before = place.service.peak_memory_mb(), _state(place)
        unchanged = [_read_again(place, integration_id) for _ in range(ROUNDS)]
        if _state(place) != before or any(read.counts["unchanged"] != listings for read in unchanged):
            raise WrongResult("reading an unchanged catalogue wrote rows")
        _tell(f"unchanged catalogue of {listings:,} variations, {store}", unchanged, "0 rows written")
        peak_mb = place.service.peak_memory_mb()
        row(
            f"peak memory of those, {store}",
            f"{peak_mb:.0f} MB, {peak_mb / at_first_mb:.2f} of that of the first read",
            "≤ 1.10",
        )
        _change_one(shop, 7)
        _tell(f"the same with one listing changed, {store}", [_read_again(place, integration_id)])
        _change_one(shop, 8)
        _tell(f"what changed of it alone, one listing, {store}", [_read_changes(place, integration_id)])


def _tell(name: str, reads: list[Read], goal: str = "") -> None:
    written = sum(read.counts["created"] + read.counts["updated"] for read in reads)
    cpu = ", ".join(f"{read.cpu_s:.2f}" for read in reads)
    waited = ", ".join(f"{read.seconds:.1f}" for read in reads)
    text = f"{written} rows written; {cpu} s of our processor, {waited} s with Wish's own; {reads[0].calls} calls"
    row(name, text, goal)


def _change_one(shop: LiveShop, units: int) -> None:
    sku = next(iter(shop.stock()))
    shop.control("PUT", "/stock", merchant_id=shop.merchant_id, sku=sku, inventory=units)


def _read_again(place: Stage, integration_id: str) -> Read:
    """A whole read, which is what a person asks for."""
    cpu_s = place.service.cpu_s()
    run = place.client.post(f"/integrations/{integration_id}/runs", json={"kind": "listings"}).json()
    return _read(place, integration_id, run["id"], cpu_s)


def _read_changes(place: Stage, integration_id: str) -> Read:
    """A read of what changed, which is due when an integration is switched on."""
    before = _newest(place, integration_id)
    for enabled in (False, True):
        answer = place.client.put(f"/integrations/{integration_id}/status", json={"enabled": enabled})
        answer.raise_for_status()
    cpu_s = place.service.cpu_s()
    while (newest := _newest(place, integration_id))["id"] == before["id"]:
        time.sleep(0.05)
    return _read(place, integration_id, newest["id"], cpu_s)


def _newest(place: Stage, integration_id: str) -> dict[str, Any]:
    answer = place.client.get(f"/runs?integration_id={integration_id}&kind=listings&limit=1")
    newest: dict[str, Any] = answer.json()["items"][0]
    return newest


def _read(place: Stage, integration_id: str, run_id: str, cpu_s: float) -> Read:
    deadline = time.monotonic() + PATIENCE_S
    while (run := place.client.get(f"/runs/{run_id}").json())["status"] != "finished":
        if time.monotonic() > deadline:
            raise WrongResult("the catalogue was not read in time")
        # Whoever asks takes our processor's time, too.
        time.sleep(0.5)
    used_s = place.service.cpu_s() - cpu_s
    if run["outcome"] not in ("success", "no_changes"):
        raise WrongResult(f"the run ended as {run['outcome']}")
    began, ended = (datetime.fromisoformat(run[moment]) for moment in ("started_at", "finished_at"))
    calls = place.client.get(f"/runs/{run_id}/calls", params={"limit": 200}).json()["items"]
    return Read(run["counts"], (ended - began).total_seconds(), used_s, len(calls))


def _state(place: Stage) -> str:
    """What tells whether a row of the goods was written: on PostgreSQL how many were, else all that they hold."""
    url = place.deployment.settings["CHANNEL_SYNC_DATABASE_URL"]
    return _digest(place) if url.startswith("sqlite") else str(_written(url))


def _digest(place: Stage) -> str:
    digest = blake2b()
    with sqlite3.connect(f"file:{place.deployment.database}?mode=ro", uri=True) as connection:
        for table in _TABLES:
            for one in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2"):
                digest.update(repr(one).encode())
    return digest.hexdigest()


def _written(url: str) -> int:
    return asyncio.run(_count_written(url))


async def _count_written(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        # A server tells of what its processes did when they rest for a second.
        await asyncio.sleep(2)
        counted = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE relname = ANY($1)"
        return int(await connection.fetchval(counted, list(_TABLES)))
    finally:
        await connection.close()
