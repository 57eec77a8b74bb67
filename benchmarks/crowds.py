"""Rows of the table about many integrations: one process of each kind of store, then workers."""

import asyncio
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.postgres import PostgresServer

from benchmarks.many_shops import Crowd, Polls, answered_after_s, polls, quiet_wish
from benchmarks.raw_sockets import raw_polls_s
from benchmarks.stage import postgres
from benchmarks.table import row

SIZES = (100, 1_000, 10_000)
MANY = 10_000
LATENCY_S = 0.2
ROUNDS = 5
SHOPS_BESIDE = 300
STUCK = 5
WORKERS = (1, 2, 3)
# So few at once that a worker waits for Wish, not for the processor that all of them share here.
SEATS_OF_A_WORKER = 16
SHOPS_OF_WORKERS = 1_200


def of_one_process() -> None:
    """How the cost of looking for news grows, and what a caller of the API notices."""
    for shops in SIZES:
        _tell(f"{shops:,} shops due at once, SQLite", _rounds(Crowd(shops)))
    raw = _raw_per_s(MANY)
    with postgres() as server:
        for shops in SIZES:
            _tell(f"{shops:,} shops due at once, PostgreSQL", _rounds(Crowd(shops), server))
    limits = Crowd(MANY, LATENCY_S, concurrency=256)
    slow = _rounds(limits)
    _tell(f"{MANY:,} shops, answers after 200 ms, 256 at once, SQLite", slow)
    per_s = statistics.median(one.per_s for one in slow)
    row("that, of what 256 at once can be at all", f"{per_s / (256 / LATENCY_S):.0%}", "≥ 90 %")
    row(f"{MANY:,} bare requests over 64 sockets", f"{raw:,.0f} a second", "")


def of_a_stuck_shop() -> None:
    """How much later the others are done where Wish never answers a few, which hold their seats all the while."""
    rounds = []
    for number in range(ROUNDS):
        turns = (0, STUCK) if number % 2 else (STUCK, 0)
        rounds.append({stuck: answered_after_s(Crowd(SHOPS_BESIDE, LATENCY_S, stuck=stuck)) for stuck in turns})
    later = statistics.median(one[STUCK] / one[0] for one in rounds) - 1
    each = ", ".join(f"{one[STUCK]:.2f} for {one[0]:.2f} s" for one in rounds)
    name = f"{SHOPS_BESIDE} shops due at once, answers after 200 ms, {STUCK} of them never: the others are done"
    row(name, f"{later:+.1%} later (each: {each})", "≤ 5 %")


def of_workers() -> None:
    """What a second and a third worker bring while all wait for Wish."""
    with postgres() as server:
        rounds = [{number: _with_workers(number, server) for number in WORKERS} for _ in range(ROUNDS)]
    for number in WORKERS:
        per_s = statistics.median(one[number] for one in rounds)
        ratio = statistics.median(one[number] / one[1] for one in rounds)
        each = ", ".join(f"{one[number]:,.0f}" for one in rounds)
        name = (
            f"{number} workers, {SHOPS_OF_WORKERS} shops, answers after 200 ms, {SEATS_OF_A_WORKER} at once each"
        )
        goal = "≥ 2.5 times one" if number == 3 else ""
        row(name, f"{per_s:,.0f} shops a second (each: {each}), {ratio:.2f} times one", goal)


def _with_workers(number: int, server: PostgresServer) -> float:
    crowd = Crowd(SHOPS_OF_WORKERS, LATENCY_S, workers=number, concurrency=SEATS_OF_A_WORKER)
    return polls(crowd, server).per_s


def _rounds(crowd: Crowd, server: PostgresServer | None = None) -> list[Polls]:
    return [polls(crowd, server) for _ in range(ROUNDS)]


def _tell(name: str, rounds: list[Polls]) -> None:
    """The medians of all figures but memory, of which the most counts."""

    def median(of: Callable[[Polls], float]) -> float:
        return statistics.median(map(of, rounds))

    speed = f"{median(lambda one: one.per_s):,.0f} a second"
    each = ", ".join(f"{one.per_s:,.0f}" for one in rounds)
    asked = f"95 % asked after {median(lambda one: one.start_p95_s):.2f} s"
    cost = f"{median(lambda one: one.cpu_us):,.0f} µs of processor each"
    row(name, f"{speed} (each: {each}); {asked}; {cost}, {max(one.peak_mb for one in rounds):.0f} MB", "")
    p50_ms, p99_ms = median(lambda one: one.api.p50_ms), median(lambda one: one.api.p99_ms)
    text = f"p50 {p50_ms:.1f}, p99 {p99_ms:.1f} ms, in the worst round {max(one.api.p99_ms for one in rounds):.1f}"
    row("the list of integrations at 50/s meanwhile", text, "≤ 50 ms")


def _raw_per_s(shops: int) -> float:
    with tempfile.TemporaryDirectory() as folder, quiet_wish(Path(folder), 0) as wish:
        return shops / asyncio.run(raw_polls_s(wish.url, shops, 64))
