"""The service as `main` puts it together, on marketplaces that a test brings."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from tests.api.world import CONSOLE, NEW_INTEGRATION, PUBLIC_URL, query_of
from tests.fake_channel import FakeChannel
from tests.flows.workshop import NoReader
from tests.jobs.waiting import until
from tests.second_channel import BAZAAR, DICTIONARY, STALL, Bazaar

from channel_sync.api.app import create_api
from channel_sync.channels.registry import dictionaries
from channel_sync.domain.addresses import public_address
from channel_sync.domain.channel import Channel
from channel_sync.domain.clock import utcnow
from channel_sync.domain.ids import new_id
from channel_sync.domain.keys import ApiKey, key_hash, new_key
from channel_sync.main.runtime import Runtime
from channel_sync.main.service import build
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_every_tenant
from channel_sync.persistence.rows.compression import Compression
from channel_sync.persistence.rows.encryption import Cipher
from channel_sync.settings import Settings


def a_database(sqlite_file: Path, cipher: Cipher) -> Database:
    """The store, which knows the dictionaries of both."""
    compression = Compression({**dictionaries(), BAZAAR: (DICTIONARY,)})
    return Database(f"sqlite:///{sqlite_file}", cipher, compression=compression)


async def a_key(database: Database) -> str:
    """A new key of the tenant `acme` that may do everything."""
    text, now = new_key(), utcnow()
    key = ApiKey(new_id("key", now), "acme", "test", ("admin",), text.last4, now, None)
    with for_every_tenant():
        async with database.begin() as work:
            await work.api_keys.add(key, key_hash(text.value))
    return text.value


@asynccontextmanager
async def serving(
    database: Database, channels: Mapping[str, Channel], public_url: str, console: str
) -> AsyncIterator[FastAPI]:
    """The application, jobs at work."""
    settings = Settings(return_origins=(console,), add_app_url=f"{console}/added", rate_limit_per_s=0)
    ground = Runtime(settings, database, channels, NoReader())
    services, runner, doubts = build(ground, database, public_address(public_url))
    await runner.start()
    try:
        yield create_api(services)
    finally:
        await runner.stop(5)
        await doubts.stop()


NEW = NEW_INTEGRATION | {
    "channel": BAZAAR,
    "default_currency": "GBP",
    "more_credentials": {"stall": STALL},
}


@dataclass
class Service:
    """The service as `main` puts it together, with both marketplaces and its jobs at work."""

    database: Database
    app: Any
    wish: FakeChannel
    bazaar: Bazaar
    key: str = field(repr=False)

    @property
    def caller(self) -> httpx.AsyncClient:
        return self.browser({"Authorization": f"Bearer {self.key}"})

    def browser(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("198.51.100.7", 50_000))
        return httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers)

    async def draft(self, **members: Any) -> dict[str, Any]:
        async with self.caller as caller:
            answer = await caller.post("/integrations", json=NEW | members)
        assert answer.status_code == 201, answer.text
        drafted: dict[str, Any] = answer.json()
        return drafted

    async def connect(self, **members: Any) -> dict[str, Any]:
        """An active integration of the shop m1 at the second marketplace."""
        if "m1" not in self.bazaar.merchants:
            self.bazaar.open_shop("m1")
        draft = await self.draft(**members)
        async with self.browser() as browser:
            departure = await browser.post(draft["authorise_url"])
            consent = departure.headers["location"]
            code, state = self.bazaar.consent(consent, "m1"), query_of(consent)["state"]
            arrival = await browser.get("/bazaar/callback", params={"code": code, "state": state})
        assert query_of(arrival.headers["location"])["result"] == "connected"
        return await self.read(f"/integrations/{draft['id']}")

    async def read(self, place: str) -> dict[str, Any]:
        async with self.caller as caller:
            found: dict[str, Any] = (await caller.get(place)).json()
        return found

    async def run(self, integration_id: str, kind: str) -> None:
        """A run that a person asks for, to its end."""
        async with self.caller as caller:
            run = (await caller.post(f"/integrations/{integration_id}/runs", json={"kind": kind})).json()
        run_id = run.get("related_id") or run["id"]

        async def is_over() -> bool:
            return bool((await self.read(f"/runs/{run_id}"))["status"] == "finished")

        await until(is_over, within_s=30)

    async def orders(self) -> set[str]:
        return {order["channel_order_id"] for order in (await self.read("/orders?limit=100"))["items"]}


@asynccontextmanager
async def opened_service(sqlite_file: Path, cipher: Cipher) -> AsyncIterator[Service]:
    """The service on an empty database."""
    database, wish, bazaar = a_database(sqlite_file, cipher), FakeChannel(), Bazaar()
    key = await a_key(database)
    async with serving(database, {"wish": wish, BAZAAR: bazaar}, PUBLIC_URL, CONSOLE) as app:
        yield Service(database, app, wish, bazaar, key)
    await database.close()
