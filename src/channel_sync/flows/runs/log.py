"""A line of the log for each run that did something, failed or was asked for by a person."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from time import monotonic

import structlog

from channel_sync.domain.runs import Run
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.scheduling.result import RunResult, says_something

log = structlog.get_logger("channel_sync.runs")


@contextmanager
def named(run: Run) -> Iterator[None]:
    """Every line that the body logs carries which run it is of."""
    with structlog.contextvars.bound_contextvars(**_names(run)):
        yield


def log_run(session: RunSession, result: RunResult) -> None:
    """Say how the run ended, with ids, counts and codes only; one by the clock without news is passed over."""
    if not says_something(session.run.trigger, result):
        return
    error = result.error
    log.info(
        "run",
        **_names(session.run),
        trigger=session.run.trigger.value,
        status=result.status.value,
        outcome=None if result.outcome is None else result.outcome.value,
        counts={name: count for name, count in asdict(session.counts).items() if count},
        error_code=None if error is None else error.code,
        error_class=None if error is None else error.kind,
        channel_request_id=result.channel_request_id,
        duration_ms=round((monotonic() - session.began) * 1000),
    )


def log_taken_over(interrupted: Sequence[Run]) -> None:
    """Name the runs whose process is gone."""
    for run in interrupted:
        log.warning("run_taken_over", **_names(run), owner=run.owner)


def _names(run: Run) -> dict[str, str]:
    return {
        "run_id": run.id,
        "integration_id": run.integration_id,
        "tenant": run.tenant,
        "kind": run.kind.value,
    }
