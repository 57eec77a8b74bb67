"""Runs whose process is gone: done again, or parked when their work seems to be what kills it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from channel_sync.domain.runs import CRASHES_ALLOWED, Run, RunError
from channel_sync.flows.scheduling.opening import work_again
from channel_sync.persistence.database import UnitOfWork

_PARKED_FOR = timedelta(hours=1)
_PARKED = RunError(
    "parked_after_crashes",
    "internal",
    "service",
    True,
    f"The process died {CRASHES_ALLOWED} times during this work. "
    "It is tried again in an hour, or when somebody starts a run.",
)
_PARKED_ASIDE = replace(
    _PARKED,
    message=f"The process died {CRASHES_ALLOWED} times during this work. It is done again when somebody asks.",
)


async def take_over(work: UnitOfWork, interrupted: Sequence[Run], now: datetime) -> None:
    """What the runs were for is due again, unless three in a row died before they had done anything.

    A run that got somewhere is no suspect: a large download that lives through many restarts goes on.
    """
    for run in interrupted:
        if run.is_aside:
            await _take_over_aside(work, run, now)
            continue
        if run.counts.seen:
            await work.schedules.forgive(run.integration_id, run.kind)
        elif await work.schedules.crashed(run.integration_id, run.kind) >= CRASHES_ALLOWED:
            await work.runs.explain(run.id, _PARKED)
            await work.schedules.failed(run.integration_id, run.kind, now, now + _PARKED_FOR, _PARKED.code)
            continue
        await work_again(work, run, now)


async def _take_over_aside(work: UnitOfWork, run: Run, now: datetime) -> None:
    """Its crashes are counted with it: they say nothing about the ordinary runs."""
    crashes = 0 if run.counts.seen else run.crashes + 1
    if crashes >= CRASHES_ALLOWED:
        await work.runs.explain(run.id, _PARKED_ASIDE)
    else:
        await work_again(work, replace(run, crashes=crashes), now)
