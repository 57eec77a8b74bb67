"""A real database, a marketplace in memory, and the runs between them."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, text
from tests.fake_channel import FakeChannel, polled
from tests.fake_shop import FakeMerchant
from tests.flows.goods import START
from tests.stored import newest_run

from channel_sync.domain.channel import Environment
from channel_sync.domain.channel_rules import PollWaits
from channel_sync.domain.clock import utcnow
from channel_sync.domain.events import Event
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import Account, Integration
from channel_sync.domain.orders import Order, UnreadPage
from channel_sync.domain.runs import Lane, Run, RunKind, RunRequest, Trigger
from channel_sync.domain.secrets import Secret
from channel_sync.domain.stock import CountedOrders, StockItem
from channel_sync.flows.grants.service import Grants
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.job_leases import JobLeases
from channel_sync.flows.leases import Lease
from channel_sync.flows.order_changes.walk import CarryOutChanges
from channel_sync.flows.orders.download import DownloadLimits
from channel_sync.flows.orders.held_releases import HeldReleases
from channel_sync.flows.orders.prepare import PageContext, PageReader, ReadyPage
from channel_sync.flows.orders.reconcile import ReconcileOrders
from channel_sync.flows.orders.ship_by import ShipByNotices
from channel_sync.flows.orders.sync import SyncOrders
from channel_sync.flows.prune import Prune
from channel_sync.flows.runs.service import RunRules, Runs
from channel_sync.flows.runs.session import Walk
from channel_sync.flows.stock.listings import SyncListings
from channel_sync.flows.stock.push import PushStock
from channel_sync.flows.stock.put import PutStock, StockAnswer
from channel_sync.flows.stock.reservations import SettleReservations
from channel_sync.jobs.schedule import Flows
from channel_sync.persistence.database import Database
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.sql.paging import PageRequest

TENANT = "acme"
IMPATIENT = PollWaits(0.01, 0.05, (0.01,), 0.05)


class NoReader:
    """The marketplace in memory reads its own pages, however large."""

    async def read(self, page: UnreadPage, context: PageContext) -> ReadyPage:
        raise AssertionError("An unread page.")


@dataclass
class Workshop:
    """One process. `another` is a second one on the same database and marketplace."""

    database: Database
    channel: FakeChannel = field(default_factory=FakeChannel)
    owner: str = "process-1"
    nudges: int = 0
    waits: PollWaits | None = None
    stale_after_s: float = 60
    heartbeat_s: float = 15
    pages_ahead: int = 16
    walks: dict[RunKind, Walk] = field(default_factory=dict)
    reader: PageReader = field(default_factory=NoReader)

    def __post_init__(self) -> None:
        if self.waits is not None:
            self.channel.rules = polled(self.waits)
        lease = Lease(self.owner, self.stale_after_s, self.heartbeat_s)
        grants = Grants(self.database, {"wish": self.channel}, lease, confirm_after_s=0.01)
        limits = DownloadLimits(asyncio.Semaphore(self.pages_ahead), self.reader)
        self.shops = Shops(grants, {"wish": self.channel})
        walks: dict[RunKind, Walk] = {
            RunKind.ORDERS: SyncOrders(timedelta(minutes=10), limits),
            RunKind.RECONCILE: ReconcileOrders(timedelta(minutes=10), limits),
            RunKind.ORDER_CHANGES: CarryOutChanges(),
            RunKind.LISTINGS: SyncListings(timedelta(minutes=10)),
            RunKind.STOCK: PushStock(),
        }
        rules = RunRules(lease)
        self.runs = Runs(self.database, self.shops, walks | self.walks, rules, self.nudge)
        releases, notices = HeldReleases(self.database, self.shops), ShipByNotices(self.database)
        self.reservations = SettleReservations(self.database, {"wish": self.channel}, self.nudge)
        prune, leases = Prune(self.database), JobLeases(self.database)
        self.work = Flows(self.runs, grants, prune, notices, releases, self.reservations, leases)
        self.put_stock = PutStock(self.database, self.nudge)

    def nudge(self) -> None:
        self.nudges += 1

    def another(self, owner: str = "process-2", **changes: Any) -> "Workshop":
        """Another process beside or after this one."""
        return Workshop(self.database, self.channel, owner, **changes)

    async def connect(self, merchant_id: str = "m1", **changes: Any) -> Integration:
        """An active integration of a new shop."""
        merchant = self.channel.merchants.get(merchant_id) or self.channel.open_shop(merchant_id)
        now = utcnow()
        members: dict[str, Any] = {"default_currency": "GBP", "activated_at": now, "orders_from": START} | changes
        account = Account(
            new_id("acc", now), TENANT, "wish", Environment.PRODUCTION, merchant_id, "app", None, None, None, None
        )
        integration = Integration(
            id=new_id("int", now),
            tenant=TENANT,
            channel="wish",
            environment=Environment.PRODUCTION,
            name=merchant_id,
            client_id="app",
            client_secret_last4="",
            client_secret_updated_at=now,
            created_at=now,
            updated_at=now,
            status_since=now,
            **members,
        )
        async with self.database.begin() as work:
            await work.accounts.add(account)
            await work.integrations.add(integration, Secret("app-secret-long-enough"))
            await work.accounts.attach(account.id, integration.id, "app", merchant.shop_name)
            await work.credentials.store_grant(integration.id, self.channel.issue(merchant_id), 0)
            connected = await work.integrations.get(TENANT, integration.id)
            return await work.integrations.save(replace(connected, account_id=account.id))

    async def queue(self, integration: Integration, kind: RunKind = RunKind.ORDERS, **members: Any) -> Run:
        """A queued run that a person asked for."""
        trigger = Trigger.BACKFILL if "window_from" in members else Trigger.MANUAL
        request = RunRequest(integration.id, kind, members.pop("trigger", trigger), **members)
        run, _ = await self.runs.request(TENANT, request)
        return run

    async def run(self, integration: Integration, kind: RunKind = RunKind.ORDERS, **members: Any) -> Run:
        """A run carried out, as it is afterwards."""
        run = await self.queue(integration, kind, **members)
        await self.runs.execute(run.id)
        return await self.look(run)

    async def due(self, integration: Integration, kind: RunKind = RunKind.ORDERS) -> Run | None:
        """The newest run of the kind after the clock's turn, as if it were due now."""
        async with self.database.begin() as work:
            await work.schedules.hurry(integration.id, kind, utcnow())
        await self.runs.start_due(kind)
        for run_id in await waiting(self.runs):
            await self.runs.execute(run_id)
        async with self.database.read() as work:
            return await newest_run(work, integration.id, kind)

    async def look(self, run: Run) -> Run:
        async with self.database.read() as work:
            return await work.runs.get(TENANT, run.id)

    async def orders(self) -> list[Order]:
        async with self.database.read() as work:
            page = await work.orders.feed(TENANT, OrderFeedQuery(), PageRequest(5000, None), personal=True)
        return page.items

    async def events(self, *types: str) -> list[Event]:
        async with self.database.read() as work:
            return await work.events.after(TENANT, None, types, 5000)

    async def cursor(self, integration: Integration) -> datetime | None:
        async with self.database.read() as work:
            return (await work.accounts.get(integration.account_id or "")).order_cursor

    async def put(self, *items: tuple[str, int], counted: CountedOrders = CountedOrders.ALL) -> list[StockAnswer]:
        """Wanted stock levels, (sku, available) each."""
        return await self.put_stock.put(TENANT, [StockItem(sku, available) for sku, available in items], counted)

    async def rows(self, *tables: str) -> dict[str, list[tuple[object, ...]]]:
        """Every row of some tables, to be compared with later."""
        async with self.database.session() as session:
            return {table: sorted(await session.run(partial(_all, table)), key=repr) for table in tables}

    def shop(self, merchant_id: str = "m1") -> FakeMerchant:
        return self.channel.merchants[merchant_id]


async def waiting(runs: Runs) -> list[str]:
    """Ids of the queued runs of every lane."""
    return [run_id for lane in Lane for run_id in await runs.queued(lane, 100)]


def _all(table: str, plain: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in plain.execute(text(f"SELECT * FROM {table}"))]
