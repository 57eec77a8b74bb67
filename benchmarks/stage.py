"""The real service, the simulated Wish and one merchant, each a process of its own, on loopback."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.live_shop import LiveShop, new_shop
from tests.postgres import PostgresServer, postgres_server
from tests.processes import Deployment, ServerProcess, api, simulated_wish

_DATABASE = "channel_sync_bench"


@dataclass
class Stage:
    """What a figure is taken on. `key` may do everything."""

    wish: ServerProcess
    shop: LiveShop
    deployment: Deployment
    service: ServerProcess
    key: str
    client: httpx.Client


@contextmanager
def wish_with_orders(orders: int) -> Iterator[tuple[ServerProcess, LiveShop]]:
    """A simulated Wish without a rate limit of its own, and a merchant with that many orders."""
    with (
        tempfile.TemporaryDirectory() as folder,
        simulated_wish(Path(folder), from_scratch=True) as wish,
        httpx.Client(base_url=wish.url) as controls,
    ):
        shop = new_shop(controls)
        shop.switch(rate_per_s=None)
        shop.add_products(5, variations=2)
        if orders:
            shop.place_orders(orders)
        yield wish, shop


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL as durable as it comes, on the same cores."""
    with postgres_server("-c listen_addresses='' -c shared_buffers=256MB -c max_wal_size=4GB") as server:
        yield server


def fresh_database(server: PostgresServer) -> str:
    """The URL of an empty database, which takes the place of the one before.

    What was written for that is on disk: nobody pays for the vacuum or the checkpoint of others.
    """
    for sql in (f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)", f"CREATE DATABASE {_DATABASE}", "CHECKPOINT"):
        asyncio.run(server.run(sql))
    return server.url(_DATABASE)


@contextmanager
def stage(
    wish: ServerProcess, shop: LiveShop, server: PostgresServer | None = None, jobs: str = "embedded"
) -> Iterator[Stage]:
    """A fresh service on a fresh database, ready to answer; our own limiter on, at 1000 calls a second.

    The database is an SQLite file or, where a server is given, one of its own there.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url,
            "CHANNEL_SYNC_WISH_RATE_PER_S": "1000",
            "CHANNEL_SYNC_PUBLIC_URL": "http://localhost:8000",
            "CHANNEL_SYNC_JOBS": jobs,
        }
        if server is not None:
            settings["CHANNEL_SYNC_DATABASE_URL"] = fresh_database(server)
        deployment = Deployment(Path(folder), settings, from_scratch=True)
        deployment.command("migrate")
        key = deployment.create_key("admin")
        service = deployment.serve()
        try:
            with api(service, key) as client:
                yield Stage(wish, shop, deployment, service, key, client)
        finally:
            service.stop()
