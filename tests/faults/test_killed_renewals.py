"""Kill a process while Wish holds the answer to its token refresh, and see who has to act."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.live_shop import LiveShop, connect, new_shop, wait_for_run
from tests.postgres import PostgresServer
from tests.processes import Deployment, ServerProcess, WorkerProcess, api, simulated_wish, wait_until

REFRESH = {"method": "GET", "path": "/api/v3/oauth/refresh_token"}
GRACE_S = 30
SHORTEST_LEASE_S = 5
# Long enough for a loaded machine, and shorter than the lease of a single process, which is not waited for.
AT_ONCE_S = 20


@dataclass
class Scene:
    """A shop at the simulated Wish, and how to start what serves it."""

    shop: LiveShop
    deployment: Deployment
    key: str
    client: httpx.Client
    integration_id: str

    def begin_a_renewal(self) -> None:
        """End the access token, and wait until Wish has given another one and holds the answer."""
        pair = {"client_id": self.shop.client_id, "merchant_id": self.shop.merchant_id}
        self.shop.control("POST", "/hold", when="after", **REFRESH)
        self.shop.control("POST", "/grants/expire", **pair)
        self.client.post(f"/integrations/{self.integration_id}/runs", json={"kind": "orders"}).raise_for_status()
        wait_until(lambda: self.held() > 0, "no renewal was asked for")

    def held(self) -> int:
        waiting: int = self.shop.controls.get("/_control/hold").json()["waiting"]
        return waiting

    def refreshes(self) -> int:
        return sum(entry["path"] == REFRESH["path"] for entry in self.shop.journal())

    def status(self, client: httpx.Client) -> dict[str, Any]:
        found: dict[str, Any] = client.get(f"/integrations/{self.integration_id}/status").json()
        return found

    def wait_for_new_orders(self, client: httpx.Client) -> None:
        """The shop works: an order that is placed now arrives."""
        [placed] = self.shop.place_orders(1, updated_at=None)

        def arrived() -> bool:
            client.post(f"/integrations/{self.integration_id}/runs", json={"kind": "orders"})
            found = client.get("/orders", params={"channel_order_id": placed}).json()["items"]
            return len(found) == 1

        wait_until(arrived, "the shop does not work", 0.2)


@contextmanager
def scene(folder: Path, rotation: str, **settings: str) -> Iterator[tuple[Scene, ServerProcess]]:
    with simulated_wish(folder) as wish, httpx.Client(base_url=wish.url) as controls:
        shop = new_shop(controls)
        shop.add_products(1, variations=1)
        shop.switch(refresh_token_rotation=rotation, rotation_grace_s=GRACE_S, rate_per_s=None)
        deployment = Deployment(folder, {"CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url, **settings})
        deployment.command("migrate")
        key = deployment.create_key("admin")
        service = deployment.serve()
        try:
            with api(service, key) as client:
                yield Scene(shop, deployment, key, client, ""), service
        finally:
            service.kill()


@contextmanager
def killed_and_started_again(folder: Path, rotation: str) -> Iterator[tuple[Scene, httpx.Client]]:
    """A single process that was killed in its renewal, and the next one."""
    with scene(folder, rotation) as (place, service):
        place.integration_id = connect(place.client, place.shop)
        wait_for_run(place.client, place.integration_id, "listings")
        place.begin_a_renewal()
        service.kill()
        place.shop.control("POST", "/release")
        again = place.deployment.serve()
        try:
            with api(again, place.key) as client:
                yield place, client
        finally:
            again.kill()


@pytest.mark.parametrize("rotation", ["grace", "none"])
def test_the_next_start_renews_at_once_where_wish_still_lets_it(tmp_path: Path, rotation: str):
    with killed_and_started_again(tmp_path, rotation) as (place, client):
        began = time.monotonic()
        wait_until(lambda: place.refreshes() == 3, "it was not tried again")
        took_s = time.monotonic() - began
        place.wait_for_new_orders(client)
        status = place.status(client)
        refreshes = place.refreshes()

    assert took_s < AT_ONCE_S
    assert (status["status"], status["auth"]["state"]) == ("active", "connected")
    # One when the tokens were pasted, the one that was cut off, and the one after it.
    assert refreshes == 3


def test_where_wish_takes_the_second_use_for_theft_a_person_is_asked_at_once(tmp_path: Path):
    with killed_and_started_again(tmp_path, "strict") as (place, client):
        wait_until(lambda: place.status(client)["status"] == "needs_reauth", "nobody is asked", 0.2)
        status = place.status(client)
        refreshes = place.refreshes()

    assert status["status_reason"] == "refresh_outcome_unknown"
    assert status["next_action"]["href"].endswith("/reauthorise")
    assert refreshes == 3


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    asyncio.run(postgres.run(f"CREATE DATABASE {name}"))
    yield postgres.url(name)
    asyncio.run(postgres.run(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def worker(place: Scene) -> Iterator[WorkerProcess]:
    process = place.deployment.work()
    try:
        yield process
    finally:
        process.kill()


@pytest.mark.parametrize("rotation", ["grace", "none"])
def test_another_worker_renews_after_the_lease(tmp_path: Path, database_url: str, rotation: str):
    settings = {
        "CHANNEL_SYNC_DATABASE_URL": database_url,
        "CHANNEL_SYNC_JOBS": "distributed",
        "CHANNEL_SYNC_LEASE_S": str(SHORTEST_LEASE_S),
    }
    with scene(tmp_path, rotation, **settings) as (place, _), worker(place) as first:
        place.integration_id = connect(place.client, place.shop)
        wait_for_run(place.client, place.integration_id, "listings")
        place.begin_a_renewal()
        with worker(place):
            first.kill()
            place.shop.control("POST", "/release")
            wait_until(lambda: place.refreshes() == 3, "it was not tried again", 0.1)
            place.wait_for_new_orders(place.client)
            status = place.status(place.client)

    assert (status["status"], status["auth"]["state"]) == ("active", "connected")
