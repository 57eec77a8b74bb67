"""Many integrations that are due at once and mostly have no news: how fast, how evenly, at what cost."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
from tests.postgres import PostgresServer
from tests.processes import Deployment, ServerProcess, WorkerProcess, start_server

from benchmarks.load import Latency, steady_load
from benchmarks.raw_sockets import request
from benchmarks.seeds import connected_shops
from benchmarks.table import WrongResult

PATIENCE_S = 300
API_READS_PER_S = 50
_BEHIND = "SELECT count(*) FROM schedules WHERE kind = 'orders' AND last_success_at IS NULL"
_DUE = "UPDATE schedules SET next_at = {now} WHERE kind = 'orders'"


@dataclass(frozen=True)
class Polls:
    """Every shop asked once. `start_p95_s` is when 95 % had been asked, `seconds` when all were closed."""

    shops: int
    seconds: float
    start_p95_s: float
    cpu_us: float
    peak_mb: float
    api: Latency

    @property
    def per_s(self) -> float:
        """Shops asked and closed a second."""
        return self.shops / self.seconds


@dataclass(frozen=True)
class Crowd:
    """So many shops due at once. `workers` are processes of their own; without any the service does it all."""

    shops: int
    latency_s: float = 0.0
    workers: int = 0
    concurrency: int = 64


def polls(crowd: Crowd, server: PostgresServer | None = None) -> Polls:
    """A service whose shops all become due in the same moment, on SQLite or on a database of the server."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        wish = running.enter_context(quiet_wish(folder, crowd.latency_s))
        deployment = Deployment(folder, _settings(crowd, wish, server))
        deployment.command("migrate")
        key = deployment.create_key("admin")
        asyncio.run(connected_shops(deployment, crowd.shops))
        service = deployment.serve()
        running.callback(service.stop)
        workers = [deployment.work() for _ in range(crowd.workers)]
        for worker in workers:
            running.callback(worker.stop)
        return asyncio.run(_measure(crowd, Running(deployment, service, workers, wish, key)))


@dataclass(frozen=True)
class Running:
    """What is at work during a measurement."""

    deployment: Deployment
    service: ServerProcess
    workers: list[WorkerProcess]
    wish: ServerProcess
    key: str

    def cpu_s(self) -> float:
        """Processor time of the service and its workers so far, without the database's."""
        return sum(process.cpu_s() for process in (self.service, *self.workers))


@contextmanager
def quiet_wish(folder: Path, latency_s: float) -> Iterator[ServerProcess]:
    """A Wish without news as a process of its own."""
    here = {"PYTHONPATH": str(Path(__file__).parents[1])}
    wish = start_server(["benchmarks.quiet_wish", str(latency_s)], here, folder / "wish.log")
    try:
        yield wish
    finally:
        wish.kill()


def _settings(crowd: Crowd, wish: ServerProcess, server: PostgresServer | None) -> dict[str, str]:
    settings = {
        "CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url,
        "CHANNEL_SYNC_WISH_RATE_PER_S": "1000",
        "CHANNEL_SYNC_PUBLIC_URL": "http://localhost:8000",
        "CHANNEL_SYNC_ORDER_INTERVAL_S": "86400",
        "CHANNEL_SYNC_SYNC_CONCURRENCY": str(crowd.concurrency),
    }
    if server is not None:
        name = f"bench_{uuid4().hex}"
        asyncio.run(server.run(f"CREATE DATABASE {name}"))
        settings["CHANNEL_SYNC_DATABASE_URL"] = server.url(name)
    if crowd.workers:
        settings["CHANNEL_SYNC_JOBS"] = "distributed"
    return settings


async def _measure(crowd: Crowd, running: Running) -> Polls:
    enough = asyncio.Event()
    listing = request(running.service.url, running.key, "/integrations?limit=50")
    reading = asyncio.create_task(steady_load(repeat(listing), API_READS_PER_S, enough))
    await asyncio.sleep(0.5)
    cpu_before, started = running.cpu_s(), time.time()
    await _tell(running.deployment, _DUE.format(now=int(started * 1_000_000)))
    try:
        seconds = await _all_closed(running.deployment, started)
    finally:
        enough.set()
        latency = await reading
    cpu_us = (running.cpu_s() - cpu_before) / crowd.shops * 1_000_000
    asked = await _asked(running.wish)
    if len(asked) != crowd.shops:
        raise WrongResult(f"Wish was asked {len(asked)} times by {crowd.shops} shops")
    peak_mb = max(process.peak_memory_mb() for process in (running.service, *running.workers))
    return Polls(crowd.shops, seconds, asked[int(crowd.shops * 0.95)] - started, cpu_us, peak_mb, latency)


async def _asked(wish: ServerProcess) -> list[float]:
    async with httpx.AsyncClient() as client:
        return sorted((await client.get(f"{wish.url}/stats", timeout=30)).json())


async def _all_closed(deployment: Deployment, started: float) -> float:
    while time.time() < started + PATIENCE_S:
        await asyncio.sleep(0.1)
        if await _tell(deployment, _BEHIND) == 0:
            return time.time() - started
    raise TimeoutError("The shops were not all asked.")


async def _tell(deployment: Deployment, sql: str) -> int | None:
    """The first value the database answers a statement with."""
    url = deployment.settings["CHANNEL_SYNC_DATABASE_URL"]
    if url.startswith("postgresql:"):
        connection = await asyncpg.connect(url)
        try:
            value: int | None = await connection.fetchval(sql)
            return value
        finally:
            await connection.close()
    return await asyncio.to_thread(_tell_sqlite, deployment.database, sql)


def _tell_sqlite(file: Path, sql: str) -> int | None:
    connection = sqlite3.connect(file, timeout=30, isolation_level=None)
    try:
        row = connection.execute(sql).fetchone()
        return None if row is None else row[0]
    finally:
        connection.close()
