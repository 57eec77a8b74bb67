"""How a run is closed: its row, its schedule, its calls and its event, in one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from channel_sync.domain.events import Event
from channel_sync.domain.ids import new_id
from channel_sync.domain.runs import Outcome, RunKind, RunStatus, Trigger
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.scheduling.due import WorkTimes, next_run_at, work_times
from channel_sync.flows.scheduling.intervals import RunPace
from channel_sync.flows.scheduling.opening import work_again
from channel_sync.flows.scheduling.result import RunResult, says_something
from channel_sync.persistence.database import UnitOfWork
from channel_sync.persistence.schedules import Plan

# How often a shop is asked again that is to be looked at and fails to answer, and for how long.
_LOOKED_AGAIN_AFTER = timedelta(seconds=15)
_LOOKS_PRESS_FOR = timedelta(minutes=10)


async def close_run(
    work: UnitOfWork, session: RunSession, result: RunResult, pace: RunPace, now: datetime
) -> None:
    """The run finished as `result` says; `RunLost` when somebody else closed it first."""
    run = session.run
    await work.schedules.lock([(run.integration_id, run.kind)])
    trigger = await work.runs.finish(run.id, result.status, result.outcome, session.counts, result.error, now)
    session.run = replace(run, trigger=trigger)
    await _reschedule(work, session, result, pace, now)
    await work.run_batches.add_calls({run.id: session.context.calls})
    if result.status is not RunStatus.INTERRUPTED and says_something(session.run.trigger, result):
        await work.events.add([_run_finished(session, result, now)])


async def close_runs_without_changes(
    work: UnitOfWork, sessions: Sequence[RunSession], pace: RunPace, now: datetime
) -> set[str]:
    """Runs by the clock that found nothing new, closed, and folded into those before; ids of the ones that were.

    What is missing was closed by somebody else, or asked for by a person meanwhile.
    """
    await work.schedules.lock([(session.run.integration_id, session.run.kind) for session in sessions])
    closed = await work.run_batches.finish_quiet([session.run.id for session in sessions], now)
    ours = [session for session in sessions if session.run.id in closed]
    times = await work_times(work, [(session.run.kind, session.integration) for session in ours], now)
    await work.schedules.succeeded_all([_plan(session, times, pace, now) for session in ours], now)
    folded = await work.run_batches.compact(closed)
    await work.run_batches.add_calls(
        {session.run.id: session.context.calls for session in ours if session.run.id not in folded}
    )
    return closed


async def _reschedule(
    work: UnitOfWork, session: RunSession, result: RunResult, pace: RunPace, now: datetime
) -> None:
    run, integration = session.run, session.integration
    if result.status is RunStatus.INTERRUPTED:
        return await work_again(work, run, now)
    if result.status is not RunStatus.FINISHED or run.trigger is Trigger.BACKFILL or run.dry_run:
        return
    if result.outcome is not Outcome.FAILED:
        times = await work_times(work, [(run.kind, integration)], now)
        return await work.schedules.succeeded(_plan(session, times, pace, now), now)
    schedules = await work.schedules.of([integration.id])
    schedule = schedules.get(integration.id, {}).get(run.kind)
    failures = schedule.failures if schedule else 0
    next_at = now + pace.until_retry(integration, run.kind, failures, result)
    if result.retry_after_s is None:
        next_at = min(next_at, await _pressing_look_at(work, session, now) or next_at)
    code = result.error.code if result.error else "unknown"
    await work.schedules.failed(integration.id, run.kind, now, next_at, code)


async def _pressing_look_at(work: UnitOfWork, session: RunSession, now: datetime) -> datetime | None:
    """When to look at a shop in which something may be wrong; nothing once that has waited long in vain."""
    if session.run.kind is RunKind.ORDER_CHANGES:
        planned = (await work.order_changes.next_times([session.account.id])).get(session.account.id, now)
        return planned if planned > now else None
    if session.run.kind is not RunKind.STOCK:
        return None
    look_at = (await work.doubts.next_looks([session.account.id])).get(session.account.id)
    if look_at is None or look_at < now - _LOOKS_PRESS_FOR:
        return None
    return max(look_at, now + _LOOKED_AGAIN_AFTER)


def _plan(session: RunSession, times: WorkTimes, pace: RunPace, now: datetime) -> Plan:
    next_at = next_run_at(session.integration, session.run.kind, times, pace, now)
    return Plan(session.integration.id, session.run.kind, next_at, seen_until=session.seen_until)


def is_without_changes(session: RunSession, result: RunResult) -> bool:
    """Whether the run was the clock's and found nothing new: what many do at the same moment."""
    return result.outcome is Outcome.NO_CHANGES and session.run.trigger is Trigger.SCHEDULE


def _run_finished(session: RunSession, result: RunResult, now: datetime) -> Event:
    run = session.run
    members: dict[str, str | int | None] = {
        "run_id": run.id,
        "kind": run.kind.value,
        "trigger": run.trigger.value,
        "status": result.status.value,
        "outcome": result.outcome.value if result.outcome else None,
        "code": result.error.code if result.error else None,
        "seen": session.counts.seen,
    }
    if run.kind is RunKind.RECONCILE:
        members["missing_found"] = session.counts.missing_found
    return Event(new_id("evt", now), run.tenant, "run.finished", run.integration_id, now, members)
