"""What runs by the clock, and how often."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from channel_sync.domain.runs import RunKind
from channel_sync.flows.grants.service import Grants
from channel_sync.flows.job_leases import JobLeases
from channel_sync.flows.orders.held_releases import HeldReleases
from channel_sync.flows.orders.ship_by import ShipByNotices
from channel_sync.flows.prune import Prune
from channel_sync.flows.runs.service import Runs
from channel_sync.flows.stock.reservations import SettleReservations


@dataclass(frozen=True, slots=True)
class Flows:
    """The flows that jobs call."""

    runs: Runs
    grants: Grants
    prune: Prune
    ship_by: ShipByNotices
    held_releases: HeldReleases
    reservations: SettleReservations
    turns: JobLeases


@dataclass(frozen=True, slots=True)
class Job:
    """One thing done every `every_s` seconds. One `on_wake` is also done at once after a nudge.

    Of several processes each does it, but what is `exclusive` is done by one of them each time.
    """

    name: str
    every_s: float
    what: Callable[[Flows], Awaitable[None]]
    on_wake: bool = False
    exclusive: bool = False


JOBS = (
    Job("stop_marked_runs", 0.5, lambda work: work.runs.stop_marked()),
    Job("start_order_runs", 1, lambda work: work.runs.start_due(RunKind.ORDERS), on_wake=True),
    Job("settle_reservations", 1, lambda work: work.reservations.run()),
    Job("start_order_changes", 1, lambda work: work.runs.start_due(RunKind.ORDER_CHANGES), on_wake=True),
    Job("start_stock_runs", 1, lambda work: work.runs.start_due(RunKind.STOCK), on_wake=True),
    Job("start_listing_runs", 1, lambda work: work.runs.start_due(RunKind.LISTINGS), on_wake=True),
    Job("start_reconciliations", 10, lambda work: work.runs.start_due(RunKind.RECONCILE)),
    Job("take_over_silent_runs", 2, lambda work: work.runs.take_over_silent()),
    Job("release_held_orders", 5, lambda work: work.held_releases.run(), exclusive=True),
    Job("settle_grants", 5, lambda work: work.grants.settle()),
    Job("notice_clock", 60, lambda work: work.runs.notice_clock(), exclusive=True),
    Job("renew_grants", 60, lambda work: work.grants.renew_due(), exclusive=True),
    Job("tell_ship_by", 60, lambda work: work.ship_by.tell(), exclusive=True),
    Job("forget_grants", 60, lambda work: work.prune.forget_grants(), exclusive=True),
    Job("prune", 3600, lambda work: work.prune.run(), exclusive=True),
)

# What only workers do, for the queue they take runs from.
JOBS_OF_WORKERS = (
    *JOBS,
    Job("remind_of_runs", 10, lambda work: work.runs.remind(), exclusive=True),
    Job("forget_queue_log", 60, lambda work: work.prune.forget_queue_log(), exclusive=True),
)
