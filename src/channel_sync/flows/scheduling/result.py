"""How a run ended, in the words of the contract."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from channel_sync.domain.errors import (
    ChannelError,
    ChannelRefused,
    ChannelSyncError,
    ChannelUnavailable,
    GrantRejected,
    NoAnswer,
    RateLimited,
    ReplyNotUnderstood,
    StockBraked,
    StorageUnavailable,
)
from channel_sync.domain.runs import PERSONS_TRIGGERS, Counts, Outcome, RunError, RunStatus, Trigger


@dataclass(frozen=True, slots=True)
class RunResult:
    """What the row of a finished run says, and how long the marketplace asked us to wait.

    `channel_request_id` is the marketplace's own of the call that went wrong, where it gave one. `by_store`: our
    own store failed.
    """

    status: RunStatus
    outcome: Outcome | None = None
    error: RunError | None = None
    retry_after_s: float | None = None
    channel_request_id: str | None = None
    by_store: bool = False


CANCELLED = RunResult(RunStatus.CANCELLED)
INTERRUPTED = RunResult(RunStatus.INTERRUPTED)
CRASHED = RunResult(
    RunStatus.FINISHED,
    Outcome.FAILED,
    RunError("internal_error", "internal", "service", True, "The run stopped on an unexpected error."),
)


def finished(counts: Counts, flaw: ChannelSyncError | None, now: datetime) -> RunResult:
    """The result of a walk that nothing stopped; a flaw makes it partial at best."""
    outcome = counts.outcome()
    if flaw is None:
        return RunResult(RunStatus.FINISHED, outcome)
    at_best = Outcome.FAILED if outcome is Outcome.FAILED else Outcome.PARTIAL
    return RunResult(RunStatus.FINISHED, at_best, run_error(flaw, now), channel_request_id=_request_id(flaw))


def failed(error: ChannelSyncError, now: datetime) -> RunResult:
    """The result of a walk that an error stopped."""
    by_store = isinstance(error, StorageUnavailable)
    told, retry_after_s = run_error(error, now), _retry_after_s(error)
    return RunResult(RunStatus.FINISHED, Outcome.FAILED, told, retry_after_s, _request_id(error), by_store)


def says_something(trigger: Trigger, result: RunResult) -> bool:
    """Whether others may want to hear of it: there is news, or a person waits for the end."""
    return trigger in PERSONS_TRIGGERS or result.outcome is not Outcome.NO_CHANGES


def run_error(error: ChannelSyncError, now: datetime) -> RunError:
    """The error as a run tells it: its class says who has to act."""
    origin = "channel" if isinstance(error, ChannelError) else "service"
    kind = _kind(error)
    retryable = kind in ("rate_limit", "channel_outage", "network", "internal")
    retry_after_s = _retry_after_s(error)
    retry_at = None if retry_after_s is None else now + timedelta(seconds=retry_after_s)
    return RunError(error.code, kind, origin, retryable, error.message, retry_at)


def _request_id(error: ChannelSyncError) -> str | None:
    return error.request_id if isinstance(error, ChannelError) else None


def _retry_after_s(error: ChannelSyncError) -> float | None:
    return error.retry_after_s if isinstance(error, ChannelUnavailable) else None


def _kind(error: ChannelSyncError) -> str:
    if isinstance(error, RateLimited):
        return "rate_limit"
    if isinstance(error, NoAnswer):
        return "network"
    if isinstance(error, ChannelUnavailable):
        return "channel_outage"
    if isinstance(error, GrantRejected):
        return "auth"
    if isinstance(error, StockBraked):
        return "data"
    if isinstance(error, ChannelRefused):
        return "config"
    return "data" if isinstance(error, ReplyNotUnderstood) else "internal"
