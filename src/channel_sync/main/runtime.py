"""What every process that works needs, opened: the database, the marketplaces, and the flows between them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from channel_sync.channels.http.transport import GuardedTransport
from channel_sync.channels.marketplace import Opening
from channel_sync.channels.registry import MARKETPLACES
from channel_sync.domain.budgets import SharedBudget
from channel_sync.domain.channel import Channel
from channel_sync.domain.clock import utcnow
from channel_sync.domain.quotas import Quotas
from channel_sync.domain.runs import RunKind
from channel_sync.flows.call_budgets import CallBudgets
from channel_sync.flows.grants.service import Grants
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.job_leases import JobLeases
from channel_sync.flows.leases import Lease
from channel_sync.flows.order_changes.walk import CarryOutChanges
from channel_sync.flows.orders.download import DownloadLimits
from channel_sync.flows.orders.held_releases import HeldReleases
from channel_sync.flows.orders.prepare import PageReader
from channel_sync.flows.orders.reconcile import ReconcileOrders
from channel_sync.flows.orders.ship_by import ShipByNotices
from channel_sync.flows.orders.sync import SyncOrders
from channel_sync.flows.prune import Prune
from channel_sync.flows.runs.service import RunRules, Runs
from channel_sync.flows.runs.session import Walk
from channel_sync.flows.scheduling.intervals import RunPace
from channel_sync.flows.stock.listings import SyncListings
from channel_sync.flows.stock.push import PushStock
from channel_sync.flows.stock.reservations import SettleReservations
from channel_sync.jobs.schedule import Flows
from channel_sync.main.engine import run_queue
from channel_sync.main.order_reader.reader import page_reader
from channel_sync.main.process import CannotStart
from channel_sync.main.store import encryption_keys, open_database
from channel_sync.persistence.database import Database
from channel_sync.setting_values import Jobs
from channel_sync.settings import Settings

_log = logging.getLogger(__name__)

_ORDER_PAGES_AHEAD = 16
# A process shows four signs of life before others may take it for dead.
_BEATS_IN_A_LEASE = 4


@dataclass(frozen=True, slots=True)
class Runtime:
    """An open database and the marketplaces, for as long as the process works."""

    settings: Settings
    database: Database
    channels: Mapping[str, Channel]
    reader: PageReader

    def work(self, nudge: Callable[[], None]) -> tuple[Flows, Shops]:
        """The flows that jobs call; `nudge` is called after each commit that made something due."""
        lease = _lease(self.settings)
        grants = Grants(self.database, self.channels, lease)
        shops = Shops(grants, self.channels)
        runs = Runs(self.database, shops, _walks(self.settings, self.reader), _rules(self.settings, lease), nudge)
        prune = Prune(self.database, self.settings.order_retention_d)
        releases, notices = HeldReleases(self.database, shops), ShipByNotices(self.database)
        reservations = SettleReservations(self.database, self.channels, nudge)
        leases = JobLeases(self.database)
        return Flows(runs, grants, prune, notices, releases, reservations, leases), shops


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """The runtime of one process; `CannotStart` says what is missing."""
    async with AsyncExitStack() as open_things:
        database = await open_things.enter_async_context(open_database(settings, run_queue(settings)))
        await check_clock(database, settings.lease_s)
        await warn_of_a_missing_wall(database)
        transport = await open_things.enter_async_context(_transport(settings))
        reader = await open_things.enter_async_context(page_reader(encryption_keys(settings), database.personal))
        shared = CallBudgets(database) if settings.jobs is Jobs.DISTRIBUTED else None
        yield Runtime(settings, database, _channels(settings, transport, shared), reader)


async def check_clock(database: Database, lease_s: float) -> None:
    """`CannotStart` where our clock is so wrong that we would take the runs of living processes for abandoned."""
    theirs = await database.clock()
    if theirs is None:
        return
    apart_s = abs((utcnow() - theirs).total_seconds())
    if apart_s > lease_s / _BEATS_IN_A_LEASE:
        raise CannotStart(f"this machine's clock is {apart_s:.0f} s away from the database's; set it right")


async def warn_of_a_missing_wall(database: Database) -> None:
    """One line in the log where the database lets our role see every tenant, which may be meant so."""
    if await database.keeps_tenants_apart() is False:
        _log.warning(
            "Row-level security does not bind this PostgreSQL role: it is a superuser, has BYPASSRLS or owns the "
            "tables. Only the code keeps tenants apart; see 'Two walls between tenants' in docs/deployment.md."
        )


def _transport(settings: Settings) -> GuardedTransport:
    """Where the marketplaces are is the operator's word; where they send us is theirs, and must be public."""
    trusted = [url for one in MARKETPLACES.values() for url in one.addresses(settings).values()]
    return GuardedTransport(settings.sync_concurrency, trusted)


def _channels(settings: Settings, transport: GuardedTransport, shared: SharedBudget | None) -> dict[str, Channel]:
    opening = Opening(settings, transport, settings.sync_concurrency, shared)
    return {one.type: one.open(opening) for one in MARKETPLACES.values()}


def _walks(settings: Settings, reader: PageReader) -> dict[RunKind, Walk]:
    limits = DownloadLimits(asyncio.Semaphore(_ORDER_PAGES_AHEAD), reader)
    overlap = timedelta(seconds=settings.order_overlap_s)
    return {
        RunKind.ORDERS: SyncOrders(overlap, limits),
        RunKind.RECONCILE: ReconcileOrders(overlap, limits),
        RunKind.ORDER_CHANGES: CarryOutChanges(),
        RunKind.LISTINGS: SyncListings(overlap),
        RunKind.STOCK: PushStock(),
    }


def _lease(settings: Settings) -> Lease:
    return Lease(seconds=settings.lease_s, beat_s=settings.lease_s / _BEATS_IN_A_LEASE)


def _rules(settings: Settings, lease: Lease) -> RunRules:
    pace = RunPace(orders_s=settings.order_interval_s, stock_s=settings.stock_interval_s)
    return RunRules(lease, pace, quotas(settings))


def quotas(settings: Settings) -> Quotas:
    """How much a tenant may have at once."""
    return Quotas(settings.drafts_per_tenant, settings.keys_per_tenant, settings.runs_per_tenant)
