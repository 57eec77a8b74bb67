"""How a run is closed: its row, its schedule, its calls and its event, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from channel_sync.domain.events import Event
from channel_sync.domain.ids import new_id
from channel_sync.domain.runs import Outcome, RunKind, RunStatus, Trigger
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.scheduling.due import next_stock_at
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
    of_stock = [session.integration for session in ours if session.run.kind is RunKind.STOCK]
    stock_at = await next_stock_at(work, of_stock, now) if of_stock else {}
    await work.schedules.succeeded_all([_plan(session, stock_at, pace, now) for session in ours], now)
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
        stock_at = await next_stock_at(work, [integration], now) if run.kind is RunKind.STOCK else {}
        return await work.schedules.succeeded(_plan(session, stock_at, pace, now), now)
    schedules = await work.schedules.of([integration.id])
    schedule = schedules.get(integration.id, {}).get(run.kind)
    failures = schedule.failures if schedule else 0
    next_at = now + pace.until_retry(integration, run.kind, failures, result)
    if run.kind is RunKind.STOCK and result.retry_after_s is None:
        next_at = min(next_at, await _pressing_look_at(work, session, now) or next_at)
    code = result.error.code if result.error else "unknown"
    await work.schedules.failed(integration.id, run.kind, now, next_at, code)


async def _pressing_look_at(work: UnitOfWork, session: RunSession, now: datetime) -> datetime | None:
    """When to look at a shop in which something may be wrong; nothing once that has waited long in vain."""
    look_at = (await work.doubts.next_looks([session.account.id])).get(session.account.id)
    if look_at is None or look_at < now - _LOOKS_PRESS_FOR:
        return None
    return max(look_at, now + _LOOKED_AGAIN_AFTER)


def _plan(session: RunSession, stock_at: Mapping[str, datetime], pace: RunPace, now: datetime) -> Plan:
    next_at = _next_at(session, stock_at, pace, now)
    return Plan(session.integration.id, session.run.kind, next_at, seen_until=session.seen_until)


def _next_at(session: RunSession, stock_at: Mapping[str, datetime], pace: RunPace, now: datetime) -> datetime:
    integration = session.integration
    if session.run.kind is not RunKind.STOCK:
        return now + pace.until_next(integration, session.run.kind)
    # A value that came after the last look is due at once; its own hint was overtaken by this run.
    next_look = now + pace.until_next_look(integration)
    return min(next_look, stock_at.get(session.account.id, next_look))


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
    return Event(new_id("evt", now), run.tenant, "run.finished", run.integration_id, now, members)
