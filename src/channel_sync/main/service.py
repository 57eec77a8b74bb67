"""The service put together: database → channels → flows → jobs → api."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx
from fastapi import FastAPI

from channel_sync.api.app import create_api
from channel_sync.api.services import ApiSettings, DocsMode, Services
from channel_sync.api.tokens import Issuer
from channel_sync.channels.wish.channel import WishChannel
from channel_sync.channels.wish.client import ClientLimits
from channel_sync.channels.wish.http_client import wish_http_client
from channel_sync.domain.channel import Channel, Environment
from channel_sync.domain.runs import RunKind
from channel_sync.flows.authorise import Addresses, Authorise
from channel_sync.flows.credentials import Credentials
from channel_sync.flows.grants import Grants
from channel_sync.flows.held_orders import Held
from channel_sync.flows.lifecycle import Lifecycle
from channel_sync.flows.order_download import DownloadBench
from channel_sync.flows.prune import Prune
from channel_sync.flows.push_stock import PushStock
from channel_sync.flows.put_stock import PutStock
from channel_sync.flows.ready_orders import PageReader
from channel_sync.flows.reconcile_orders import ReconcileOrders
from channel_sync.flows.run_pace import RunPace
from channel_sync.flows.run_session import Walk
from channel_sync.flows.runs import RunRules, Runs
from channel_sync.flows.shops import Shops
from channel_sync.flows.sync_listings import SyncListings
from channel_sync.flows.sync_orders import SyncOrders
from channel_sync.jobs.embedded import EmbeddedRunner
from channel_sync.jobs.schedule import JOBS, Work
from channel_sync.main.issuer import PublishedKeys
from channel_sync.main.page_reader import page_reader
from channel_sync.main.store import encryption_keys, open_database
from channel_sync.persistence import migrations
from channel_sync.persistence.database import Database
from channel_sync.process import CannotStart
from channel_sync.settings import Jobs, Settings

ORDER_PAGES_AHEAD = 16
# The clock of requests and that of jobs run side by side; together they stay below the 25 s of a stop.
STOP_JOBS_S = 15.0


class Service:
    """The running service: its app, and the way to stop what runs beside requests."""

    def __init__(self, app: FastAPI, runner: EmbeddedRunner | None) -> None:
        self.app = app
        self._runner = runner
        self._stopped: asyncio.Task[None] | None = None

    def stop_soon(self) -> None:
        """Begin to end the jobs; requests go on meanwhile."""
        if self._runner is not None and self._stopped is None:
            self._stopped = asyncio.create_task(self._runner.stop(STOP_JOBS_S))

    async def stopped(self) -> None:
        """Wait until the jobs have ended."""
        self.stop_soon()
        if self._stopped is not None:
            await self._stopped


class NoJobs:
    """The health of a process that only answers requests."""

    draining = False

    def alive(self) -> bool:
        """It has nothing that could stall."""
        return True


@asynccontextmanager
async def running(settings: Settings, public_url: str) -> AsyncIterator[Service]:
    """The whole service, jobs running; `public_url` is used where the settings name none."""
    if settings.jobs is Jobs.DISTRIBUTED:
        raise CannotStart("CHANNEL_SYNC_JOBS: distributed jobs do not exist yet; use embedded or off")
    async with AsyncExitStack() as open_things:
        database = await open_things.enter_async_context(open_database(settings))
        http = await open_things.enter_async_context(wish_http_client(settings.sync_concurrency))
        channels = _channels(settings, http)
        reader = await open_things.enter_async_context(page_reader(encryption_keys(settings), database.cipher))
        services, runner = build(settings, settings.public_url or public_url, database, channels, reader)
        service = Service(create_api(services), runner)
        if runner is not None:
            await runner.start()
        open_things.push_async_callback(service.stopped)
        yield service


def _channels(settings: Settings, http: httpx.AsyncClient) -> dict[str, Channel]:
    """Every marketplace: a new one is a line here."""
    hosts = {
        Environment.PRODUCTION: settings.wish_production_url,
        Environment.SANDBOX: settings.wish_sandbox_url,
    }
    limits = ClientLimits(settings.wish_rate_per_s, settings.sync_concurrency)
    return {"wish": WishChannel(http, hosts, limits)}


def build(
    settings: Settings,
    public_url: str,
    database: Database,
    channels: Mapping[str, Channel],
    reader: PageReader,
) -> tuple[Services, EmbeddedRunner | None]:
    """The flows on a database and channels, and what runs the jobs unless they are off."""
    runner: EmbeddedRunner | None = None

    def nudge() -> None:
        if runner is not None:
            runner.nudge()

    grants = Grants(database, channels)
    shops = Shops(grants, channels)
    runs = Runs(database, shops, _walks(settings, reader), _rules(settings), nudge)
    if settings.jobs is Jobs.EMBEDDED:
        runner = EmbeddedRunner(Work(runs, grants, Prune(database)), JOBS, settings.sync_concurrency)
    addresses = Addresses(public_url, f"{public_url}/wish/callback", settings.return_origins)
    services = Services(
        database=database,
        channels=channels,
        authorise=Authorise(database, channels, addresses, nudge),
        credentials=Credentials(database, channels, grants, nudge),
        lifecycle=Lifecycle(database, channels, nudge),
        runs=runs,
        put_stock=PutStock(database, nudge),
        held=Held(database, shops),
        health=runner or NoJobs(),
        settings=_api_settings(settings, public_url),
        schema_version=migrations.newest(),
        issuer=_issuer(settings),
    )
    return services, runner


def _walks(settings: Settings, reader: PageReader) -> dict[RunKind, Walk]:
    bench = DownloadBench(asyncio.Semaphore(ORDER_PAGES_AHEAD), reader)
    return {
        RunKind.ORDERS: SyncOrders(timedelta(seconds=settings.order_overlap_s), bench),
        RunKind.RECONCILE: ReconcileOrders(bench),
        RunKind.LISTINGS: SyncListings(),
        RunKind.STOCK: PushStock(),
    }


def _rules(settings: Settings) -> RunRules:
    pace = RunPace(orders_s=settings.order_interval_s, stock_s=settings.stock_interval_s)
    return RunRules(owner=secrets.token_hex(8), pace=pace)


def _api_settings(settings: Settings, public_url: str) -> ApiSettings:
    return ApiSettings(
        public_url=public_url,
        return_origins=settings.return_origins,
        docs=DocsMode(settings.docs),
        rate_limit_per_s=settings.rate_limit_per_s,
        order_interval_s=settings.order_interval_s,
        stock_interval_s=settings.stock_interval_s,
    )


def _issuer(settings: Settings) -> Issuer | None:
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    return Issuer(settings.oidc_issuer, settings.oidc_audience, PublishedKeys(settings.oidc_issuer))
