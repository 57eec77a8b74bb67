"""Rows of the table about a large past: what the repositories take where a database holds years of trade.

As the role of the service, so row-level security is on; a time is that of a whole transaction. The database fits
into the machine's memory, its own cache being 256 MB: these are figures of work, not of a cold disk.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tests.app_role import AppRole
from tests.factories import a_channel_order
from tests.postgres import postgres_cluster
from tests.stored import order_rows

from benchmarks.large_tables_fill import TENANTS, Past, fill, shop, tenant
from benchmarks.table import row
from channel_sync.domain.orders import ChannelOrder, OrderState
from channel_sync.domain.runs import Lane, RunKind, RunStatus
from channel_sync.flows.prune import Prune
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.engine.tenancy import for_every_tenant, for_tenant
from channel_sync.persistence.migrations import migrate
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.rows.encryption import Cipher
from channel_sync.persistence.runs import RunQuery
from channel_sync.persistence.sql.paging import PageRequest

ROLE = AppRole("bench_app")
# Durable as it comes. A minimal log lets the fill go past it.
_OPTIONS = (
    "-c listen_addresses='' -c shared_buffers=256MB -c max_wal_size=4GB -c wal_level=minimal -c max_wal_senders=0"
)
_TIMES = 200
_ENOUGH_S = 4.0
_PAGE = 50

Ask = Callable[[UnitOfWork], Awaitable[Any]]


def of_large_tables() -> None:
    """Fill, measure and take away again."""
    past = Past()
    with postgres_cluster(_OPTIONS) as server:
        asyncio.run(server.run("CREATE DATABASE large"))
        asyncio.run(server.run(ROLE.statements(server.user), "large"))
        owners_url = server.url("large")
        migrate(owners_url)
        asyncio.run(fill(owners_url, past))
        asyncio.run(measure(owners_url, past))


async def measure(owners_url: str, past: Past) -> None:
    """Print a row for each question."""
    database = Database(ROLE.url(owners_url), Cipher({"k1": os.urandom(32)}))
    row(
        "orders, runs, events, schedules",
        f"{past.orders:,}, {past.runs:,}, {past.events:,}, {past.integrations * 4:,}",
    )
    with for_tenant(tenant(0)):
        for name, ask in (*_of_orders(past), *_of_history(past)):
            await _read(database, name, ask)
    with for_every_tenant():
        for name, ask, goal in _of_jobs():
            await _read(database, name, ask, goal)
        await _store_pages(database)
        await _changes(database)
        await _prune(database)
    await database.close()


def _of_orders(past: Past) -> Iterator[tuple[str, Ask]]:
    mine, first, deep = tenant(0), PageRequest(_PAGE), PageRequest(_PAGE, (past.orders // TENANTS * 3 // 4,))
    lately = datetime.now(UTC) - timedelta(days=1)
    feeds = {
        "": OrderFeedQuery(),
        " of an integration": OrderFeedQuery(integration_id=shop(0)),
        " of a rare state": OrderFeedQuery(state=OrderState.DECLINED),
        " of the newest state": OrderFeedQuery(state=OrderState.APPROVED),
        " of a state that none has": OrderFeedQuery(state=OrderState.UNKNOWN),
        " of an integration and a state that none has": OrderFeedQuery(shop(0), OrderState.UNKNOWN),
        " updated since yesterday": OrderFeedQuery(updated_after=lately),
        " of an integration, updated since yesterday": OrderFeedQuery(shop(0), updated_after=lately),
        " not acknowledged": OrderFeedQuery(acknowledged=False),
        " of an integration, not acknowledged": OrderFeedQuery(shop(0), acknowledged=False),
        " acknowledged": OrderFeedQuery(acknowledged=True),
        " with a marketplace's id": OrderFeedQuery(channel_order_id="cfcd208495d565ef66e7dff9"),
        " with a transaction": OrderFeedQuery(transaction_id="95d565ef66e7dff9f98764da"),
    }
    for name, query in feeds.items():
        for place, page in (("first", first), ("deep", deep)):
            yield f"orders{name}, {place} page", partial(_feed, mine, query, page)
    yield "an order by its id", lambda work: work.orders.get(mine, f"ord_{past.orders // 2:026}", personal=False)


def _of_history(past: Past) -> Iterator[tuple[str, Ask]]:
    mine, first = tenant(0), PageRequest(_PAGE)
    lists = {
        "": RunQuery(),
        " of an integration": RunQuery(shop(0)),
        " of an integration and kind": RunQuery(shop(0), RunKind.ORDERS),
        " of a frequent kind": RunQuery(kind=RunKind.ORDERS),
        " of a kind that none has": RunQuery(kind=RunKind.STOCK),
        " of a frequent status": RunQuery(status=RunStatus.FINISHED),
        " of a status that none has": RunQuery(status=RunStatus.CANCELLED),
    }
    for name, wanted in lists.items():
        yield f"runs{name}, first page", partial(_runs, mine, wanted, first)
    yield "events, oldest page of 100", lambda work: work.events.after(mine, None, (), 100)
    deep_event = f"evt_{past.events // 4 * 3:026}"
    yield "events after one", lambda work: work.events.after(mine, deep_event, (), 100)
    yield "events of a rare type", lambda work: work.events.after(mine, None, ("run.failed",), 100)
    yield "events of a type that none has", lambda work: work.events.after(mine, deep_event, ("no.such",), 100)


def _feed(mine: str, query: OrderFeedQuery, page: PageRequest, work: UnitOfWork) -> Awaitable[Any]:
    return work.orders.feed(mine, query, page, personal=False)


def _runs(mine: str, query: RunQuery, page: PageRequest, work: UnitOfWork) -> Awaitable[Any]:
    return work.runs.list(mine, query, page)


def _queued(lane: Lane, work: UnitOfWork) -> Awaitable[Any]:
    return work.runs.queued(lane, 64)


def _of_jobs() -> Iterator[tuple[str, Ask, str]]:
    now = datetime.now(UTC)
    yield "schedules due, 200 of them", lambda work: work.schedules.due(RunKind.ORDERS, now, 200), "p99 ≤ 5 ms"
    yield "whether a schedule is due", lambda work: work.schedules.due(RunKind.ORDERS, now, 1), "p99 ≤ 5 ms"
    for lane in Lane:
        yield f"runs queued in lane {lane}", partial(_queued, lane), ""
    yield "orders still open of an account", lambda work: work.orders.count_open(f"acc_{0:026}"), ""
    yield "runs to stop", lambda work: work.runs.to_stop("worker"), ""
    yield "drafts that expired", lambda work: work.integrations.expired_drafts(now, 100), ""


async def _read(database: Database, name: str, ask: Ask, goal: str = "") -> None:
    async def once() -> None:
        async with database.read() as work:
            await ask(work)

    row(name, await _timed(once), goal)


async def _write(database: Database, name: str, ask: Ask, goal: str = "") -> None:
    async def once() -> None:
        async with database.begin() as work:
            await ask(work)

    row(name, await _timed(once), goal)


async def _timed(once: Callable[[], Awaitable[None]], times: int = _TIMES) -> str:
    """A question asked many times, or as often as there is time for; the first time is not counted."""
    await once()
    taken: list[float] = []
    while len(taken) < times and sum(taken) < _ENOUGH_S:
        started = time.perf_counter()
        await once()
        taken.append(time.perf_counter() - started)
    taken.sort()
    p99 = taken[min(len(taken) - 1, int(len(taken) * 0.99))]
    return f"p50 {statistics.median(taken) * 1000:.1f}, p99 {p99 * 1000:.1f} ms ({len(taken)} times)"


@dataclass
class _Seconds:
    new: list[float]
    known: list[float]

    def text(self, taken: list[float]) -> str:
        return f"p50 {statistics.median(taken) * 1000:.0f}, worst {max(taken) * 1000:.0f} ms"


async def _store_pages(database: Database) -> None:
    """Pages of 500 orders of one account, each stored twice."""
    taken = _Seconds([], [])
    async with database.read() as work:
        account = await work.accounts.get(f"acc_{0:026}")
    for _ in range(20):
        page = [_an_order() for _ in range(500)]
        for times in (taken.new, taken.known):
            started = time.perf_counter()
            async with database.begin() as work:
                await work.orders.store_rows(account, order_rows(database, account, page, datetime.now(UTC)))
            times.append(time.perf_counter() - started)
    row("storing 500 new orders", taken.text(taken.new))
    row("storing 500 orders that are known", taken.text(taken.known))


def _an_order() -> ChannelOrder:
    name = os.urandom(12).hex()
    return a_channel_order(channel_order_id=name, raw=os.urandom(1500), updated_at=datetime.now(UTC))


async def _changes(database: Database) -> None:
    now = datetime.now(UTC)
    due = partial(_take_due, now)
    await _write(database, "taking 200 due schedules", due)
    await _write(database, "noticing a clock set back", lambda work: work.schedules.hurry_misdated(now))
    long_ago = now - timedelta(days=90)
    await _write(
        database, "closing silent runs, none", lambda work: work.runs.interrupt_silent(long_ago, ["run_x"], now)
    )
    async with database.read() as work:
        waiting = await work.runs.queued(Lane.ORDERS, 400)
    ids = iter(waiting)
    row("claiming a run", await _timed(partial(_claim, database, ids), times=len(waiting) - 1))


def _take_due(now: datetime, work: UnitOfWork) -> Awaitable[Any]:
    return work.schedules.take_due(RunKind.ORDERS, now, 200)


async def _claim(database: Database, ids: Iterator[str]) -> None:
    async with database.begin() as work:
        assert await work.run_batches.claim([next(ids)], "worker", datetime.now(UTC))


async def _prune(database: Database) -> None:
    started = time.perf_counter()
    await Prune(database).run()
    row("pruning a third of the runs and a fifth of the events", f"{time.perf_counter() - started:.0f} s")
