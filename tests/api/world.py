"""The API over a real database, real flows and a marketplace in memory."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from fastapi import FastAPI
from tests.fake_channel import FakeChannel
from tests.flows.workshop import NoReader

from channel_sync.api.app import create_api
from channel_sync.api.http.services import ApiSettings, Services
from channel_sync.domain.addresses import public_address
from channel_sync.domain.channel import App
from channel_sync.domain.clock import utcnow
from channel_sync.domain.ids import new_id
from channel_sync.domain.keys import ApiKey, key_hash, new_key
from channel_sync.domain.secrets import Secret
from channel_sync.flows.integrations.activation import ObtainedGrant, connect
from channel_sync.main.runtime import Runtime
from channel_sync.main.service import build
from channel_sync.persistence.database import Database
from channel_sync.setting_values import Jobs
from channel_sync.settings import Settings

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
    add_app_url: str | None = None
    _app: FastAPI | None = None

    @property
    def app(self) -> FastAPI:
        if self._app is None:
            self._app = create_api(self.services())
        return self._app

    def services(self) -> Services:
        """Those of `main`, but for the API's settings and for what is beside them: no jobs run here."""
        few = self.settings.quotas
        settings = Settings(
            jobs=Jobs.OFF,
            return_origins=self.settings.return_origins,
            add_app_url=self.add_app_url,
            drafts_per_tenant=few.drafts,
            keys_per_tenant=few.api_keys,
            runs_per_tenant=few.runs,
        )
        runtime = Runtime(settings, self.database, {"wish": self.channel}, NoReader())
        services, _, _ = build(runtime, self.database, self.settings.address)
        return replace(
            services,
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

    async def walk(self, caller: httpx.AsyncClient, merchant_id: str = "m1", **members: str) -> dict[str, Any]:
        """An active integration of the merchant, connected in a browser."""
        self.channel.open_shop(merchant_id)
        new = NEW_INTEGRATION | {"default_currency": "GBP"} | members
        draft = (await caller.post("/integrations", json=new)).json()
        await self.authorise(draft["authorise_url"], merchant_id)
        integration: dict[str, Any] = (await caller.get(f"/integrations/{draft['id']}")).json()
        return integration

    async def connect(self, caller: httpx.AsyncClient, merchant_id: str = "m1", **members: str) -> dict[str, Any]:
        """An active integration of the merchant, whose grant is there already: `walk` goes the whole way."""
        merchant = self.channel.open_shop(merchant_id)
        new = NEW_INTEGRATION | {"default_currency": "GBP"} | members
        draft = (await caller.post("/integrations", json=new)).json()
        async with self.database.begin() as work:
            made = await work.integrations.find(draft["id"])
            assert made is not None
            app = App(made.client_id, Secret(new["client_secret"]), made.environment)
            grant, first = self.channel.issue(merchant_id), merchant.warehouses[0].id
            await connect(work, made, ObtainedGrant(app, grant, merchant.shop_name, False, first), utcnow())
        integration: dict[str, Any] = (await caller.get(f"/integrations/{draft['id']}")).json()
        return integration


def query_of(url: str) -> Mapping[str, str]:
    """The query of an address, one value per name."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
