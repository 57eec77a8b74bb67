"""Which runs are opened: the ones a person asks for, the ones that are due, the ones cut off by a stop."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from channel_sync.domain.errors import AlreadyRunning, Conflict, Invalid
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import Integration, Status, must_be_runnable
from channel_sync.domain.runs import OPEN_ASIDE, Counts, Run, RunKind, RunRequest, RunStatus
from channel_sync.persistence.database import UnitOfWork

_TAKEN_BY = {
    "from": (RunKind.ORDERS,),
    "to": (RunKind.ORDERS,),
    "dry_run": (RunKind.ORDERS, RunKind.STOCK),
    "rules": (RunKind.STOCK,),
}


def check_request(integration: Integration, request: RunRequest) -> None:
    """`Conflict` or `Invalid` where the request cannot become a run."""
    must_be_runnable(integration)
    given = {
        "from": request.window_from,
        "to": request.window_to,
        "dry_run": request.dry_run,
        "rules": request.rules,
    }
    for member, value in given.items():
        if value and request.kind not in _TAKEN_BY[member]:
            raise Invalid("not_for_this_kind", f"Runs of this kind do not take {member}.", f"/{member}")
    if request.rules is not None and not request.dry_run:
        raise Invalid("not_for_this_kind", "Only a dry run takes rules; settings are changed by PATCH.", "/rules")
    start, end = request.window_from, request.window_to
    if end is not None and (start is None or end <= start):
        raise Invalid("window_invalid", "A window needs from, which must be before to.", "/to")


def queued_run(integration: Integration, request: RunRequest, now: datetime) -> Run:
    """A new run of an integration that has an account."""
    if integration.account_id is None:
        raise Conflict("integration_draft", "The integration is not connected.")
    return Run(
        id=new_id("run", now),
        tenant=integration.tenant,
        integration_id=integration.id,
        account_id=integration.account_id,
        kind=request.kind,
        trigger=request.trigger,
        status=RunStatus.QUEUED,
        outcome=None,
        counts=Counts(),
        error=None,
        window_from=request.window_from,
        window_to=request.window_to,
        dry_run=request.dry_run,
        created_at=now,
        started_at=None,
        finished_at=None,
        heartbeat_at=now,
        cancel_requested=False,
        rules=request.rules,
    )


async def opened_or_adopted(work: UnitOfWork, run: Run) -> Run | None:
    """Nothing when the run was opened, else the open one that is the same, which is now the person's.

    `Conflict` where too many are open aside.
    """
    if run.is_aside:
        # One after the other, so that each counts those before it.
        await work.schedules.lock([(run.integration_id, run.kind)])
    while True:
        try:
            await work.runs.open(run)
        except AlreadyRunning as already:
            # One that is closed in this moment leaves its place to ours.
            theirs = await work.runs.adopt(run.tenant, already.related_id or "")
            if theirs is not None:
                return theirs
        else:
            break
    if run.is_aside and await work.runs.count_aside(run.integration_id) > OPEN_ASIDE:
        raise Conflict("too_many_backfills", f"{OPEN_ASIDE} backfills and dry runs of this integration are open.")
    return None


async def work_again(work: UnitOfWork, run: Run, now: datetime) -> None:
    """What an interrupted run was for is done by another: now, and by one aside for the rest of its window."""
    if not run.is_aside:
        return await work.schedules.hurry(run.integration_id, run.kind, now)
    integration = await work.integrations.find(run.integration_id)
    if integration is None or integration.status is not Status.ACTIVE:
        return
    window = (run.window_from, run.window_to)
    request = RunRequest(run.integration_id, run.kind, run.trigger, *window, run.dry_run, run.rules)
    with suppress(AlreadyRunning):
        again = queued_run(integration, request, now)
        await work.runs.open(replace(again, crashes=run.crashes, walked_to=run.walked_to))
