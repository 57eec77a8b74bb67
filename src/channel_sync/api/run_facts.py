"""A run without any words that came from outside."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from channel_sync.api.http.fields import Timestamp, optional_timestamp, timestamp
from channel_sync.api.run_schemas import ERROR_CLASSES, CountsView
from channel_sync.api.runs import counts_view
from channel_sync.domain.runs import Outcome, Run, RunError, RunKind, RunStatus, Trigger

ErrorFactsView = TypedDict(
    "ErrorFactsView",
    {
        "code": str,
        "class": Annotated[str, Field(json_schema_extra={"enum": list(ERROR_CLASSES)})],
        "origin": str,
        "retryable": bool,
        "retry_at": Timestamp | None,
    },
)
ErrorFactsView.__doc__ = "Why a run failed, by its code alone; `GET /runs/{run_id}` has the words."


class RunFactsView(TypedDict):
    """One run; `repeats` counts later scheduled runs without news that were folded into it."""

    id: str
    kind: RunKind
    trigger: Trigger
    status: RunStatus
    outcome: Outcome | None
    counts: CountsView
    missing_found: int | None
    error: ErrorFactsView | None
    dry_run: bool
    repeats: int
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None


def run_facts(run: Run) -> RunFactsView:
    """The run as it may be shown to anybody."""
    return {
        "id": run.id,
        "kind": run.kind,
        "trigger": run.trigger,
        "status": run.status,
        "outcome": run.outcome,
        "counts": counts_view(run.counts),
        "missing_found": run.missing_found,
        "error": None if run.error is None else _error_facts(run.error),
        "dry_run": run.dry_run,
        "repeats": run.repeats,
        "created_at": timestamp(run.created_at),
        "started_at": optional_timestamp(run.started_at),
        "finished_at": optional_timestamp(run.finished_at),
    }


def _error_facts(error: RunError) -> ErrorFactsView:
    return {
        "code": error.code,
        "class": error.kind,
        "origin": error.origin,
        "retryable": error.retryable,
        "retry_at": optional_timestamp(error.retry_at),
    }
