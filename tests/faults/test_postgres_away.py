"""PostgreSQL restarts, is away, takes no writes or falls silent; the service goes on by itself."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from tests.faults.hammer import Hammer
from tests.live_shop import LiveShop, connect, new_shop, wait_for_run
from tests.pgbouncer import pgbouncer
from tests.postgres import Cluster, postgres_cluster
from tests.processes import Deployment, ServerProcess, api, children, simulated_wish, wait_until

BACK_WITHIN_S = 5.0
READS = ("/integrations", "/orders")
# What is committed survives an immediate stop.
DURABLE = "-c listen_addresses='' -c full_page_writes=off"
LIST = {"method": "GET", "path": "/api/v3/orders"}


@dataclass
class Place:
    """A connected shop, a service with its jobs, and a PostgreSQL that the test may do anything to."""

    cluster: Cluster
    shop: LiveShop
    service: ServerProcess
    client: httpx.Client
    integration_id: str
    sku: str
    _level: int = field(default=1)

    def put(self) -> httpx.Response:
        """Another level for the SKU."""
        self._level += 1
        return self.client.put("/stock", json={"items": [{"sku": self.sku, "available": self._level}]})

    def post(self) -> httpx.Response:
        """A write whose answer is kept under a key."""
        headers = {"Idempotency-Key": os.urandom(8).hex()}
        return self.client.post("/orders/erase", json={"ids": ["unknown"]}, headers=headers)

    def ready(self) -> httpx.Response:
        return self.client.get("/health/ready")

    def calls(self) -> dict[str, Callable[[], httpx.Response]]:
        """A call of every kind."""
        reads = {path: partial(self.client.get, path) for path in READS}
        return {"put": self.put, "post": self.post, "ready": self.ready, **reads}

    @contextmanager
    def hammered(self) -> Iterator[dict[str, Hammer]]:
        """Callers of every kind for as long as the block runs and until all is well again, which must be soon."""
        hammers = {name: Hammer(call) for name, call in self.calls().items()}
        with ExitStack() as at_work:
            for hammer in hammers.values():
                at_work.enter_context(hammer)
            wait_until(lambda: all(hammer.answers for hammer in hammers.values()), "nobody answers")
            yield hammers
            back = time.monotonic()
            wait_until(lambda: self.put().status_code == 200, "writes stay away")
            wanted = self._level
            wait_until(lambda: max(self.shop.stock()[self.sku].values()) >= wanted, "stock does not arrive")
            assert time.monotonic() - back < BACK_WITHIN_S
        for name, hammer in hammers.items():
            assert {answer.status for answer in hammer.answers} <= {200, 503}, name
            assert max(answer.took_s for answer in hammer.answers) < BACK_WITHIN_S, name
            assert all(answer.status == 200 for answer in hammer.answers if answer.at > back + BACK_WITHIN_S), name
            refusals = {answer.code for answer in hammer.answers if answer.status == 503}
            assert refusals <= ({"database_away"} if name == "ready" else {"storage_unavailable"}), name


def refused(hammer: Hammer) -> int:
    return sum(answer.status == 503 for answer in hammer.answers)


@contextmanager
def running(folder: Path, cluster: Cluster, url: str) -> Iterator[Place]:
    with simulated_wish(folder) as wish, httpx.Client(base_url=wish.url) as controls:
        shop = new_shop(controls)
        shop.add_products(1, variations=1)
        settings = {"CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url, "CHANNEL_SYNC_DATABASE_URL": url}
        deployment = Deployment(folder, settings)
        deployment.command("migrate")
        key = deployment.create_key("admin")
        service = deployment.serve()
        try:
            with api(service, key) as client:
                integration_id = connect(client, shop)
                wait_for_run(client, integration_id, "listings")
                yield Place(cluster, shop, service, client, integration_id, next(iter(shop.stock())))
        finally:
            assert service.stop() == 0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of these tests alone."""
    with postgres_cluster(DURABLE) as cluster:
        yield cluster


@pytest.fixture(scope="module", params=["direct", "pooled"])
def place(request: Any, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The whole, with PostgreSQL reached directly and through PgBouncer."""
    name = f"service_{request.param}"
    asyncio.run(cluster.run(f"CREATE DATABASE {name}"))
    with ExitStack() as parts:
        url = cluster.url(name)
        if request.param == "pooled":
            program = request.getfixturevalue("pgbouncer_path")
            url = parts.enter_context(pgbouncer(program, cluster)).url(name)
        yield parts.enter_context(running(tmp_path_factory.mktemp(name), cluster, url))


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_is_a_moment_of_503s(place: Place, mode: str):
    with place.hammered():
        place.cluster.stop(mode)
        place.cluster.start()


def test_without_a_server_all_answers_are_503_and_the_process_lives_on(place: Place):
    with place.hammered() as hammers:
        place.cluster.stop("fast")
        before = {name: refused(hammer) for name, hammer in hammers.items()}
        wait_until(lambda: all(refused(hammers[name]) > before[name] + 2 for name in hammers), "some go on")
        answer = place.client.get("/orders")
        alive = place.client.get("/health/live").status_code
        place.cluster.start()

    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json()["code"] == "storage_unavailable"
    assert int(answer.headers["retry-after"]) >= 1
    assert alive == 200


def test_while_it_takes_no_writes_reads_go_on(place: Place):
    with place.hammered() as hammers:
        asyncio.run(set_read_only(place.cluster, True))
        try:
            wait_until(lambda: min(refused(hammers["put"]), refused(hammers["post"])) > 5, "writes go on")
        finally:
            asyncio.run(set_read_only(place.cluster, False))

    assert [refused(hammers[name]) for name in READS] == [0, 0]


def test_one_that_falls_silent_is_noticed(place: Place):
    with frozen(place.cluster):
        answers = [Hammer(call).once() for call in place.calls().values()]

    assert {answer.status for answer in answers} == {503}
    assert max(answer.took_s for answer in answers) < BACK_WITHIN_S
    with place.hammered():
        """All is well again."""


def test_orders_that_were_on_their_way_arrive_when_it_is_back(place: Place):
    place.shop.control("POST", "/hold", when="after", **LIST)
    placed = set(place.shop.place_orders(20, updated_at=None))
    asked = place.client.post(f"/integrations/{place.integration_id}/runs", json={"kind": "orders"})
    assert asked.status_code == 202, asked.text
    controls = place.shop.controls
    wait_until(lambda: controls.get("/_control/hold").json()["waiting"] > 0, "no list was asked for")
    place.cluster.stop("immediate")
    place.shop.control("POST", "/release")
    wait_until(lambda: place.client.get("/orders").status_code == 503, "it is not away")
    place.cluster.start()
    back = time.monotonic()

    wait_until(lambda: placed <= stored(place), "the orders do not arrive")

    assert time.monotonic() - back < BACK_WITHIN_S


def stored(place: Place) -> set[str]:
    answer = place.client.get("/orders", params={"limit": 200})
    return {order["channel_order_id"] for order in answer.json()["items"]} if answer.status_code == 200 else set()


async def set_read_only(cluster: Cluster, read_only: bool) -> None:
    connection = await asyncpg.connect(cluster.url("postgres"))
    try:
        await connection.execute("SET default_transaction_read_only = off")
        await connection.execute(
            f"ALTER SYSTEM SET default_transaction_read_only = {'on' if read_only else 'off'}"
        )
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()


@contextmanager
def frozen(cluster: Cluster) -> Iterator[None]:
    """Every process of the server stopped as by a machine that hangs: connections stay open and say nothing."""
    server = int((cluster.folder / "cluster" / "postmaster.pid").read_text().split()[0])
    processes = [server, *children(server)]
    _signal(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(processes, signal.SIGCONT)


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        # One that was about to end has ended.
        with suppress(ProcessLookupError):
            os.kill(process, number)
