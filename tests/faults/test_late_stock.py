"""Stock calls that Wish carries out after newer ones, with real processes on either side."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.faults.fleet import fleet
from tests.faults.test_fleet import connected, distributed, wait_for_listings
from tests.live_shop import LiveShop, connect, new_shop, wait_for_run
from tests.postgres import PostgresServer
from tests.processes import Deployment, ServerProcess, api, simulated_wish, wait_until

SKU = "P00000-0"
PUT = {"method": "PUT", "path": "/api/v3/products/*"}
JOB = {"method": "POST", "path": "/api/v3/products/bulk_update"}
# From the moment it stands at Wish until the newest value is back.
UNDONE_WITHIN_S = 60


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    """A merchant without products yet."""
    with simulated_wish(tmp_path) as wish, httpx.Client(base_url=wish.url) as controls:
        shop = new_shop(controls)
        shop.switch(rate_per_s=None, job_delay_s=0.5)
        yield shop


@contextmanager
def serving(deployment: Deployment, key: str) -> Iterator[tuple[ServerProcess, httpx.Client]]:
    service = deployment.serve()
    try:
        with api(service, key) as client:
            yield service, client
    finally:
        service.kill()


def deployment_of(folder: Path, shop: LiveShop) -> tuple[Deployment, str]:
    wish_url = str(shop.controls.base_url).rstrip("/")
    settings = {
        "CHANNEL_SYNC_WISH_SANDBOX_URL": wish_url,
        "CHANNEL_SYNC_PUBLIC_URL": "http://localhost:8000",
        "CHANNEL_SYNC_STOCK_INTERVAL_S": "1",
        "CHANNEL_SYNC_WISH_RATE_PER_S": "50",
    }
    deployment = Deployment(folder, settings)
    deployment.command("migrate")
    return deployment, deployment.create_key("admin")


def put(client: httpx.Client, units: int, *skus: str) -> None:
    items = [{"sku": sku, "available": units} for sku in skus or (SKU,)]
    client.put("/stock", json={"items": items}).raise_for_status()


def state(client: httpx.Client, sku: str = SKU) -> dict[str, Any]:
    (listing,) = client.get(f"/stock/{sku}").json()["listings"]
    found: dict[str, Any] = listing
    return found


def at_wish(shop: LiveShop, sku: str = SKU) -> int:
    """Units in the first warehouse."""
    return next(iter(shop.stock()[sku].values()))


def held(shop: LiveShop) -> bool:
    return bool(shop.controls.get("/_control/hold").json()["waiting"])


def hold_next(shop: LiveShop, call: dict[str, str]) -> None:
    shop.control("POST", "/hold", times=1, **call)


def land(shop: LiveShop) -> None:
    assert shop.control("POST", "/release")["released"] == 1


def stays_true_until(shop: LiveShop, client: httpx.Client, units: int) -> float:
    """Seconds until Wish shows these units again; meanwhile nothing is called confirmed that it does not show."""
    landed = time.monotonic()
    while (passed := time.monotonic() - landed) < UNDONE_WITHIN_S:
        told = state(client)
        stands = at_wish(shop)
        if told["state"] == "confirmed":
            assert stands == units, told
        if stands == units:
            return passed
        time.sleep(0.2)
    raise AssertionError(f"Wish shows {at_wish(shop)}, we say {state(client)}")


def first_push(shop: LiveShop, client: httpx.Client) -> None:
    integration_id = connect(client, shop)
    wait_for_run(client, integration_id, "listings")
    put(client, 9)
    wait_until(lambda: state(client)["state"] == "confirmed", "nothing was pushed", 0.1)


def test_a_call_that_lands_after_a_newer_one_is_undone(tmp_path: Path, shop: LiveShop):
    shop.add_products(1, variations=1)
    deployment, key = deployment_of(tmp_path, shop)
    with serving(deployment, key) as (_, client):
        first_push(shop, client)
        hold_next(shop, PUT)
        put(client, 1)
        wait_until(lambda: held(shop), "nothing was sent", 0.05)
        put(client, 2)
        wait_until(lambda: at_wish(shop) == 2, "the newest value did not come", 0.1)
        assert (state(client)["state"], state(client)["code"]) == ("sent", "outcome_unknown")

        land(shop)

        assert at_wish(shop) == 1
        stays_true_until(shop, client, 2)


def test_a_call_of_a_killed_process_that_lands_after_a_newer_one_is_undone(tmp_path: Path, shop: LiveShop):
    shop.add_products(1, variations=1)
    deployment, key = deployment_of(tmp_path, shop)
    with serving(deployment, key) as (service, client):
        first_push(shop, client)
        hold_next(shop, PUT)
        put(client, 1)
        wait_until(lambda: held(shop), "nothing was sent", 0.05)
        put(client, 2)
        service.kill()
    with serving(deployment, key) as (_, client):
        wait_until(lambda: at_wish(shop) == 2, "the newest value did not come", 0.1)
        assert state(client)["state"] != "confirmed"

        land(shop)

        assert at_wish(shop) == 1
        stays_true_until(shop, client, 2)


def test_a_job_without_an_answer_that_is_carried_out_late_is_undone(tmp_path: Path, shop: LiveShop):
    shop.add_products(6, variations=1)
    skus = [f"P0000{number}-0" for number in range(6)]
    deployment, key = deployment_of(tmp_path, shop)
    with serving(deployment, key) as (_, client):
        first_push(shop, client)
        hold_next(shop, JOB)
        put(client, 1, *skus)
        wait_until(lambda: held(shop), "no job was sent", 0.05)
        put(client, 2, *skus)
        wait_until(lambda: {at_wish(shop, sku) for sku in skus} == {2}, "the newest values did not come", 0.1)
        assert state(client)["state"] != "confirmed"

        land(shop)

        wait_until(lambda: at_wish(shop) == 1, "the late job was not carried out", 0.05)
        stays_true_until(shop, client, 2)
        wait_until(lambda: {at_wish(shop, sku) for sku in skus} == {2}, "the late job was not undone", 0.1)


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    asyncio.run(postgres.run(f"CREATE DATABASE {name}"))
    yield postgres.url(name)
    asyncio.run(postgres.run(f"DROP DATABASE {name} WITH (FORCE)"))


def test_a_worker_that_stood_still_past_its_lease_is_noticed(tmp_path: Path, shop: LiveShop, database_url: str):
    shop.add_products(1, variations=1)
    wish_url = str(shop.controls.base_url).rstrip("/")
    deployment = distributed(tmp_path, database_url, wish_url)
    with fleet(deployment, 1, 1, seed=1) as running:
        wait_for_listings(running, connected(running, shop, "My shop"))
        with api(running.replicas[0], running.key) as client:
            put(client, 9)
            wait_until(lambda: state(client)["state"] == "confirmed", "nothing was pushed", 0.1)
            hold_next(shop, PUT)
            put(client, 1)
            wait_until(lambda: held(shop), "nothing was sent", 0.05)
            os.kill(running.workers[0].process.pid, signal.SIGSTOP)
            put(client, 2)
            running.workers.append(deployment.work())
            wait_until(lambda: at_wish(shop) == 2, "nobody took over", 0.1)
            assert state(client)["state"] != "confirmed"

            land(shop)
            os.kill(running.workers[0].process.pid, signal.SIGCONT)

            wait_until(lambda: at_wish(shop) == 1, "the old value did not land", 0.05)
            stays_true_until(shop, client, 2)
