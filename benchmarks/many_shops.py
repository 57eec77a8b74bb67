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

import asyncpg
import httpx
from tests.postgres import PostgresServer
from tests.processes import Deployment, ServerProcess, WorkerProcess, start_server

from benchmarks.load import Latency, steady_load
from benchmarks.raw_sockets import request
from benchmarks.seeds import access_token, connected_shops
from benchmarks.stage import fresh_database
from benchmarks.table import WrongResult

PATIENCE_S = 300
API_READS_PER_S = 50
_BEHIND = "SELECT count(*) FROM schedules WHERE kind = 'orders' AND last_success_at IS NULL"
_LAST = "SELECT max(last_success_at) FROM schedules WHERE kind = 'orders'"
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
    """So many shops due at once, and who serves them; Wish never answers the first `stuck` of them.

    `workers` are processes of their own; without any, one service does it all. `replicas` only answer requests.
    """

    shops: int
    latency_s: float = 0.0
    workers: int = 0
    concurrency: int = 64
    replicas: int = 1
    stuck: int = 0


def polls(crowd: Crowd, server: PostgresServer | None = None) -> Polls:
    """A service whose shops all become due in the same moment, on SQLite or on a database of the server."""
    with at_work(crowd, server) as running:
        return asyncio.run(measure(crowd, running))


def answered_after_s(crowd: Crowd, server: PostgresServer | None = None) -> float:
    """Seconds from the first call until every shop that Wish answers was closed, all having become due at once."""
    with at_work(crowd, server) as running:
        return asyncio.run(_until_the_last(crowd, running))


@dataclass(frozen=True)
class Running:
    """What is at work during a measurement."""

    deployment: Deployment
    replicas: list[ServerProcess]
    workers: list[WorkerProcess]
    wish: ServerProcess
    key: str

    @property
    def service(self) -> ServerProcess:
        """The only replica, or the first of them."""
        return self.replicas[0]

    def cpu_s(self) -> float:
        """Processor time of the service and its workers so far, without the database's."""
        return sum(process.cpu_s() for process in (*self.replicas, *self.workers))


@contextmanager
def at_work(crowd: Crowd, server: PostgresServer | None = None) -> Iterator[Running]:
    """The crowd's processes, started, on SQLite or on a database of the server; no shop is due for an hour."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        stuck = [access_token(place) for place in range(crowd.stuck)]
        wish = running.enter_context(quiet_wish(folder, crowd.latency_s, *stuck))
        deployment = Deployment(folder, _settings(crowd, wish, server), from_scratch=True)
        deployment.command("migrate")
        key = deployment.create_key("admin")
        asyncio.run(connected_shops(deployment, crowd.shops))
        replicas, workers = [], []
        for _ in range(crowd.replicas):
            replicas.append(deployment.serve())
            # To stop politely is to wait for what is stuck.
            running.callback(replicas[-1].kill if crowd.stuck else replicas[-1].stop)
        for _ in range(crowd.workers):
            workers.append(deployment.work())
            running.callback(workers[-1].stop)
        yield Running(deployment, replicas, workers, wish, key)


@contextmanager
def quiet_wish(folder: Path, latency_s: float, *stuck: str) -> Iterator[ServerProcess]:
    """A Wish without news as a process of its own; calls with the access tokens in `stuck` are never answered."""
    with own_server(folder, "quiet_wish", str(latency_s), *stuck) as wish:
        yield wish


@contextmanager
def own_server(folder: Path, module: str, *arguments: str) -> Iterator[ServerProcess]:
    """A server of these benchmarks as a process of its own."""
    here = {"PYTHONPATH": str(Path(__file__).parents[1])}
    process = start_server([f"benchmarks.{module}", *arguments], here, folder / f"{module}.log", from_scratch=True)
    try:
        yield process
    finally:
        process.kill()


def _settings(crowd: Crowd, wish: ServerProcess, server: PostgresServer | None) -> dict[str, str]:
    settings = {
        "CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url,
        "CHANNEL_SYNC_WISH_RATE_PER_S": "1000",
        "CHANNEL_SYNC_PUBLIC_URL": "http://localhost:8000",
        "CHANNEL_SYNC_ORDER_INTERVAL_S": "86400",
        "CHANNEL_SYNC_SYNC_CONCURRENCY": str(crowd.concurrency),
        # On, as anywhere, and never spent.
        "CHANNEL_SYNC_RATE_LIMIT_PER_S": "1000000",
    }
    if server is not None:
        settings["CHANNEL_SYNC_DATABASE_URL"] = fresh_database(server)
    if crowd.workers or crowd.replicas > 1:
        settings["CHANNEL_SYNC_JOBS"] = "distributed"
    return settings


async def measure(crowd: Crowd, running: Running) -> Polls:
    """Every shop made due, asked and closed, while the list of integrations is read."""
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
    peak_mb = max(process.peak_memory_mb() for process in (*running.replicas, *running.workers))
    return Polls(crowd.shops, seconds, asked[int(crowd.shops * 0.95)] - started, cpu_us, peak_mb, latency)


async def _asked(wish: ServerProcess) -> list[float]:
    async with httpx.AsyncClient() as client:
        return sorted((await client.get(f"{wish.url}/stats", timeout=30)).json())


async def _until_the_last(crowd: Crowd, running: Running) -> float:
    started = time.time()
    await _tell(running.deployment, _DUE.format(now=int(started * 1_000_000)))
    await _all_closed(running.deployment, started, but=crowd.stuck)
    last = await _tell(running.deployment, _LAST)
    assert last is not None
    return last / 1_000_000 - (await _asked(running.wish))[0]


async def _all_closed(deployment: Deployment, started: float, but: int = 0) -> float:
    while time.time() < started + PATIENCE_S:
        await asyncio.sleep(0.1)
        if await _tell(deployment, _BEHIND) == but:
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
