"""The API over a real database, real flows and a marketplace in memory."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from fastapi import FastAPI
from tests.fake_channel import FakeChannel

from channel_sync.api.app import create_api
from channel_sync.api.http.services import ApiSettings, Services
from channel_sync.domain.addresses import public_address
from channel_sync.domain.clock import utcnow
from channel_sync.domain.ids import new_id
from channel_sync.domain.keys import ApiKey, key_hash, new_key
from channel_sync.flows.connecting.authorise import Addresses, Authorise
from channel_sync.flows.connecting.callback import OAuthCallbacks
from channel_sync.flows.connecting.consent import ConsentRedirects
from channel_sync.flows.connecting.paste import Credentials
from channel_sync.flows.connecting.second_consents import Doubts
from channel_sync.flows.grants.service import Grants
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.integrations.lifecycle import Lifecycle
from channel_sync.flows.integrations.warehouses import Warehouses
from channel_sync.flows.orders.carriers import CarrierLists
from channel_sync.flows.orders.dispatch import Dispatches
from channel_sync.flows.orders.erasure import Erasure
from channel_sync.flows.orders.explain import ExplainOrder
from channel_sync.flows.orders.held import Held
from channel_sync.flows.orders.refunds import Refunds
from channel_sync.flows.runs.service import RunRules, Runs
from channel_sync.flows.stock.brake import Brakes
from channel_sync.flows.stock.explain import LookAtShop
from channel_sync.flows.stock.put import PutStock
from channel_sync.flows.stock.rules import ChangeStockRules
from channel_sync.persistence.database import Database

PUBLIC_URL = "http://localhost:8000"
CONSOLE = "https://console.example.com"
NEW_INTEGRATION = {
    "channel": "wish",
    "name": "Mugs",
    "client_id": "client-1",
    "client_secret": "a-secret-of-the-app",
    "return_url": f"{CONSOLE}/done",
}


@dataclass
class Health:
    """What the job runner would say."""

    lively: bool = True
    draining: bool = False

    def alive(self) -> bool:
        return self.lively


@dataclass
class World:
    """One deployment. `app` is built on first use, so a test can change `settings` before."""

    database: Database
    settings: ApiSettings = field(
        default_factory=lambda: ApiSettings(public_address(PUBLIC_URL), (CONSOLE,), rate_limit_per_s=0)
    )
    channel: FakeChannel = field(default_factory=FakeChannel)
    health: Health = field(default_factory=Health)
    issuer: Any = None
    outdated_schemas: frozenset[str] = frozenset()
    _app: FastAPI | None = None

    @property
    def app(self) -> FastAPI:
        if self._app is None:
            self._app = create_api(self.services())
        return self._app

    def services(self) -> Services:
        channels = {"wish": self.channel}
        grants = Grants(self.database, channels, confirm_after_s=0)
        shops = Shops(grants, channels)
        carriers = CarrierLists(self.database, shops)
        addresses = Addresses(self.settings.address, self.settings.return_origins)
        return Services(
            database=self.database,
            channels=channels,
            authorise=Authorise(self.database, channels, addresses, self.settings.quotas.drafts),
            consent_redirects=ConsentRedirects(self.database, channels),
            callbacks=OAuthCallbacks(
                self.database, channels, addresses.public, Doubts(self.database, shops), _nobody
            ),
            credentials=Credentials(self.database, channels, grants, Doubts(self.database, shops), _nobody),
            lifecycle=Lifecycle(self.database, channels, grants, _nobody),
            runs=Runs(self.database, shops, {}, RunRules(quotas=self.settings.quotas), _nobody),
            put_stock=PutStock(self.database, _nobody),
            stock_rules=ChangeStockRules(self.database, channels, _nobody),
            look_at_shop=LookAtShop(shops),
            brakes=Brakes(self.database, _nobody),
            dispatches=Dispatches(self.database, shops, carriers, _nobody),
            carriers=carriers,
            refunds=Refunds(self.database, shops, _nobody),
            held=Held(self.database, shops),
            explain_order=ExplainOrder(self.database, shops, timedelta(minutes=10)),
            warehouses=Warehouses(self.database, shops),
            erasure=Erasure(self.database),
            health=self.health,
            settings=self.settings,
            outdated_schemas=self.outdated_schemas,
            issuer=self.issuer,
        )

    def set(self, **settings: Any) -> None:
        """Change settings before the app is first used."""
        self.settings = replace(self.settings, **settings)

    async def key(self, *scopes: str, tenant: str = "acme") -> str:
        """A new API key of the tenant."""
        text, now = new_key(), utcnow()
        key = ApiKey(new_id("key", now), tenant, "test", scopes or ("admin",), text.last4, now, None)
        async with self.database.begin() as work:
            await work.api_keys.add(key, key_hash(text.value))
        return text.value

    def browser(self, address: str = "198.51.100.7", base_url: str = PUBLIC_URL) -> httpx.AsyncClient:
        """A client without a credential, with a cookie jar of its own."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 50_000))
        return httpx.AsyncClient(transport=transport, base_url=base_url)

    @asynccontextmanager
    async def caller(self, *scopes: str, tenant: str = "acme") -> AsyncIterator[httpx.AsyncClient]:
        """A client with a key of these scopes; all of them if none is named."""
        async with self.browser() as client:
            client.headers["Authorization"] = f"Bearer {await self.key(*scopes, tenant=tenant)}"
            yield client

    async def authorise(self, url: str, merchant_id: str) -> httpx.Response:
        """Walk a browser through an invitation: the page, the consent of the merchant, the callback."""
        async with self.browser() as browser:
            departure = await browser.post(url)
            code = self.channel.consent(departure.headers["location"], merchant_id)
            state = query_of(departure.headers["location"])["state"]
            return await browser.get("/wish/callback", params={"code": code, "state": state})

    async def connect(self, caller: httpx.AsyncClient, merchant_id: str = "m1", **members: str) -> dict[str, Any]:
        """An active integration of the merchant."""
        self.channel.open_shop(merchant_id)
        new = NEW_INTEGRATION | {"default_currency": "GBP"} | members
        draft = (await caller.post("/integrations", json=new)).json()
        await self.authorise(draft["authorise_url"], merchant_id)
        integration: dict[str, Any] = (await caller.get(f"/integrations/{draft['id']}")).json()
        return integration


def query_of(url: str) -> Mapping[str, str]:
    """The query of an address, one value per name."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _nobody() -> None:
    """Nothing runs jobs here."""
