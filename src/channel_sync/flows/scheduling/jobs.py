"""What starts and stops working when an integration does."""

from datetime import datetime, timedelta

from channel_sync.domain.errors import AlreadyRunning
from channel_sync.domain.integrations import Integration
from channel_sync.domain.runs import RunKind, RunRequest, Trigger
from channel_sync.flows.scheduling.opening import queued_run
from channel_sync.persistence.database import UnitOfWork

_FIRST_RECONCILIATION = timedelta(days=1)


async def start_jobs(work: UnitOfWork, integration: Integration, now: datetime) -> None:
    """Every job of a runnable integration is due; those that the seller switched off stay off."""
    if not integration.runnable:
        return
    settings = integration.settings
    await work.schedules.forgive(integration.id)
    await work.schedules.hurry(integration.id, RunKind.LISTINGS, now)
    if settings.orders.enabled:
        await work.schedules.hurry(integration.id, RunKind.ORDERS, now)
        await work.schedules.hurry(integration.id, RunKind.RECONCILE, now + _FIRST_RECONCILIATION)
    if settings.stock.enabled:
        await work.schedules.hurry(integration.id, RunKind.STOCK, now)
    if await work.order_changes.next_times([integration.account_id or ""]):
        await work.schedules.hurry(integration.id, RunKind.ORDER_CHANGES, now)


async def catch_up(work: UnitOfWork, integration: Integration, now: datetime) -> None:
    """Every job is due after a pause, and the orders of the gap are asked for first."""
    await start_jobs(work, integration, now)
    if not integration.runnable or not integration.settings.orders.enabled:
        return
    request = RunRequest(integration.id, RunKind.ORDERS, Trigger.CATCH_UP)
    try:
        await work.runs.open(queued_run(integration, request, now))
    except AlreadyRunning:
        return


async def follow_settings(work: UnitOfWork, before: Integration, after: Integration, now: datetime) -> None:
    """Jobs that the seller switched on or off start or stop; changed stock rules are the next run's to follow."""
    orders, stock = after.settings.orders, after.settings.stock
    if after.settings == before.settings:
        return
    if before.settings.orders.enabled and not orders.enabled:
        await _stop(work, after, RunKind.ORDERS, RunKind.RECONCILE)
    if before.settings.stock.enabled and not stock.enabled:
        await _stop(work, after, RunKind.STOCK)
    if not before.settings.stock.sends_as(stock) and after.account_id is not None:
        await work.stock_rules.changed(after.account_id)
    await start_jobs(work, after, now)


async def _stop(work: UnitOfWork, integration: Integration, *kinds: RunKind) -> None:
    for kind in kinds:
        await work.schedules.set_next(integration.id, kind, None)
    await work.runs.cancel_for(integration.id, kinds)


async def stop_jobs(work: UnitOfWork, integration: Integration) -> None:
    """No job is due any more, and the open runs are asked to stop."""
    await work.schedules.stop_all(integration.id)
    await work.runs.cancel_for(integration.id)
