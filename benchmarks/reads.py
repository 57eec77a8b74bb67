"""Rows of the table about answering: the list of 50 of 10,000 integrations, and writes beside it.

The load, the servers and PostgreSQL share the cores of one machine. What is set side by side shares them alike, in
the same minute: the ratios travel.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count, cycle
from pathlib import Path
from typing import TypeVar

from tests.postgres import PostgresServer
from tests.processes import api
from uvicorn.loops.auto import auto_loop_factory

from benchmarks.load import Latency, timed_load
from benchmarks.many_shops import Crowd, Running, at_work, own_server
from benchmarks.raw_sockets import Request, answers_per_s, request
from benchmarks.stage import postgres
from benchmarks.table import WrongResult, row

SHOPS = 10_000
LIST = "/integrations?limit=50"
SOCKETS = 16
ROUNDS = 5
ROUND_S = 3.0
STEADY_PER_S = 300
STEADY_S = 20.0
KEYS = 20
REPLICAS = 4
HELD_S = 5.0
READ_MS = 50.0
WRITE_MS = 100.0

T = TypeVar("T")


def of_reads() -> None:
    """One process on either store, then four on one PostgreSQL."""
    _of_one_process("SQLite", "≥ 15 %")
    with postgres() as server:
        _of_one_process("PostgreSQL", "≥ 11 %", server)
        _of_four(server)


def _of_one_process(store: str, goal: str, server: PostgresServer | None = None) -> None:
    with at_work(Crowd(SHOPS), server) as running:
        with bare_routes(1, "fastapi") as fastapi, bare_routes(1, "starlette") as starlette:
            rivals = {fastapi[0]: ("FastAPI's", goal), starlette[0]: ("Starlette's", "")}
            _beside_bare(f"GET {LIST} of {SHOPS:,}, {store}, {SOCKETS} sockets", running, rivals)
        keys, integrations = _make_keys(running), _integrations(running)
        reads = _reads([running.service.url], keys)
        _steady(f"the same at {STEADY_PER_S}/s for {STEADY_S:.0f} s, {store}", reads)
        writes = _writes(running, keys, integrations)
        _mixed(f"{STEADY_PER_S}/s, every second one a PATCH or a PUT /stock, {store}", reads, writes)


def _beside_bare(name: str, running: Running, rivals: Mapping[str, tuple[str, str]]) -> None:
    """In turn with bare routes, and in turn first; of each its name and the goal beside it."""
    asked = {url: request(url, running.key, LIST) for url in (running.service.url, *rivals)}
    per_s: dict[str, list[float]] = {url: [] for url in asked}
    for number in range(ROUNDS):
        for url in sorted(asked, reverse=bool(number % 2)):
            per_s[url].append(_run(answers_per_s(asked[url], SOCKETS, ROUND_S)))
    ours = per_s[running.service.url]
    for url, (rival, goal) in rivals.items():
        ratios = [one / other for one, other in zip(ours, per_s[url], strict=True)]
        each = ", ".join(f"{ratio:.1%}" for ratio in ratios)
        text = (
            f"{statistics.median(ours):,.0f}/s beside {statistics.median(per_s[url]):,.0f}/s of {rival} bare route"
        )
        row(name, f"{text}: {statistics.median(ratios):.1%} (each: {each})", goal)


def _steady(name: str, requests: Iterable[Request]) -> None:
    _tell(name, _run(timed_load(requests, STEADY_PER_S, STEADY_S)), READ_MS)


def _mixed(name: str, reads: Iterable[Request], writes: Iterable[Request]) -> None:
    async def both() -> tuple[Latency, Latency]:
        return await asyncio.gather(
            timed_load(reads, STEADY_PER_S / 2, STEADY_S), timed_load(writes, STEADY_PER_S / 2, STEADY_S)
        )

    of_reads, of_writes = _run(both())
    _tell(f"{name}: reads", of_reads, READ_MS)
    _tell(f"{name}: writes", of_writes, WRITE_MS)


def _tell(name: str, latency: Latency, most_ms: float) -> None:
    text = f"p50 {latency.p50_ms:.1f}, p99 {latency.p99_ms:.1f}, worst {latency.worst_ms:.0f} ms"
    row(name, f"{text}; {latency.failures} of {latency.requests} failed", f"p99 ≤ {most_ms:.0f} ms, 0 failures")


def _of_four(server: PostgresServer) -> None:
    with at_work(Crowd(SHOPS, replicas=REPLICAS), server) as running, bare_routes(REPLICAS, "starlette") as bare:
        keys = _make_keys(running)
        ours = highest_rate(_reads([replica.url for replica in running.replicas], keys), 100)
        others = highest_rate(_reads(bare, keys), 1000)
    name = f"GET {LIST} with p99 ≤ {READ_MS:.0f} ms, {REPLICAS} replicas on the cores of PostgreSQL and the load"
    row(name, f"{ours:,.0f}/s beside {others:,.0f}/s of Starlette's bare route in {REPLICAS}: {ours / others:.1%}")


def highest_rate(requests: Iterable[Request], first: float) -> float:
    """The highest rate a second answered in time: doubled until it is not, then two steps in between."""

    def is_carried(rate: float) -> bool:
        # A second try, for one hiccup of the machine is 1 % of five seconds.
        return any(_in_time(_run(timed_load(requests, rate, HELD_S))) for _ in range(2))

    carried, too_high = 0.0, first
    while is_carried(too_high):
        carried, too_high = too_high, too_high * 2
    if not carried:
        raise WrongResult(f"{first:,.0f} requests a second are too many already")
    for _ in range(2):
        between = (carried + too_high) / 2
        carried, too_high = (between, too_high) if is_carried(between) else (carried, between)
    return carried


def _in_time(latency: Latency) -> bool:
    return latency.failures == 0 and latency.p99_ms <= READ_MS


@contextmanager
def bare_routes(number: int, framework: str) -> Iterator[list[str]]:
    """Where so many processes listen that answer without any work."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        yield [running.enter_context(own_server(Path(folder), "bare_route", framework)).url for _ in range(number)]


def _make_keys(running: Running) -> list[str]:
    with api(running.service, running.key) as client:
        body = {"name": "load", "scopes": ["admin"]}
        made = [client.post("/api-keys", json=body) for _ in range(KEYS)]
    return [answer.raise_for_status().json()["key"] for answer in made]


def _integrations(running: Running) -> list[str]:
    """Every id; the pages must be full, or the list that is measured is a shorter one."""
    found: list[str] = []
    with api(running.service, running.key) as client:
        page = client.get(LIST).raise_for_status().json()
        if len(page["items"]) != 50:
            raise WrongResult(f"the list has {len(page['items'])} integrations")
        cursor: dict[str, str] = {}
        while page["next_cursor"]:
            page = client.get("/integrations", params={"limit": "200", **cursor}).raise_for_status().json()
            found += [item["id"] for item in page["items"]]
            cursor = {"cursor": page["next_cursor"]}
    return found


def _reads(urls: list[str], keys: list[str]) -> Iterator[Request]:
    return cycle([request(url, key, LIST) for key in keys for url in urls])


def _writes(running: Running, keys: list[str], integrations: list[str]) -> Iterator[Request]:
    """In turn a new name for an integration and a new level for a SKU; each changes something."""
    url = running.service.url
    for number in count():
        key, place = keys[number % KEYS], number * 7 % SHOPS
        if number % 2:
            path = f"/integrations/{integrations[place]}"
            yield request(url, key, path, "PATCH", {"name": f"Shop {place:06}, name {number}"})
        else:
            yield request(url, key, "/stock", "PUT", {"items": [{"sku": f"SKU-{place:05}", "available": number}]})


def _run(work: Coroutine[None, None, T]) -> T:
    """What it comes to, on the cheapest event loop there is."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        return runner.run(work)
