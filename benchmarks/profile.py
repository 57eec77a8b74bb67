"""Where the processor time of a process goes, sampled from outside; what is looked at is slowed by it.

A sample belongs to the innermost frame of a library or room that is named here: what the standard library does
counts for whoever called it.
"""

import asyncio
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import PostgresServer

from benchmarks.downloads import measured
from benchmarks.limits import read_the_shop
from benchmarks.many_shops import Crowd, at_work, measure
from benchmarks.peers.environments import python_with
from benchmarks.stage import postgres, stage, wish_with_orders
from benchmarks.table import row

SHOPS = 8_000
ORDERS = 100_000
_PINS = ("py-spy==0.4.3",)
_PER_S = 200
_LEAST = 0.01

# As the profiler writes a frame's file, and what that is to a reader.
_PARTS = {
    "sqlalchemy/": "SQLAlchemy",
    "asyncpg/": "asyncpg",
    "httpx/": "httpx",
    "httpx_aiohttp/": "httpx",
    "aiohttp/": "aiohttp",
    "yarl/": "aiohttp",
    "fastapi/": "FastAPI, Starlette, uvicorn",
    "starlette/": "FastAPI, Starlette, uvicorn",
    "uvicorn/": "FastAPI, Starlette, uvicorn",
    "pydantic": "FastAPI, Starlette, uvicorn",
    "concurrent/futures/": "handing over to threads",
    "asyncio/": "the event loop",
    **{
        f"channel_sync/{room}/": f"our {room}"
        for room in ("api", "jobs", "flows", "channels", "persistence", "domain", "main")
    },
}


def of_profile() -> None:
    """Shops without news and a download, on both stores."""
    _of_polls("SQLite")
    _of_a_download("SQLite")
    with postgres() as server:
        _of_polls("PostgreSQL", server)
        _of_a_download("PostgreSQL", server)


def _of_polls(store: str, server: PostgresServer | None = None) -> None:
    crowd = Crowd(SHOPS)
    with at_work(crowd, server) as running, _sampled(running.service.process.pid) as samples:
        asyncio.run(measure(crowd, running))
    _tell(f"{SHOPS:,} shops without news, {store}", samples)


def _of_a_download(store: str, server: PostgresServer | None = None) -> None:
    with wish_with_orders(ORDERS) as (wish, shop):
        truth = asyncio.run(read_the_shop(wish.url, shop))
        with stage(wish, shop, server) as place, _sampled(place.service.process.pid) as samples:
            measured(place, truth)
    _tell(f"{ORDERS:,} orders, service and helper, {store}", samples)


@contextmanager
def _sampled(process: int) -> Iterator[list[str]]:
    """What a process and those it has started do in the block, once it is left: a line for each stack."""
    profiler = python_with("py-spy", _PINS).with_name("py-spy")
    samples: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "samples"
        words = ("record", "--subprocesses", "--format", "raw", "--rate", str(_PER_S), "--output", file)
        recording = subprocess.Popen(
            [profiler, *words, "--pid", str(process)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield samples
        finally:
            recording.send_signal(signal.SIGINT)
            recording.wait(60)
        samples += file.read_text().splitlines()


def _tell(name: str, samples: Iterable[str]) -> None:
    parts: Counter[str] = Counter()
    for sample in samples:
        stack, _, times = sample.rpartition(" ")
        parts[_part(stack.split(";"))] += int(times)
    shares = [(part, times / parts.total()) for part, times in parts.most_common()]
    text = ", ".join(f"{part} {share:.0%}" for part, share in shares if share >= _LEAST)
    row(f"where the time goes: {name}", f"{text} (of {parts.total():,} samples)")


def _part(stack: list[str]) -> str:
    for frame in reversed(stack):
        for file, part in _PARTS.items():
            if f"({file}" in frame:
                return part
    return "the rest"
