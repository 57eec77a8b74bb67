"""Kill the service with SIGKILL at chosen moments of a download, and see what it left."""

import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
from tests.live_shop import BEFORE_THE_FIRST, LiveShop, connect, new_shop
from tests.processes import Deployment, ServerProcess, api, simulated_wish, wait_until

PAGE = 500
LIST = {"method": "GET", "path": "/api/v3/orders"}
NOTHING_YET = int(datetime.fromisoformat(BEFORE_THE_FIRST).timestamp()) * 1_000_000


@dataclass
class Scene:
    """A shop whose every list of orders waits at Wish until it is let go, and a service that wants them."""

    shop: LiveShop
    deployment: Deployment
    key: str
    integration_id: str = ""
    expected_ids: list[str] = field(default_factory=list)

    def let_one_page_go(self) -> None:
        """Answer the list that waits; the next one waits again."""
        self.shop.control("POST", "/release")
        self.shop.control("POST", "/hold", when="after", **LIST)

    def ask_for_orders(self, service: ServerProcess) -> None:
        """Start a run as a person does: work that killed three processes in a row is put aside for an hour."""
        with api(service, self.key) as client:
            client.post(f"/integrations/{self.integration_id}/runs", json={"kind": "orders"}).raise_for_status()

    def wait_for_a_list(self) -> None:
        """Until a list of orders waits at Wish."""
        wait_until(lambda: self.shop.controls.get("/_control/hold").json()["waiting"] > 0, "no list was asked for")

    def stored(self) -> "Stored":
        """What stands in the database, which must be whole."""
        with sqlite3.connect(self.deployment.database) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            rows, newest = connection.execute("SELECT count(*), max(channel_updated_at) FROM orders").fetchone()
            cursor = connection.execute("SELECT order_cursor FROM accounts").fetchone()[0]
            told = "SELECT count(*), count(DISTINCT id) FROM events WHERE type LIKE 'order.%'"
            return Stored(rows, newest or NOTHING_YET, cursor, *connection.execute(told).fetchone())


@dataclass(frozen=True)
class Stored:
    """Orders, the newest one's time, the cursor, and the order events with how many of them differ."""

    orders: int
    newest: int
    cursor: int
    events: int
    distinct_events: int

    @property
    def consistent(self) -> bool:
        """Whether orders, cursor and events are of one and the same page."""
        return self.newest == self.cursor and self.orders == self.events == self.distinct_events


@contextmanager
def scene(folder: Path, orders: int, build: Path | None = None) -> Iterator[Scene]:
    """A connected shop with that many orders, the service stopped and nothing downloaded yet.

    `build` is a folder with another build of the service.
    """
    with simulated_wish(folder) as wish, httpx.Client(base_url=wish.url) as controls:
        shop = new_shop(controls)
        shop.add_products(3, variations=1)
        shop.switch(rate_per_s=None)
        settings = {
            "CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url,
            "CHANNEL_SYNC_PUBLIC_URL": "http://localhost:8000",
            "CHANNEL_SYNC_ORDER_OVERLAP_S": "0",
            "CHANNEL_SYNC_ORDER_INTERVAL_S": "15",
            "CHANNEL_SYNC_WISH_RATE_PER_S": "1000",
            **({} if build is None else {"PYTHONPATH": str(build)}),
        }
        deployment = Deployment(folder, settings, from_scratch=build is not None)
        deployment.command("migrate")
        place = Scene(shop, deployment, deployment.create_key("admin"))
        place.shop.control("POST", "/hold", when="after", **LIST)
        shop.place_orders(orders)
        service = deployment.serve()
        with api(service, place.key) as client:
            place.integration_id = connect(client, shop)
        place.wait_for_a_list()
        service.kill()
        yield place


Moment = Callable[[Scene, ServerProcess, random.Random], None]


def while_fetching(place: Scene, service: ServerProcess, chance: random.Random) -> None:
    """Kill while Wish has not answered yet."""
    time.sleep(chance.uniform(0, 0.05))
    service.kill()


def between_fetch_and_commit(place: Scene, service: ServerProcess, chance: random.Random) -> None:
    """Kill a few milliseconds after the answer, while the page is read and written."""
    place.let_one_page_go()
    time.sleep(chance.uniform(0, 0.03))
    service.kill()


def around_the_commit(place: Scene, service: ServerProcess, chance: random.Random) -> None:
    """Kill as soon as the page's pages reach the write-ahead log."""
    log = place.deployment.database.with_name(place.deployment.database.name + "-wal")
    before = os.stat(log).st_mtime_ns
    place.let_one_page_go()
    wait_until(lambda: os.stat(log).st_mtime_ns != before, "nothing was committed", pause_s=0)
    time.sleep(chance.uniform(0, 0.004))
    service.kill()


def kill_repeatedly(place: Scene, moments: list[Moment], seed: int) -> Iterator[tuple[str, Stored]]:
    """One life of the service for each moment, in a seeded order; what every death left behind."""
    chance = random.Random(seed)
    chance.shuffle(moments)
    for moment in moments:
        service = place.deployment.serve()
        try:
            place.ask_for_orders(service)
            place.wait_for_a_list()
            moment(place, service, chance)
        finally:
            service.kill()
        place.shop.control("POST", "/release")
        place.shop.control("POST", "/hold", when="after", **LIST)
        yield moment.__name__, place.stored()


def finish(place: Scene, orders: int) -> list[str]:
    """Let the download end; the Wish ids of all orders, read page by page through the API."""
    place.shop.control("POST", "/release")
    service = place.deployment.serve()
    try:
        place.ask_for_orders(service)
        with api(service, place.key) as client:
            wait_until(lambda: place.stored().orders >= orders, "the download did not end")
            return list(_walk(client))
    finally:
        service.stop()


def _walk(client: httpx.Client) -> Iterator[str]:
    cursor = None
    while True:
        page = client.get("/orders", params={"limit": 200, **({"cursor": cursor} if cursor else {})}).json()
        yield from (order["channel_order_id"] for order in page["items"])
        cursor = page["next_cursor"]
        if not page["items"] or cursor is None:
            return


def counted(left: list[tuple[str, Stored]]) -> Counter[str]:
    """How many kills there were of each kind."""
    return Counter(name for name, _ in left)
