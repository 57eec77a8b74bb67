"""Runs: one piece of work for one integration, with counts that add up."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from channel_sync.domain.orders import OrderEstimate
from channel_sync.domain.stock import UnitRules


class RunKind(StrEnum):
    """What a run does. One of a kind is open per integration at a time, and beside it those that are `aside`."""

    ORDERS = "orders"
    STOCK = "stock"
    LISTINGS = "listings"
    RECONCILE = "reconcile"
    ORDER_CHANGES = "order_changes"


class Trigger(StrEnum):
    """Why a run started."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    EVENT = "event"
    BACKFILL = "backfill"
    CATCH_UP = "catch_up"
    RECONCILE = "reconcile"


class Lane(StrEnum):
    """Which runs compete for seats: those a person or a gap asks for first, then by what they are slow at.

    Backfills take long and somebody waits for them, so they hold up neither.
    """

    URGENT = "urgent"
    ORDERS = "orders"
    GOODS = "goods"
    BACKFILL = "backfill"


PERSONS_TRIGGERS = (Trigger.MANUAL, Trigger.BACKFILL)
URGENT_TRIGGERS = (*PERSONS_TRIGGERS, Trigger.CATCH_UP)
# So many processes may die in a row of one kind of work for an integration before it is put aside.
CRASHES_ALLOWED = 3
# So many runs may be open aside for an integration: different windows, and dry runs.
OPEN_ASIDE = 5

ORDER_KINDS = (RunKind.ORDERS, RunKind.RECONCILE, RunKind.ORDER_CHANGES)


class RunStatus(StrEnum):
    """How far a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING_RATE_LIMIT = "waiting_rate_limit"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Outcome(StrEnum):
    """What a finished run came to."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    NO_CHANGES = "no_changes"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run saw; `seen` is the sum of the others.

    `missing_found` is no part of it: how many of them nothing but a reconciliation would have found.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    held: int = 0
    ignored: int = 0
    failed: int = 0
    missing_found: int = 0

    @property
    def seen(self) -> int:
        """Everything the run looked at."""
        return self.created + self.updated + self.unchanged + self.held + self.ignored + self.failed

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.held + other.held,
            self.ignored + other.ignored,
            self.failed + other.failed,
            self.missing_found + other.missing_found,
        )

    @property
    def news(self) -> int:
        """How much of it was not known before."""
        return self.created + self.updated + self.held + self.failed

    def outcome(self) -> Outcome:
        """What a run that came to its end amounts to; one that achieved nothing but failures has failed itself."""
        if self.failed and self.failed == self.seen:
            return Outcome.FAILED
        if self.held or self.failed:
            return Outcome.PARTIAL
        return Outcome.SUCCESS if self.created or self.updated else Outcome.NO_CHANGES


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run failed. `kind` is the class of the contract: auth, config, data, rate_limit, channel_outage…

    `retry_at` is when calls are welcome again, where that is known.
    """

    code: str
    kind: str
    origin: str
    retryable: bool
    message: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run. A window makes it a backfill, which never moves the cursor; a dry run stores nothing.

    A dry run of stock may go by other `rules` than the integration's.
    """

    integration_id: str
    kind: RunKind
    trigger: Trigger
    window_from: datetime | None = None
    window_to: datetime | None = None
    dry_run: bool = False
    rules: UnitRules | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `repeats` counts the later scheduled runs without news that were folded into it.

    `crashes` counts the processes in a row that died in runs like it before they got anywhere; it is kept of runs
    aside only, for the others their schedule keeps it. A dry run of stock goes by the `rules` where there are any.
    A dry run of orders has an `estimate` of what the run would come to. Of a backfill everything in its window up
    to `walked_to` is stored, by it or by one that was cut off before.
    """

    id: str
    tenant: str
    integration_id: str
    account_id: str
    kind: RunKind
    trigger: Trigger
    status: RunStatus
    outcome: Outcome | None
    counts: Counts
    error: RunError | None
    window_from: datetime | None
    window_to: datetime | None
    dry_run: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    heartbeat_at: datetime
    cancel_requested: bool
    repeats: int = 0
    crashes: int = 0
    rules: UnitRules | None = None
    walked_to: datetime | None = None
    estimate: OrderEstimate | None = None
    owner: str | None = field(default=None, repr=False)

    @property
    def lane(self) -> Lane:
        """Where the run waits for its seat."""
        if self.is_backfill:
            return Lane.BACKFILL
        if self.trigger in URGENT_TRIGGERS:
            return Lane.URGENT
        return Lane.ORDERS if self.kind in ORDER_KINDS else Lane.GOODS

    @property
    def missing_found(self) -> int | None:
        """Of a reconciliation: how many orders nothing else would have found."""
        return self.counts.missing_found if self.kind is RunKind.RECONCILE else None

    @property
    def is_backfill(self) -> bool:
        """Whether it goes through a window of its own."""
        return self.window_from is not None

    @property
    def is_aside(self) -> bool:
        """Whether it is open beside the ordinary run of its kind: for a window of its own, or storing nothing."""
        return self.is_backfill or self.dry_run
