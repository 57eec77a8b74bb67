"""What the handlers work with. Built in `main`, handed to `create_api`, reached as `CurrentServices`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Protocol

from fastapi import Depends, Request

from channel_sync.api.brand import Brand
from channel_sync.api.http.places import PlaceLimits
from channel_sync.api.http.tokens import Issuer
from channel_sync.domain.addresses import PublicAddress
from channel_sync.domain.channel import Channel
from channel_sync.domain.quotas import Quotas
from channel_sync.flows.connecting.added_apps import AddedApps
from channel_sync.flows.connecting.authorise import Authorise
from channel_sync.flows.connecting.callback import OAuthCallbacks
from channel_sync.flows.connecting.claims import Claims
from channel_sync.flows.connecting.consent import ConsentRedirects
from channel_sync.flows.connecting.paste import Credentials
from channel_sync.flows.integrations.lifecycle import Lifecycle
from channel_sync.flows.integrations.warehouses import Warehouses
from channel_sync.flows.order_changes.carriers import CarrierLists
from channel_sync.flows.order_changes.dispatch import Dispatches
from channel_sync.flows.order_changes.refunds import Refunds
from channel_sync.flows.orders.erasure import Erasure
from channel_sync.flows.orders.explain import ExplainOrder
from channel_sync.flows.orders.held import Held
from channel_sync.flows.runs.service import Runs
from channel_sync.flows.stock.brake import Brakes
from channel_sync.flows.stock.explain import LookAtShop
from channel_sync.flows.stock.mapping import MapListings
from channel_sync.flows.stock.put import PutStock
from channel_sync.flows.stock.rules import ChangeStockRules
from channel_sync.persistence.database import Database


class DocsMode(StrEnum):
    """Who sees `/docs` and `/openapi.json`: everybody, holders of a credential, or nobody."""

    ON = "on"
    KEY = "key"
    OFF = "off"


# Those who wait for events cost little; an export takes what there is of a core for as long as it lasts.
_WAITS = PlaceLimits(per_key=10, per_tenant=50, in_all=500)
_EXPORTS = PlaceLimits(per_key=2, per_tenant=4, in_all=8)


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """How the API is reached and what it allows."""

    address: PublicAddress
    return_origins: tuple[str, ...] = ()
    brand: Brand = field(default_factory=Brand)
    trusted_proxies: tuple[str, ...] = ()
    docs: DocsMode = DocsMode.ON
    rate_limit_per_s: float = 100
    tenant_rate_limit_per_s: float = 0
    waits: PlaceLimits = _WAITS
    exports: PlaceLimits = _EXPORTS
    quotas: Quotas = field(default_factory=Quotas)
    order_interval_s: int = 60
    stock_interval_s: int = 5
    order_retention_d: int | None = None


class Health(Protocol):
    """What the health checks ask of whatever runs the jobs."""

    def alive(self) -> bool:
        """Whether the jobs make progress."""
        ...

    @property
    def draining(self) -> bool:
        """Whether the process is about to stop and wants no new requests."""
        ...


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the health checks look at. `outdated_schemas` are too old to work on."""

    database: Database
    health: Health
    outdated_schemas: frozenset[str]


@dataclass(frozen=True, slots=True)
class Services(Vitals):
    """Everything a handler may need, built once per process."""

    channels: Mapping[str, Channel]
    authorise: Authorise
    consent_redirects: ConsentRedirects
    callbacks: OAuthCallbacks
    added_apps: AddedApps
    claims: Claims
    credentials: Credentials
    lifecycle: Lifecycle
    runs: Runs
    put_stock: PutStock
    stock_rules: ChangeStockRules
    map_listings: MapListings
    look_at_shop: LookAtShop
    brakes: Brakes
    held: Held
    explain_order: ExplainOrder
    dispatches: Dispatches
    refunds: Refunds
    carriers: CarrierLists
    warehouses: Warehouses
    erasure: Erasure
    settings: ApiSettings
    issuer: Issuer | None = None


async def current_services(request: Request) -> Services:
    """The services of the app that got the request."""
    services: Services = request.app.state.services
    return services


async def current_vitals(request: Request) -> Vitals:
    """The same, of an app that may have nothing but them."""
    vitals: Vitals = request.app.state.services
    return vitals


CurrentVitals = Annotated[Vitals, Depends(current_vitals)]
CurrentServices = Annotated[Services, Depends(current_services)]
