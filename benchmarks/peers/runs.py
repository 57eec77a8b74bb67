"""One run of one peer: its own process and store, told by JSON, its result counted by us."""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from tests.live_shop import BEFORE_THE_FIRST, LiveShop
from tests.postgres import PostgresServer
from tests.processes import ServerProcess

from benchmarks.peers.environments import interpreter

SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE_S = 1800
# The total inside an order, as each of the layouts keeps it.
FLAT = "order_payment__general_payment_details__payment_total__amount"
SQLITE_JSON = "json_extract(order_payment, '$.general_payment_details.payment_total.amount')"
POSTGRES_JSON = "order_payment #>> '{general_payment_details,payment_total,amount}'"


_NAMES_AN_ERROR = re.compile(r"[\w.]*(Error|Exception|Failed\w*)\b")


class PeerFailed(Exception):
    """A peer ended without a figure. Leave it out and say so."""


# What comes of a peer that ended well and said or stored something else than it should.
_UNEXPECTED = (LookupError, ValueError, ArithmeticError, sqlite3.Error, asyncpg.PostgresError)


@dataclass(frozen=True)
class Peer:
    """A peer in one set-up. `amount` is SQL for what an order is worth, "" where its script counts by itself."""

    name: str
    environment: str
    script: str
    amount: str = ""
    postgres: bool = False
    options: tuple[tuple[str, Any], ...] = ()
    passes: int = 3


@dataclass(frozen=True)
class Result:
    """Seconds of the first load and of each pass without news, and what is stored after them.

    `calls` is the most that a pass of ours made; how many a peer makes is its own affair.
    """

    first_s: float
    again_s: list[float]
    rows: int
    ids: int
    revenue: Decimal
    calls: int = 0


def run(peer: Peer, wish: ServerProcess, shop: LiveShop, server: PostgresServer | None) -> Result:
    """The shop downloaded by the peer into a fresh store, and looked at again `passes` times."""
    try:
        return _run(peer, wish, shop, server)
    except _UNEXPECTED as unexpected:
        raise PeerFailed(f"not the result expected: {unexpected!r}") from unexpected


def _run(peer: Peer, wish: ServerProcess, shop: LiveShop, server: PostgresServer | None) -> Result:
    python = interpreter(peer.environment)
    shop.consent()
    job = {"url": wish.url, "token": shop.access_token, "since": BEFORE_THE_FIRST, "passes": peer.passes}
    with tempfile.TemporaryDirectory() as folder:
        job |= {"folder": folder, **dict(peer.options)}
        if peer.postgres:
            assert server is not None
            return _into_postgres(peer, python, job, server)
        # Python's default of five seconds for a lock is short where dlt loads several tables at once.
        job["store"] = f"sqlite:///{folder}/orders.db?timeout=60"
        said = _told(peer, python, job)
        if peer.amount:
            with closing(sqlite3.connect(f"{folder}/orders.db")) as stored:
                return _result(said, stored.execute(f"SELECT id, {peer.amount} FROM orders").fetchall())
        return Result(said["first_s"], said["again_s"], said["rows"], said["ids"], Decimal(said["revenue"]))


def _into_postgres(peer: Peer, python: Path, job: dict[str, Any], server: PostgresServer) -> Result:
    name = f"bench_{uuid4().hex}"
    asyncio.run(server.run(f"CREATE DATABASE {name}"))
    try:
        # dlt insists on a host and a password; the folder of the socket, given after them, wins.
        store = server.url(name).replace("postgres@/", "postgres:none@localhost/")
        said = _told(peer, python, {**job, "store": store})
        return _result(said, asyncio.run(_stored(server.url(name), peer.amount)))
    finally:
        asyncio.run(server.run(f"DROP DATABASE {name} WITH (FORCE)"))


async def _stored(url: str, amount: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        rows: list[Any] = await connection.fetch(f"SELECT id, {amount} FROM shop.orders")
        return rows
    finally:
        await connection.close()


def _result(said: dict[str, Any], stored: list[Any]) -> Result:
    revenue = sum((Decimal(str(amount)) for _, amount in stored), Decimal(0))
    return Result(said["first_s"], said["again_s"], len(stored), len({order for order, _ in stored}), revenue)


def _why(said: str) -> str:
    """The errors named in what a peer said, shortened, else how it ended."""
    lines = [line.strip().replace("|", "/") for line in said.splitlines() if line.strip()]
    errors = [line[:200] for line in lines if _NAMES_AN_ERROR.match(line)] or [line[:200] for line in lines[-2:]]
    return " … ".join(list(dict.fromkeys(errors))[:4])


def _told(peer: Peer, python: Path, job: dict[str, Any]) -> dict[str, Any]:
    """The JSON in the last line of the peer's output."""
    folder = job["folder"]
    # Nothing of the user's is read or written, and nobody is told of the run.
    environment = {
        **os.environ,
        **dict.fromkeys(("HOME", "TMPDIR", "DLT_DATA_DIR", "AIRBYTE_LOGGING_ROOT"), folder),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "DO_NOT_TRACK": "1",
        "AIRBYTE_OFFLINE_MODE": "1",
    }
    line = [str(python), str(SCRIPTS / peer.script), json.dumps(job)]
    try:
        done = subprocess.run(
            line, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise PeerFailed(f"no end within {PATIENCE_S} s") from late
    if done.returncode:
        raise PeerFailed(f"exit code {done.returncode}: {_why(done.stderr)}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
