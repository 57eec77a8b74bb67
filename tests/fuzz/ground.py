"""A running service with one of everything, and fresh things for the operations that use theirs up."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import requests
from requests.adapters import HTTPAdapter
from tests.live_shop import LiveShop, connect, new_shop, wait_for_run
from tests.processes import Deployment, ServerProcess, api, simulated_wish

CONSOLE = "https://console.example.com"
NEW = {"channel": "wish", "client_id": "client-1", "client_secret": "a-secret-of-the-app"}


@dataclass
class Runtime:
    """`ids` names one thing of each kind like the path parameters of the contract."""

    service: ServerProcess
    caller: httpx.Client
    controls: httpx.Client
    key: str
    ids: dict[str, str] = field(default_factory=dict)
    orders_elsewhere: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def made(self, verb: str, place: str, **body: Any) -> Any:
        """What the service answers to a call that must work."""
        return self.caller.request(verb, place, json=body).raise_for_status().json()

    def first(self, place: str) -> Any:
        """The first thing of a list."""
        return self.caller.get(place).raise_for_status().json()["items"][0]

    def shop(self) -> LiveShop:
        """A new merchant at the simulated Wish."""
        return new_shop(self.controls, f"seller-{next(self._numbers)}")

    def connected(self) -> tuple[str, LiveShop]:
        """A new active integration, and its shop."""
        shop = self.shop()
        return connect(self.caller, shop, f"Shop {shop.merchant_id}"), shop

    def draft(self) -> Any:
        """A new draft."""
        return self.made("POST", "/integrations", name="Draft", **NEW)

    def removed(self) -> str:
        """The id of an integration that was removed."""
        integration_id, shop = self.connected()
        place = f"/integrations/{integration_id}"
        self.caller.delete(place, params={"confirm": f"Shop {shop.merchant_id}"}).raise_for_status()
        return integration_id

    def ticket(self) -> str:
        """What the link of a new draft carries."""
        link: str = self.draft()["authorise_url"]
        return link.rpartition("=")[2]

    def spare_key(self) -> str:
        """The id of an API key that nobody uses."""
        return str(self.made("POST", "/api-keys", name="Spare", preset="support")["id"])

    def started_run(self, integration_id: str) -> str:
        """The id of a run that was started, or is on its way."""
        return str(self.made("POST", f"/integrations/{integration_id}/runs", kind="orders")["id"])

    def fresh_order(self) -> str:
        """The id of an order of another shop, which nobody has told of yet."""
        return self.orders_elsewhere.pop()

    def visitor(self) -> requests.Session:
        """A client with an address of its own, where this machine has several: each may look at few pages."""
        session = requests.Session()
        if sys.platform == "linux":
            number = next(self._numbers)
            session.mount("http://", _Bound(f"127.1.{number // 250 % 250}.{number % 250 + 1}"))
        return session

    def seed(self) -> None:
        """One of everything: orders, one of them held, listings, stock, runs with calls, events, a key."""
        shop = self.shop()
        shop.add_products(1, 2)
        broken, *_ = shop.place_orders(3)
        self.controls.put(f"/_control/orders/{broken}/raw", content=_unreadable(broken)).raise_for_status()
        integration_id = connect(self.caller, shop)
        run = wait_for_run(self.caller, integration_id, "orders")
        wait_for_run(self.caller, integration_id, "listings")
        self.orders_elsewhere = self.orders_of_another_shop(4)
        listing = self.first(f"/integrations/{integration_id}/listings")
        self.made("PUT", "/stock", items=[{"sku": listing["sku"], "available": 5}])
        self.ids = {
            "integration_id": integration_id,
            "channel_type": "wish",
            "run_id": run["id"],
            "order_id": self.first("/orders")["id"],
            "held_id": self.first("/orders/held")["id"],
            "listing_id": listing["id"],
            "sku": listing["sku"],
            "key_id": self.spare_key(),
            "event_id": self.first("/events")["id"],
            "channel_order_id": self.first("/orders")["channel_order_id"],
        }

    def orders_of_another_shop(self, number: int) -> list[str]:
        """Ids of so many orders, in a shop of their own."""
        shop = self.shop()
        shop.add_products(1, 1)
        shop.place_orders(number)
        integration_id = connect(self.caller, shop)
        wait_for_run(self.caller, integration_id, "orders")
        wait_for_run(self.caller, integration_id, "listings")
        found = self.caller.get("/orders", params={"integration_id": integration_id}).raise_for_status().json()
        return [order["id"] for order in found["items"]]


def _unreadable(order_id: str) -> str:
    return f'{{"id": "{order_id}", "state": 5, "updated_at": "2026-11-01T00:00:00.000Z"}}'


class _Bound(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Connect from one address."""
        super().init_poolmanager(*arguments, **options, source_address=(self._address, 0))


@contextmanager
def running_ground(folder: Path, postgres_url: str | None) -> Iterator[Runtime]:
    """The service and the simulated Wish, started and seeded; on PostgreSQL a worker does the work."""
    with simulated_wish(folder) as wish, ExitStack() as running:
        deployment = Deployment(
            folder,
            {"CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url, "CHANNEL_SYNC_WISH_PRODUCTION_URL": wish.url}
            | {"CHANNEL_SYNC_RETURN_ORIGINS": CONSOLE, "CHANNEL_SYNC_WISH_RATE_PER_S": "1000"}
            | ({} if postgres_url is None else _on_postgres(postgres_url)),
        )
        deployment.command("migrate")
        key = deployment.create_key()
        service = deployment.serve()
        running.callback(service.stop)
        if postgres_url is not None:
            running.callback(deployment.work().stop)
        with api(service, key) as caller, httpx.Client(base_url=wish.url, timeout=30) as controls:
            controls.patch("/_control/switches", json={"rate_per_s": None}).raise_for_status()
            ground = Runtime(service, caller, controls, key)
            ground.seed()
            yield ground


def _on_postgres(url: str) -> dict[str, str]:
    return {"CHANNEL_SYNC_DATABASE_URL": url, "CHANNEL_SYNC_JOBS": "distributed"}
