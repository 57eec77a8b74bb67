"""Runs that start by the clock."""

from collections.abc import Collection
from datetime import datetime

from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.runs import Run, RunKind, RunRequest, Trigger
from channel_sync.flows.run_opening import queued_run
from channel_sync.flows.run_pace import RunPace
from channel_sync.persistence.database import UnitOfWork
from channel_sync.persistence.schedules import Plan


async def open_due_runs(work: UnitOfWork, kind: RunKind, pace: RunPace, limit: int, now: datetime) -> bool:
    """The runs queued of integrations that are due, their schedules moved on; whether there may be more.

    What another process is about to queue is passed over. A shop that must not be called goes off the schedule.
    """
    due = await work.schedules.take_due(kind, now, limit)
    integrations = await work.integrations.find_all(due)
    to_send = await accounts_with_stock_to_send(work, integrations.values()) if kind is RunKind.STOCK else set()
    plans: list[Plan] = []
    fresh: list[Run] = []
    for integration_id in due:
        integration = integrations.get(integration_id)
        if integration is None or not _starts_by_itself(integration, kind):
            plans.append(Plan(integration_id, kind, None))
        elif integration.status is Status.PAUSED:
            plans.append(Plan(integration_id, kind, now + pace.until_next(integration, kind)))
        elif kind is RunKind.STOCK and integration.account_id not in to_send:
            plans.append(Plan(integration_id, kind, now + pace.until_next_look(integration)))
        else:
            fresh.append(queued_run(integration, _request(integration, kind), now))
    opened = await work.run_batches.open(fresh)
    for run in fresh:
        next_at = now + pace.until_next(integrations[run.integration_id], kind)
        plans.append(Plan(run.integration_id, kind, next_at, now if run.id in opened else None))
    await work.schedules.follow(plans)
    return len(due) == limit


async def accounts_with_stock_to_send(work: UnitOfWork, integrations: Collection[Integration]) -> set[str]:
    """Ids of the accounts a listing of which lacks its newest value, or that have a bulk job open."""
    ids = [integration.account_id for integration in integrations if integration.account_id is not None]
    return await work.pushes.accounts_with_stale(ids) | await work.stock_jobs.accounts_with_open(ids)


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
