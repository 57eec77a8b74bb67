"""The service put together: database → channels → flows → jobs → api."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from channel_sync.api.app import create_api, openapi
from channel_sync.api.http.places import PlaceLimits
from channel_sync.api.http.services import ApiSettings, DocsMode, Services
from channel_sync.channels.registry import MARKETPLACES
from channel_sync.domain.addresses import PublicAddress, public_address
from channel_sync.flows.connecting.added_apps import AddedApps
from channel_sync.flows.connecting.authorise import Addresses, Authorise
from channel_sync.flows.connecting.callback import OAuthCallbacks
from channel_sync.flows.connecting.claims import Claims
from channel_sync.flows.connecting.consent import ConsentRedirects
from channel_sync.flows.connecting.paste import Credentials
from channel_sync.flows.connecting.redemption import Redeeming
from channel_sync.flows.connecting.second_consents import Doubts
from channel_sync.flows.integrations.lifecycle import Lifecycle
from channel_sync.flows.integrations.warehouses import Warehouses
from channel_sync.flows.order_changes.carriers import CarrierLists
from channel_sync.flows.order_changes.dispatch import Dispatches
from channel_sync.flows.order_changes.refunds import Refunds
from channel_sync.flows.orders.erasure import Erasure
from channel_sync.flows.orders.explain import ExplainOrder
from channel_sync.flows.orders.held import Held
from channel_sync.flows.stock.brake import Brakes
from channel_sync.flows.stock.explain import LookAtShop
from channel_sync.flows.stock.mapping import MapListings
from channel_sync.flows.stock.put import PutStock
from channel_sync.flows.stock.rules import ChangeStockRules
from channel_sync.jobs.dispatch import Dispatcher
from channel_sync.jobs.embedded import EmbeddedRunner
from channel_sync.jobs.schedule import JOBS, Flows
from channel_sync.main.brand import brand_of
from channel_sync.main.issuer import issuer_of
from channel_sync.main.runtime import Runtime, open_runtime, quotas
from channel_sync.main.store import open_database
from channel_sync.persistence import migrations
from channel_sync.persistence.database import Database
from channel_sync.setting_values import Jobs
from channel_sync.settings import Settings

# The clock of requests and that of jobs run side by side; together they stay below the 25 s of a stop.
STOP_JOBS_S = 15.0


Runner = EmbeddedRunner | Dispatcher


class Service:
    """The running service: its app, and the way to stop what runs beside requests."""

    def __init__(self, app: FastAPI, runner: Runner) -> None:
        self.app = app
        self._runner = runner
        self._stopped: asyncio.Task[None] | None = None

    def stop_soon(self) -> None:
        """Begin to end the jobs; requests go on meanwhile."""
        if self._stopped is None:
            self._stopped = asyncio.create_task(self._runner.stop(STOP_JOBS_S))

    async def stopped(self) -> None:
        """Wait until the jobs have ended."""
        self.stop_soon()
        if self._stopped is not None:
            await self._stopped


def contract() -> dict[str, Any]:
    """The contract of the API with every marketplace that there is."""
    return openapi(tuple(MARKETPLACES))


@asynccontextmanager
async def running(settings: Settings, public_url: str) -> AsyncIterator[Service]:
    """The whole service, jobs running; `public_url` is what browsers see."""
    async with AsyncExitStack() as open_things:
        runtime = await open_things.enter_async_context(open_runtime(settings))
        database = await open_things.enter_async_context(_of_requests(runtime))
        services, runner, doubts = build(runtime, database, public_address(public_url))
        service = Service(create_api(services), runner)
        await runner.start()
        open_things.push_async_callback(service.stopped)
        open_things.push_async_callback(doubts.stop)
        yield service


@asynccontextmanager
async def _of_requests(runtime: Runtime) -> AsyncIterator[Database]:
    """The database for requests: with connections of their own, so that they never wait behind a crowd of runs."""
    if runtime.settings.jobs is not Jobs.EMBEDDED or runtime.database.single_process:
        yield runtime.database
        return
    async with open_database(runtime.settings) as database:
        yield database


def build(runtime: Runtime, database: Database, address: PublicAddress) -> tuple[Services, Runner, Doubts]:
    """The API's services on the runtime, what runs the jobs or hands them on, what is tried beside requests."""
    runner: Runner | None = None

    def nudge() -> None:
        if runner is not None:
            runner.nudge()

    settings, channels = runtime.settings, runtime.channels
    work, shops = runtime.work(nudge)
    runner = _runner(settings, work)
    addresses = Addresses(address, settings.return_origins)
    doubts, carriers = Doubts(database, shops), CarrierLists(database, shops)
    redeeming = Redeeming(database, channels, addresses.public)
    services = Services(
        database=database,
        channels=channels,
        authorise=Authorise(database, channels, addresses, settings.drafts_per_tenant),
        consent_redirects=ConsentRedirects(database, channels),
        callbacks=OAuthCallbacks(database, channels, redeeming, doubts, nudge),
        added_apps=AddedApps(database, channels, redeeming, doubts, nudge, settings.add_app_url),
        claims=Claims(database, channels, doubts, nudge, settings.drafts_per_tenant),
        credentials=Credentials(database, channels, work.grants, doubts, nudge),
        lifecycle=Lifecycle(database, channels, work.grants, nudge),
        runs=work.runs,
        put_stock=PutStock(database, nudge),
        stock_rules=ChangeStockRules(database, channels, nudge),
        map_listings=MapListings(database, nudge),
        look_at_shop=LookAtShop(shops),
        brakes=Brakes(database, nudge),
        dispatches=Dispatches(database, shops, carriers, nudge),
        carriers=carriers,
        refunds=Refunds(database, shops, nudge),
        held=Held(database, shops),
        explain_order=ExplainOrder(database, shops, timedelta(seconds=settings.order_overlap_s)),
        warehouses=Warehouses(database, shops),
        erasure=Erasure(database),
        health=runner,
        settings=_api_settings(settings, address),
        outdated_schemas=migrations.outdated(),
        issuer=issuer_of(settings),
    )
    return services, runner, doubts


def _runner(settings: Settings, work: Flows) -> Runner:
    match settings.jobs:
        case Jobs.EMBEDDED:
            return EmbeddedRunner(work, JOBS, settings.sync_concurrency)
        case Jobs.DISTRIBUTED:
            return Dispatcher(work, JOBS)
        case Jobs.OFF:
            return Dispatcher(work, ())


def _api_settings(settings: Settings, address: PublicAddress) -> ApiSettings:
    return ApiSettings(
        address=address,
        brand=brand_of(settings),
        return_origins=settings.return_origins,
        trusted_proxies=settings.trusted_proxies,
        docs=DocsMode(settings.docs),
        rate_limit_per_s=settings.rate_limit_per_s,
        tenant_rate_limit_per_s=_of_tenant(settings),
        quotas=quotas(settings),
        # So that requests which do not wait always find a connection.
        waits=PlaceLimits(settings.waits_per_key, settings.waits_per_tenant, settings.max_connections // 2),
        order_interval_s=settings.order_interval_s,
        stock_interval_s=settings.stock_interval_s,
        order_retention_d=settings.order_retention_d,
    )


def _of_tenant(settings: Settings) -> float:
    """Two keys' worth, where nothing else is set."""
    given = settings.tenant_rate_limit_per_s
    return settings.rate_limit_per_s * 2 if given is None else given
