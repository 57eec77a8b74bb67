"""API replicas and workers on one PostgreSQL lose processes at random while orders and stock come in."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from tests.faults.fleet import Buyers, Fleet, fleet, moment_now
from tests.live_shop import LiveShop, new_shop
from tests.postgres import PostgresServer, postgres_cluster
from tests.processes import Deployment, ServerProcess, simulated_wish, wait_until

LEASE_S = 5
SHOPS = 3
KILLS = 10
SEED = 20261125


@pytest.fixture
def wish(tmp_path: Path) -> Iterator[ServerProcess]:
    with simulated_wish(tmp_path) as running:
        yield running


@pytest.fixture
def deployment(tmp_path: Path, postgres: PostgresServer, wish: ServerProcess) -> Iterator[Deployment]:
    """An empty PostgreSQL database and settings for many processes."""
    name = f"test_{uuid4().hex}"
    asyncio.run(postgres.run(f"CREATE DATABASE {name}"))
    yield distributed(tmp_path, postgres.url(name), wish.url)
    asyncio.run(postgres.run(f"DROP DATABASE {name} WITH (FORCE)"))


def distributed(folder: Path, database_url: str, wish_url: str) -> Deployment:
    """Settings for many processes that take over soon from each other."""
    return Deployment(
        folder,
        {
            "CHANNEL_SYNC_DATABASE_URL": database_url,
            "CHANNEL_SYNC_WISH_SANDBOX_URL": wish_url,
            "CHANNEL_SYNC_PUBLIC_URL": "http://localhost:8000",
            "CHANNEL_SYNC_JOBS": "distributed",
            "CHANNEL_SYNC_LEASE_S": str(LEASE_S),
            "CHANNEL_SYNC_ORDER_INTERVAL_S": "15",
            "CHANNEL_SYNC_STOCK_INTERVAL_S": "1",
            "CHANNEL_SYNC_WISH_RATE_PER_S": "50",
        },
    )


def connected(running: Fleet, shop: LiveShop, name: str) -> str:
    """The id of an active integration of the shop."""
    shop.consent()
    app = {"client_id": shop.client_id, "client_secret": shop.client_secret}
    draft = {"channel": "wish", "name": name, "environment": "sandbox", "default_currency": "USD", **app}
    integration_id: str = running.call("POST", "/integrations", json=draft).json()["id"]
    tokens = {"access_token": shop.access_token, "refresh_token": shop.refresh_token}
    answer = running.call("PUT", f"/integrations/{integration_id}/credentials", json={**app, **tokens})
    assert answer.json()["status"] == "active", answer.text
    return integration_id


def shops_with_listings(running: Fleet, controls: httpx.Client) -> list[LiveShop]:
    shops = [new_shop(controls, f"seller-{number}") for number in range(SHOPS)]
    shops[0].switch(rate_per_s=None)
    for number, shop in enumerate(shops):
        shop.add_products(4, variations=2)
        wait_for_listings(running, connected(running, shop, f"Shop {number}"))
    return shops


def wait_for_listings(running: Fleet, integration_id: str) -> None:
    listings = f"/integrations/{integration_id}/listings"
    wait_until(lambda: running.call("GET", listings).json()["items"] != [], "no listings came", 0.1)


def stored(running: Fleet) -> Counter[str]:
    """How often each of Wish's orders is in our feed."""
    return Counter(order["channel_order_id"] for order in running.pages("/orders", limit=200))


def told(running: Fleet) -> Counter[str]:
    """How often each order was told of as created."""
    orders: Counter[str] = Counter()
    after = None
    while True:
        query = {"types": "order.created", "limit": 200, **({"after": after} if after else {})}
        page = running.call("GET", "/events", params=query).json()
        orders.update(event["data"]["order_id"] for event in page["items"])
        if not page["items"]:
            return orders
        after = page["next_cursor"]


def wrong_stock(running: Fleet, shops: list[LiveShop], wanted: dict[str, int]) -> dict[str, set[int]]:
    """SKUs that do not stand at Wish as they were last accepted, with what stands there.

    What was sold since the last level was set is taken off, in every shop.
    """
    found: dict[str, set[int]] = {}
    levels = {sku: running.call("GET", f"/stock/{sku}").json() for sku in wanted}
    assert {sku: level["available"] for sku, level in levels.items()} == wanted
    left = {sku: max(0, level["available"] - level["reserved"]) for sku, level in levels.items()}
    for shop in shops:
        for sku, units in shop.stock().items():
            if sku in left and left[sku] not in units.values():
                found.setdefault(sku, set()).update(units.values())
    return found


def test_nothing_is_lost_or_doubled_when_processes_die_at_random(deployment: Deployment, wish: ServerProcess):
    with httpx.Client(base_url=wish.url) as controls, fleet(deployment, 3, 3, SEED) as running:
        shops = shops_with_listings(running, controls)
        buyers = Buyers(running, shops, sorted(shops[0].stock()), SEED)
        buyers.start()
        for _ in range(KILLS):
            time.sleep(running.chance.uniform(0.2, 1.5))
            running.kill_one()
        buyers.end()
        placed, wanted = buyers.placed, buyers.wanted

        wait_until(lambda: set(stored(running)) >= placed, "orders are missing", 0.5)
        wait_until(
            lambda: not wrong_stock(running, shops, wanted),
            f"stock is wrong: {wrong_stock(running, shops, wanted)}",
            0.5,
        )

        assert set(running.killed) == {"worker", "replica"}
        assert stored(running) == dict.fromkeys(placed, 1)
        events = told(running)
        assert len(events) == len(placed)
        assert set(events.values()) == {1}


def test_a_killed_workers_download_is_taken_over_within_its_lease(deployment: Deployment, wish: ServerProcess):
    with httpx.Client(base_url=wish.url) as controls, fleet(deployment, 1, 1, SEED) as running:
        shop = new_shop(controls)
        shop.add_products(1, variations=1)
        shop.switch(rate_per_s=None)
        shop.control("POST", "/hold", when="after", method="GET", path="/api/v3/orders")
        connected(running, shop, "My shop")
        placed = set(shop.place_orders(10, updated_at=moment_now()))
        wait_until(lambda: controls.get("/_control/hold").json()["waiting"] > 0, "no list was asked for")
        running.workers[0].kill()
        died = time.monotonic()
        shop.control("POST", "/release")
        running.workers[0] = deployment.work()

        wait_until(lambda: set(stored(running)) >= placed, "orders are missing", 0.1)
        assert time.monotonic() - died <= LEASE_S + 5
        runs = list(running.pages("/runs", kind="orders"))
        assert [run["status"] for run in runs if run["status"] == "interrupted"] == ["interrupted"]


def test_a_worker_that_is_asked_to_stop_ends_well_within_25_seconds(deployment: Deployment, wish: ServerProcess):
    with httpx.Client(base_url=wish.url) as controls, fleet(deployment, 1, 1, SEED) as running:
        shop = new_shop(controls)
        shop.control("POST", "/hold", when="after", method="GET", path="/api/v3/orders")
        connected(running, shop, "My shop")
        wait_until(lambda: controls.get("/_control/hold").json()["waiting"] > 0, "no list was asked for")
        asked = time.monotonic()

        assert running.workers[0].stop() == 0
        assert time.monotonic() - asked < 25


def test_workers_go_on_soon_after_postgres_was_away_and_stop_while_it_is(tmp_path: Path, wish: ServerProcess):
    with httpx.Client(base_url=wish.url) as controls, postgres_cluster() as cluster:
        deployment = distributed(tmp_path, cluster.url("postgres"), wish.url)
        with fleet(deployment, 1, 2, SEED) as running:
            shop = new_shop(controls)
            shop.add_products(1, variations=1)
            integration_id = connected(running, shop, "My shop")
            wait_for_listings(running, integration_id)
            cluster.stop("immediate")
            time.sleep(2)
            cluster.start()
            back = time.monotonic()
            placed = set(shop.place_orders(5, updated_at=moment_now()))
            running.call("POST", f"/integrations/{integration_id}/runs", json={"kind": "orders"})
            wait_until(lambda: set(stored(running)) >= placed, "orders are missing", 0.1)
            assert time.monotonic() - back <= 5

            cluster.stop("immediate")
            asked = time.monotonic()
            assert [worker.stop() for worker in running.workers] == [0, 0]
            assert time.monotonic() - asked < 25
            cluster.start()
