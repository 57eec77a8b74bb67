"""What goes in and out of the operations on runs."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool
from typing_extensions import TypedDict

from channel_sync.api.http.fields import Input, Moment, Timestamp, UnitRulesInput
from channel_sync.api.http.paging import PageQuery
from channel_sync.api.http.problems import NextAction
from channel_sync.api.stock_schemas import UnitRulesView
from channel_sync.domain.runs import Outcome, RunKind, RunStatus, Trigger


class RunInput(Input):
    """What to run. `from`, or `from` and `to`, makes it a backfill of orders, which never moves the cursor.

    Backfills and dry runs go beside the ordinary run of orders: one is the same only as one of the same window.
    """

    kind: RunKind
    """What to run."""
    from_: Annotated[Moment | None, Field(alias="from")] = None
    """The first change of orders to fetch."""
    to: Moment | None = None
    """The last one; needs `from`, which must be before it."""
    dry_run: StrictBool = False
    """Only look and count; nothing is stored. One of stock lists what a push would change, see `changes`."""
    rules: UnitRulesInput | None = None
    """With a dry run of stock: list what these would change if they were set for the integration."""
    only: Literal["failed", "drifted"] | None = None
    """With stock: what the marketplace refused, or shows other units of than it was told, is sent again, too."""
    push_code: Annotated[str, Field(max_length=200)] | None = None
    """With `only: failed`: just that of one code, as `GET /integrations/{id}/stock/rejections` has them."""


class CountsView(TypedDict):
    """What the run looked at; `seen` is the sum of the others."""

    seen: int
    created: int
    updated: int
    unchanged: int
    held: int
    ignored: int
    failed: int


# `RunError.kind`, in the order of the contract.
ERROR_CLASSES = ("auth", "config", "data", "rate_limit", "channel_outage", "network", "internal")

RunErrorView = TypedDict(
    "RunErrorView",
    {
        "code": str,
        "class": Annotated[str, Field(json_schema_extra={"enum": list(ERROR_CLASSES)})],
        "origin": str,
        "retryable": bool,
        "message": str,
        "retry_at": Annotated[Timestamp | None, Field(description="When calls are welcome again, where known.")],
        "next_action": NextAction | None,
    },
)
RunErrorView.__doc__ = "Why a run failed, and what helps. `class` says who has to act."


class EstimateView(TypedDict):
    """What a run would come to: orders it would look at, and about how many calls it would take."""

    orders: int
    calls: int


class RunView(TypedDict):
    """One piece of work. `repeats` counts later scheduled runs without news that were folded into it.

    A dry run of orders counts its first page and has an `estimate` of the whole. Of a backfill all up to
    `walked_to` is stored; one that is cut off by a stop is done again from there on. After some pages the rest of
    a long history comes as files that the marketplace writes, in any order: `counts` show how far those are.
    `missing_found` is of reconciliations: how many orders nothing else would have found, which should be none.
    """

    id: str
    integration_id: str
    kind: RunKind
    trigger: Trigger
    status: RunStatus
    outcome: Outcome | None
    counts: CountsView
    missing_found: int | None
    error: RunErrorView | None
    window_from: Timestamp | None
    window_to: Timestamp | None
    walked_to: Timestamp | None
    estimate: EstimateView | None
    dry_run: bool
    rules: UnitRulesView | None
    cancel_requested: bool
    repeats: int
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None


class StartedRunView(RunView):
    """A run that was asked for; `deduplicated` if the same one was open already and this is that one."""

    deduplicated: bool


class RunPageView(TypedDict):
    """Some runs, newest first, and the cursor that goes on."""

    items: list[RunView]
    next_cursor: str | None


class CallView(TypedDict):
    """One call to the marketplace. The path has no query."""

    at: Timestamp
    method: str
    path: str
    status: int | None
    code: int | None
    duration_ms: int
    channel_request_id: str | None


class CallPage(TypedDict):
    """Some calls of a run, in order, and the cursor that goes on."""

    items: list[CallView]
    next_cursor: str | None


class RunFilters(PageQuery):
    """Which runs."""

    integration_id: Annotated[str | None, Field(max_length=64)] = None
    """Only of this integration."""
    kind: RunKind | None = None
    """Only of this kind."""
    status: RunStatus | None = None
    """Only of this status."""
