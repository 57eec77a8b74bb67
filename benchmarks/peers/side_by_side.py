"""Our order download and that of the peers, in turn, on the same machine in the same hour: ratios travel.

Ours is counted from the run's start to its end. dlt and PyAirbyte: the time inside `run` and `read`. Airbyte's
CDK: from building the source to its last message, storing nothing. Singer: two whole processes, with their start.
"""

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from tests.live_shop import LiveShop
from tests.postgres import PostgresServer
from tests.processes import ServerProcess

from benchmarks.downloads import download_and_look_again
from benchmarks.limits import Truth
from benchmarks.peers.environments import NoEnvironment, interpreter
from benchmarks.peers.runs import FLAT, POSTGRES_JSON, SQLITE_JSON, Peer, PeerFailed, Result, run
from benchmarks.table import WrongResult, row

LOOKS = 3
STORE = {False: "SQLite", True: "PostgreSQL"}

PEERS = (
    Peer("dlt tuned → SQLite", "dlt", "dlt_orders.py", SQLITE_JSON, options=(("tuned", True),)),
    Peer("dlt default → SQLite", "dlt", "dlt_orders.py", FLAT, options=(("tuned", False),)),
    Peer("dlt tuned → PostgreSQL", "dlt", "dlt_orders.py", POSTGRES_JSON, True, (("tuned", True),)),
    Peer("dlt default → PostgreSQL", "dlt", "dlt_orders.py", FLAT, True, (("tuned", False),)),
    Peer("Singer → PostgreSQL", "singer", "singer_orders.py", POSTGRES_JSON, True, passes=1),
    Peer("Airbyte CDK, a bare read", "airbyte-cdk", "airbyte_orders.py"),
    # Its second pass takes as long as the first.
    Peer("PyAirbyte → DuckDB", "pyairbyte", "pyairbyte_orders.py", passes=1),
)
GOALS = {
    "dlt tuned → SQLite": ("≥ 15 times ours, floor 10", "≥ 8 times ours"),
    "dlt tuned → PostgreSQL": ("≥ 9 times ours, floor 7", "≥ 8 times ours"),
    "Singer → PostgreSQL": ("≥ 14 times ours", ""),
    "Airbyte CDK, a bare read": ("≥ 8 times ours", ""),
    "PyAirbyte → DuckDB": ("≥ 10 times ours", ""),
}


@dataclass(frozen=True)
class Ground:
    """What all of them run on."""

    wish: ServerProcess
    shop: LiveShop
    truth: Truth
    server: PostgresServer | None


@dataclass
class Lane:
    """What one contestant did in which round. A peer that fails is out.

    Ours goes on, and has a second try in the round: without it the round has no ratios. Its failures are printed.
    """

    act: Callable[[], Result]
    results: dict[int, Result] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    is_ours: bool = False


def compare(ground: Ground, rounds: int, only: set[str]) -> None:
    """Run all in turn, the order rotated each round, and print the medians of the ratios within a round."""
    peers = [peer for peer in PEERS if peer.environment in only and _can_run(peer, ground.server)]
    stores = (False,) if ground.server is None else (False, True)
    ours = {postgres: Lane(partial(_ours, ground, postgres), is_ours=True) for postgres in stores}
    theirs = {peer: Lane(partial(run, peer, ground.wish, ground.shop, ground.server)) for peer in peers}
    lanes = {f"ours → {STORE[postgres]}": lane for postgres, lane in ours.items()}
    lanes |= {peer.name: lane for peer, lane in theirs.items()}
    for number in range(rounds):
        _one_round(lanes, number, rounds)
    for postgres, lane in ours.items():
        _print_ours(f"ours → {STORE[postgres]}", lane)
    for peer, lane in theirs.items():
        _print_peer(peer.name, lane, ours[peer.postgres], ground.truth)


def _can_run(peer: Peer, server: PostgresServer | None) -> bool:
    if peer.postgres and server is None:
        row(peer.name, "not measured: there is no PostgreSQL on this machine")
        return False
    try:
        interpreter(peer.environment)
    except NoEnvironment as missing:
        row(peer.name, f"not measured: {missing}")
        return False
    return True


def _ours(ground: Ground, postgres: bool) -> Result:
    truth, server = ground.truth, ground.server if postgres else None
    first, looks = download_and_look_again(ground.wish, ground.shop, truth, LOOKS, server)
    calls = max(look.calls for look in looks)
    again_s = [look.seconds for look in looks]
    return Result(first.seconds, again_s, truth.orders, truth.orders, truth.revenue, calls)


def _one_round(lanes: dict[str, Lane], number: int, rounds: int) -> None:
    names = list(lanes)
    first = number % len(names)
    for name in names[first:] + names[:first]:
        lane = lanes[name]
        for _ in range(2 if lane.is_ours else not lane.failures):
            said = _one_try(lane, number)
            print(f"round {number + 1} of {rounds}: {name}: {said}", file=sys.stderr, flush=True)
            if number in lane.results:
                break


def _one_try(lane: Lane, number: int) -> str:
    try:
        lane.results[number] = lane.act()
    except (PeerFailed, WrongResult) as failed:
        lane.failures.append(f"round {number + 1}: {failed}")
        return str(failed)
    return f"{lane.results[number].first_s:.1f} s"


def _print_ours(name: str, lane: Lane) -> None:
    results = lane.results.values()
    if results:
        each = ", ".join(f"{result.first_s:.1f}" for result in results)
        row(f"{name}, first load", f"{statistics.median(map(_first_s, results)):.2f} s (each: {each})")
        ms = statistics.median(map(_again_s, results)) * 1000
        calls = max(result.calls for result in results)
        row(f"{name}, nothing new", f"{ms:.0f} ms, calls to Wish: {calls}", "1 call")
    _print_failures(name, lane)


def _print_peer(name: str, theirs: Lane, ours: Lane, truth: Truth) -> None:
    goals = GOALS.get(name, ("", ""))
    both = sorted(theirs.results.keys() & ours.results.keys())
    for what, seconds, goal in (("first load", _first_s, goals[0]), ("nothing new", _again_s, goals[1])):
        if both:
            ratios = [seconds(theirs.results[number]) / seconds(ours.results[number]) for number in both]
            each = ", ".join(f"{ratio:.1f}" for ratio in ratios)
            took_s = statistics.median(seconds(theirs.results[number]) for number in both)
            measured = f"{statistics.median(ratios):.1f} times ours (each: {each}); {took_s:.2f} s"
            row(f"{name}, {what}", measured, goal)
    for wrong in sorted({wrong for result in theirs.results.values() for wrong in _wrong(result, truth)}):
        row(f"{name}: not the shop's orders", wrong)
    _print_failures(name, theirs)


def _print_failures(name: str, lane: Lane) -> None:
    for failure in lane.failures:
        row(f"{name}: failed", failure)


def _first_s(result: Result) -> float:
    return result.first_s


def _again_s(result: Result) -> float:
    return statistics.median(result.again_s)


def _wrong(result: Result, truth: Truth) -> list[str]:
    """What differs from the shop, as counted."""
    found = []
    if result.ids != truth.orders:
        found.append(f"{result.ids:,} orders of {truth.orders:,}")
    if result.rows != result.ids:
        found.append(f"{result.rows:,} rows for {result.ids:,} orders: {result.rows - result.ids:,} are repeated")
    if result.revenue.quantize(Decimal("0.01")) != truth.revenue.quantize(Decimal("0.01")):
        found.append(f"worth {result.revenue:,.2f}, and the shop's {truth.revenue:,.2f}")
    return found
