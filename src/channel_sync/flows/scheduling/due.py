"""Runs that start by the clock."""

from collections.abc import Collection, Mapping
from datetime import datetime

from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.runs import Run, RunKind, RunRequest, Trigger
from channel_sync.flows.scheduling.intervals import RunPace
from channel_sync.flows.scheduling.opening import queued_run
from channel_sync.persistence.database import UnitOfWork
from channel_sync.persistence.schedules import Plan

WorkTimes = Mapping[tuple[RunKind, str], datetime]
# They run only where there is something to do.
_AS_NEEDED = (RunKind.STOCK, RunKind.ORDER_CHANGES)


async def open_due_runs(work: UnitOfWork, kind: RunKind, pace: RunPace, limit: int, now: datetime) -> bool:
    """The runs queued of integrations that are due, their schedules moved on; whether there may be more.

    What another process is about to queue is passed over. A shop that must not be called goes off the schedule.
    """
    due = await work.schedules.take_due(kind, now, limit)
    integrations = await work.integrations.find_all(due)
    times = await work_times(work, [(kind, integration) for integration in integrations.values()], now)
    plans: list[Plan] = []
    fresh: list[Run] = []
    for integration_id in due:
        integration = integrations.get(integration_id)
        if integration is None or not _starts_by_itself(integration, kind):
            plans.append(Plan(integration_id, kind, None))
        elif integration.status is Status.PAUSED:
            plans.append(Plan(integration_id, kind, now + pace.until_next(integration, kind)))
        elif kind in _AS_NEEDED and not _is_due(at := next_run_at(integration, kind, times, pace, now), now):
            plans.append(Plan(integration_id, kind, at))
        else:
            fresh.append(queued_run(integration, _request(integration, kind), now))
    opened = await work.run_batches.open(fresh)
    for run in fresh:
        next_at = now + pace.until_next(integrations[run.integration_id], kind)
        plans.append(Plan(run.integration_id, kind, next_at, now if run.id in opened else None))
    await work.schedules.apply(plans)
    return len(due) == limit


async def work_times(work: UnitOfWork, jobs: Collection[tuple[RunKind, Integration]], now: datetime) -> WorkTimes:
    """When there is something to do, by kind and account, of the kinds that run only then."""
    stock = [integration for kind, integration in jobs if kind is RunKind.STOCK]
    changing = [
        one.account_id for kind, one in jobs if kind is RunKind.ORDER_CHANGES and one.account_id is not None
    ]
    stock_at = await next_stock_at(work, stock, now) if stock else {}
    changes_at = await work.order_changes.next_times(changing) if changing else {}
    return {
        **{(RunKind.STOCK, account_id): at for account_id, at in stock_at.items()},
        **{(RunKind.ORDER_CHANGES, account_id): at for account_id, at in changes_at.items()},
    }


def next_run_at(
    integration: Integration, kind: RunKind, times: WorkTimes, pace: RunPace, now: datetime
) -> datetime | None:
    """When a job that is not at work runs next; None where it has nothing to do until somebody asks."""
    at = times.get((kind, integration.account_id or ""))
    match kind:
        case RunKind.STOCK:
            # A value that came after the last look is due at once; its own hint was overtaken by a run.
            next_look = now + pace.until_next_look(integration)
            return next_look if at is None else min(next_look, at)
        case RunKind.ORDER_CHANGES:
            return at
        case RunKind.ORDERS | RunKind.RECONCILE | RunKind.LISTINGS:
            return now + pace.until_next(integration, kind)


async def next_stock_at(
    work: UnitOfWork, integrations: Collection[Integration], now: datetime
) -> dict[str, datetime]:
    """By account when there is something to do for its stock; an account without anything is missing.

    At once where a listing lacks its newest value or a bulk job is open, else when the shop is to be looked at.
    """
    ids = [integration.account_id for integration in integrations if integration.account_id is not None]
    due = await work.doubts.next_looks(ids)
    to_send = await work.pushes.accounts_with_stale(ids) | await work.stock_jobs.accounts_with_open(ids)
    return due | dict.fromkeys(to_send, now)


def _is_due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def _starts_by_itself(integration: Integration, kind: RunKind) -> bool:
    if integration.status not in (Status.ACTIVE, Status.PAUSED) or integration.account_id is None:
        return False
    match kind:
        case RunKind.ORDERS | RunKind.RECONCILE:
            return integration.settings.orders.enabled
        case RunKind.STOCK:
            return integration.settings.stock.enabled
        case RunKind.LISTINGS | RunKind.ORDER_CHANGES:
            return True


def _request(integration: Integration, kind: RunKind) -> RunRequest:
    trigger = Trigger.RECONCILE if kind is RunKind.RECONCILE else Trigger.SCHEDULE
    return RunRequest(integration.id, kind, trigger)
