"""What the machine can do at all: fetching the same pages, and loading the same bytes, with nothing else."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import aiohttp
import asyncpg
import msgspec
from tests.live_shop import BEFORE_THE_FIRST, LiveShop


class _Amount(msgspec.Struct):
    amount: Decimal


class _Details(msgspec.Struct):
    payment_total: _Amount


class _Payment(msgspec.Struct):
    general_payment_details: _Details


class _Order(msgspec.Struct):
    id: str
    updated_at: str
    order_payment: _Payment


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]


@dataclass(frozen=True)
class Truth:
    """What the shop holds, read by other code than the service's, and how long the bare fetch took."""

    orders: int
    revenue: Decimal
    fetch_s: float


async def read_the_shop(url: str, shop: LiveShop, raw: list[bytes] | None = None) -> Truth:
    """Every order of the shop once: how many, what they are worth, and the time spent waiting for pages."""
    revenue: dict[str, Decimal] = {}
    spent = 0.0
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {shop.access_token}"}) as session:
        async for page, seconds in _pages(session, url):
            spent += seconds
            for content in page:
                order = msgspec.json.decode(content, type=_Order)
                if raw is not None and order.id not in revenue:
                    raw.append(bytes(content))
                revenue[order.id] = order.order_payment.general_payment_details.payment_total.amount
    return Truth(len(revenue), sum(revenue.values(), Decimal(0)), spent)


async def _pages(session: aiohttp.ClientSession, url: str) -> AsyncIterator[tuple[list[msgspec.Raw], float]]:
    since, rows = BEFORE_THE_FIRST, 500
    while rows == 500:
        asked = time.perf_counter()
        query = {"sort_by": "updated_at.asc", "limit": "500", "updated_at_min": since}
        async with session.get(f"{url}/api/v3/orders", params=query) as answer:
            body = await answer.read()
        spent = time.perf_counter() - asked
        page = msgspec.json.decode(body, type=_Page).data
        yield page, spent
        rows, since = len(page), msgspec.json.decode(page[-1], type=_Order).updated_at
        await asyncio.sleep(0)


def load_only_s(raw: list[bytes]) -> float:
    """Seconds to write the same bytes into SQLite as durably as the service does, a page a transaction."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "load.db", isolation_level=None)
        for pragma in ("page_size=16384", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE orders (id TEXT PRIMARY KEY, content BLOB)")
        started = time.perf_counter()
        for first in range(0, len(raw), 500):
            connection.execute("BEGIN IMMEDIATE")
            rows = [(str(first + place), content) for place, content in enumerate(raw[first : first + 500])]
            connection.executemany("INSERT INTO orders VALUES (?, ?)", rows)
            connection.execute("COMMIT")
        spent = time.perf_counter() - started
        connection.close()
    return spent


async def copy_only_s(raw: list[bytes], url: str) -> float:
    """Seconds to COPY the same bytes into a table with its key and one index, a page a transaction."""
    orders = [msgspec.json.decode(content, type=_Order) for content in raw]
    rows = [(order.id, order.updated_at, content.decode()) for order, content in zip(orders, raw, strict=True)]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE orders (id text PRIMARY KEY, updated_at text, content text)")
        await connection.execute("CREATE INDEX ON orders (updated_at)")
        # The cheaper compression, where this PostgreSQL was built with it.
        with suppress(asyncpg.FeatureNotSupportedError):
            await connection.execute("ALTER TABLE orders ALTER content SET COMPRESSION lz4")
        started = time.perf_counter()
        for first in range(0, len(rows), 500):
            await connection.copy_records_to_table("orders", records=rows[first : first + 500])
        return time.perf_counter() - started
    finally:
        await connection.close()
