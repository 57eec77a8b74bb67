"""API replicas and workers on one PostgreSQL, as separate processes that may die at any moment."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from tests.processes import Deployment, ServerProcess, WorkerProcess

_TRIES = 40
_TRY_AGAIN_S = 0.25


@dataclass
class Fleet:
    """So many of both; whoever is killed is replaced after a moment, as a supervisor would.

    `chance` says who dies and when, the same each time: nothing else may draw from it.
    """

    deployment: Deployment
    replicas: list[ServerProcess]
    workers: list[WorkerProcess]
    key: str
    chance: random.Random
    killed: list[str] = field(default_factory=list)
    _router: random.Random = field(default_factory=random.Random)
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def call(self, verb: str, path: str, **options: Any) -> httpx.Response:
        """A good answer of one replica or another, as a load balancer would bring it.

        A request whose answer was lost is sent again, so it must be one that may be repeated.
        """
        last: object = None
        for _ in range(_TRIES):
            with self._changing:
                url = self._router.choice(self.replicas).url
            try:
                headers = {"Authorization": f"Bearer {self.key}"}
                answer = httpx.request(verb, f"{url}{path}", headers=headers, timeout=10, **options)
                if answer.status_code < 500:
                    return answer
                last = answer.status_code
            except httpx.TransportError as error:
                last = error
            time.sleep(_TRY_AGAIN_S)
        raise AssertionError(f"no replica answered {verb} {path}: {last}")

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list."""
        cursor = None
        while True:
            page = self.call("GET", path, params={**query, **({"cursor": cursor} if cursor else {})}).json()
            yield from page["items"]
            cursor = page["next_cursor"]
            if not page["items"] or cursor is None:
                return

    def kill_all(self) -> None:
        """End every process."""
        for process in (*self.replicas, *self.workers):
            process.kill()

    def kill_one(self) -> None:
        """End one of all processes as a crash would, and start another in its place."""
        place = self.chance.randrange(len(self.replicas) + len(self.workers))
        is_worker = place >= len(self.replicas)
        if is_worker:
            place -= len(self.replicas)
            self.workers[place].kill()
            self.workers[place] = self.deployment.work()
        else:
            self.replicas[place].kill()
            fresh = self.deployment.serve()
            with self._changing:
                self.replicas[place] = fresh
        self.killed.append("worker" if is_worker else "replica")


@contextmanager
def fleet(deployment: Deployment, replicas: int, workers: int, seed: int) -> Iterator[Fleet]:
    """A fleet at work on the deployment's PostgreSQL."""
    deployment.command("migrate")
    running = Fleet(deployment, [], [], deployment.create_key("admin"), random.Random(seed))
    with ExitStack() as stopping:
        stopping.callback(running.kill_all)
        for _ in range(replicas):
            running.replicas.append(deployment.serve())
        for _ in range(workers):
            running.workers.append(deployment.work())
        yield running


@dataclass(eq=False)
class Buyers(threading.Thread):
    """Places orders and changes stock until it is told to end, and remembers what must come of it."""

    fleet: Fleet
    shops: list[Any]
    skus: list[str]
    seed: int
    wanted: dict[str, int] = field(default_factory=dict)
    placed: set[str] = field(default_factory=set)
    error: BaseException | None = None

    def __post_init__(self) -> None:
        super().__init__()
        self._enough = threading.Event()
        self._chance = random.Random(self.seed)

    def run(self) -> None:
        """Buy and count."""
        try:
            while not self._enough.wait(0.2):
                shop = self._chance.choice(self.shops)
                bought = {"updated_at": moment_now(), "lowers_stock": True}
                self.placed |= set(shop.place_orders(self._chance.randrange(1, 20), **bought))
                self._write_stock()
        except BaseException as error:
            self.error = error

    def _write_stock(self) -> None:
        levels = {sku: self._chance.randrange(1, 1000) for sku in self._chance.sample(self.skus, 3)}
        items = [{"sku": sku, "available": level} for sku, level in levels.items()]
        answer = self.fleet.call("PUT", "/stock", json={"items": items})
        assert answer.status_code == 200, answer.text
        self.wanted |= levels

    def end(self) -> None:
        """No more orders and no more stock."""
        self._enough.set()
        self.join()
        if self.error is not None:
            raise self.error


def moment_now() -> str:
    """The time as Wish writes it."""
    moment = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03}Z"
