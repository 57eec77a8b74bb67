"""Kill a process, or cut its call, while Wish is told of a parcel: there is one parcel at Wish afterwards."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.live_shop import LiveShop, connect, new_shop, wait_for_run
from tests.postgres import PostgresServer
from tests.processes import Deployment, api, simulated_wish, wait_until

TRACKING = {"method": "PUT", "path": "/api/v3/orders/*/tracking"}
SHORTEST_LEASE_S = 5
PARCEL = {"carrier": "Royal Mail", "tracking_number": "RM001GB", "origin_country": "GB"}


@dataclass
class Scene:
    """A shop with one order at the simulated Wish, and how to start what serves it."""

    shop: LiveShop
    deployment: Deployment
    key: str
    placed: str
    order_id: str = ""

    def told(self) -> int:
        return sum(entry["path"].endswith("/tracking") for entry in self.shop.journal())

    def dispatch(self, client: httpx.Client) -> dict[str, Any]:
        found: dict[str, Any] = client.get(f"/orders/{self.order_id}").json()["dispatch"]
        return found

    def wait_for_the_end(self, client: httpx.Client) -> None:
        wait_until(lambda: self.dispatch(client)["state"] == "accepted", "it is not accepted", 0.1)

    def at_wish(self) -> list[str]:
        """The tracking numbers that Wish shows."""
        order = self.shop.control("PATCH", f"/orders/{self.placed}")
        return [one["tracking_number"] for one in order["tracking_information"]]

    def wait_until_wish_holds_the_answer(self) -> None:
        def is_held() -> bool:
            waiting: int = self.shop.controls.get("/_control/hold").json()["waiting"]
            return waiting > 0

        wait_until(is_held, "Wish is not told")


@contextmanager
def scene(folder: Path, **settings: str) -> Iterator[Scene]:
    with simulated_wish(folder) as wish, httpx.Client(base_url=wish.url) as controls:
        shop = new_shop(controls)
        shop.add_products(1, variations=1)
        [placed] = shop.place_orders(1, updated_at=None)
        deployment = Deployment(folder, {"CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url, **settings})
        deployment.command("migrate")
        yield Scene(shop, deployment, deployment.create_key("admin"), placed)


def begin(place: Scene, client: httpx.Client) -> None:
    """The order is downloaded, and a parcel of it told of."""
    integration_id = connect(client, place.shop)
    wait_for_run(client, integration_id, "orders")
    [order] = client.get("/orders").json()["items"]
    place.order_id = order["id"]
    client.post(f"/orders/{place.order_id}/dispatch", json=PARCEL).raise_for_status()


def test_a_process_killed_before_it_heard_the_answer_tells_wish_once(tmp_path: Path):
    with scene(tmp_path) as place:
        place.shop.control("POST", "/hold", when="after", **TRACKING)
        service = place.deployment.serve()
        with api(service, place.key) as client:
            begin(place, client)
            place.wait_until_wish_holds_the_answer()
        service.kill()
        place.shop.control("POST", "/release")

        again = place.deployment.serve()
        with api(again, place.key) as client:
            place.wait_for_the_end(client)
        again.kill()

        assert (place.told(), place.at_wish()) == (1, ["RM001GB"])


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database without a schema."""
    name = f"dispatches_{uuid4().hex}"
    asyncio.run(postgres.run(f"CREATE DATABASE {name}"))
    yield postgres.url(name)
    asyncio.run(postgres.run(f"DROP DATABASE {name} WITH (FORCE)"))


def test_a_worker_killed_before_it_heard_the_answer_leaves_it_to_another(tmp_path: Path, database_url: str):
    settings = {
        "CHANNEL_SYNC_DATABASE_URL": database_url,
        "CHANNEL_SYNC_JOBS": "distributed",
        "CHANNEL_SYNC_LEASE_S": str(SHORTEST_LEASE_S),
    }
    with scene(tmp_path, **settings) as place, ExitStack() as running:
        place.shop.control("POST", "/hold", when="after", **TRACKING)
        service, first = place.deployment.serve(), place.deployment.work()
        running.callback(service.kill)
        with api(service, place.key) as client:
            begin(place, client)
            place.wait_until_wish_holds_the_answer()
            running.callback(place.deployment.work().kill)
            first.kill()
            place.shop.control("POST", "/release")
            place.wait_for_the_end(client)

        assert (place.told(), place.at_wish()) == (1, ["RM001GB"])


@pytest.mark.parametrize("way", ["drop_after", "refuse_after"])
def test_an_answer_that_got_lost_is_looked_for_and_wish_told_once(tmp_path: Path, way: str):
    with scene(tmp_path) as place:
        place.shop.control("POST", "/faults", way=way, status=502, **TRACKING)
        service = place.deployment.serve()
        with api(service, place.key) as client:
            begin(place, client)
            wait_until(lambda: place.dispatch(client)["code"] == "outcome_unknown", "the answer is known", 0.05)
            place.wait_for_the_end(client)
        service.kill()

        assert (place.told(), place.at_wish()) == (1, ["RM001GB"])
