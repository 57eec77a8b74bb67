"""Runs that start by the clock."""

from collections.abc import Collection, Mapping
from datetime import datetime

from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.runs import Run, RunKind, RunRequest, Trigger
from channel_sync.flows.scheduling.intervals import RunPace
from channel_sync.flows.scheduling.opening import queued_run
from channel_sync.persistence.database import UnitOfWork
from channel_sync.persistence.schedules import Plan


async def open_due_runs(work: UnitOfWork, kind: RunKind, pace: RunPace, limit: int, now: datetime) -> bool:
    """The runs queued of integrations that are due, their schedules moved on; whether there may be more.

    What another process is about to queue is passed over. A shop that must not be called goes off the schedule.
    """
    due = await work.schedules.take_due(kind, now, limit)
    integrations = await work.integrations.find_all(due)
    stock_at = await next_stock_at(work, integrations.values(), now) if kind is RunKind.STOCK else {}
    plans: list[Plan] = []
    fresh: list[Run] = []
    for integration_id in due:
        integration = integrations.get(integration_id)
        if integration is None or not _starts_by_itself(integration, kind):
            plans.append(Plan(integration_id, kind, None))
        elif integration.status is Status.PAUSED:
            plans.append(Plan(integration_id, kind, now + pace.until_next(integration, kind)))
        elif kind is RunKind.STOCK and (at := _stock_at(integration, stock_at, pace, now)) > now:
            plans.append(Plan(integration_id, kind, at))
        else:
            fresh.append(queued_run(integration, _request(integration, kind), now))
    opened = await work.run_batches.open(fresh)
    for run in fresh:
        next_at = now + pace.until_next(integrations[run.integration_id], kind)
        plans.append(Plan(run.integration_id, kind, next_at, now if run.id in opened else None))
    await work.schedules.apply(plans)
    return len(due) == limit


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


def _stock_at(
    integration: Integration, stock_at: Mapping[str, datetime], pace: RunPace, now: datetime
) -> datetime:
    next_look = now + pace.until_next_look(integration)
    return min(next_look, stock_at.get(integration.account_id or "", next_look))


def _starts_by_itself(integration: Integration, kind: RunKind) -> bool:
    if integration.status not in (Status.ACTIVE, Status.PAUSED) or integration.account_id is None:
        return False
    match kind:
        case RunKind.ORDERS | RunKind.RECONCILE:
            return integration.settings.orders.enabled
        case RunKind.STOCK:
            return integration.settings.stock.enabled
        case RunKind.LISTINGS:
            return True


def _request(integration: Integration, kind: RunKind) -> RunRequest:
    trigger = Trigger.RECONCILE if kind is RunKind.RECONCILE else Trigger.SCHEDULE
    return RunRequest(integration.id, kind, trigger)
