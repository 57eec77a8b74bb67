"""Runs that start by the clock."""

from datetime import datetime

from channel_sync.domain.errors import AlreadyRunning
from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.runs import RunKind, RunRequest, Trigger
from channel_sync.flows.run_opening import queued_run
from channel_sync.flows.run_pace import RunPace
from channel_sync.persistence.database import UnitOfWork


async def open_due_run(
    work: UnitOfWork, integration: Integration, kind: RunKind, pace: RunPace, now: datetime
) -> None:
    """The run queued and the schedule moved on; a shop that must not be called is taken off the schedule."""
    if not _starts_by_itself(integration, kind):
        return await work.schedules.set_next(integration.id, kind, None)
    if integration.status is Status.PAUSED:
        return await work.schedules.set_next(integration.id, kind, now + pace.until_next(integration, kind))
    if kind is RunKind.STOCK and not await has_stock_to_send(work, integration.account_id):
        return await work.schedules.set_next(integration.id, kind, now + pace.until_next_look(integration))
    next_at = now + pace.until_next(integration, kind)
    try:
        await work.runs.open(queued_run(integration, _request(integration, kind), now))
    except AlreadyRunning:
        return await work.schedules.set_next(integration.id, kind, next_at)
    await work.schedules.attempted(integration.id, kind, now, next_at)


async def has_stock_to_send(work: UnitOfWork, account_id: str | None) -> bool:
    """Whether a listing lacks its newest value, or a bulk job is still open."""
    if account_id is None:
        return False
    return bool(await work.listings.stale(account_id, 1)) or await work.stock_jobs.open(account_id) is not None


def _starts_by_itself(integration: Integration, kind: RunKind) -> bool:
    if integration.status not in (Status.ACTIVE, Status.PAUSED):
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
