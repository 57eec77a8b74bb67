"""What has had its time: drafts, attempts, answers kept for retries, history, removed integrations."""

from datetime import datetime, timedelta

from channel_sync.domain.integrations import RESTORABLE_FOR, Integration
from channel_sync.flows.clock import utcnow
from channel_sync.persistence.database import Database
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.paging import PageRequest

ATTEMPTS_KEPT = timedelta(days=1)
ANSWERS_KEPT = timedelta(hours=24)
EVENTS_KEPT = timedelta(days=30)
RUNS_KEPT = timedelta(days=30)
_AT_ONCE = 100
_ORDERS_AT_ONCE = 500


class Prune:
    """Keeps the store from growing without end. Repeating it is harmless."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        """Forget what is due now."""
        now = utcnow()
        await self._drafts(now)
        await self._removed(now)
        async with self._database.begin() as work:
            await work.attempts.prune(now - ATTEMPTS_KEPT)
            await work.idempotency.prune(now - ANSWERS_KEPT)
        async with self._database.begin() as work:
            await work.events.prune(now - EVENTS_KEPT)
        async with self._database.begin() as work:
            await work.runs.prune(now - RUNS_KEPT)

    async def _drafts(self, now: datetime) -> None:
        """Found and deleted in one transaction, so that none is taken away in the moment it is finished."""
        async with self._database.read() as work:
            if not await work.integrations.expired_drafts(now, 1):
                return
        async with self._database.begin() as work:
            for draft in await work.integrations.expired_drafts(now, _AT_ONCE):
                await work.integrations.delete(draft.id)

    async def _removed(self, now: datetime) -> None:
        async with self._database.read() as work:
            removed = await work.integrations.removed_before(now - RESTORABLE_FOR, _AT_ONCE)
        for integration in removed:
            await self._purge(integration)

    async def _purge(self, integration: Integration) -> None:
        """The integration gone, and the buyers of an account that nobody took over forgotten."""
        tenant, page = integration.tenant, PageRequest(_ORDERS_AT_ONCE, None)
        while await self._is_forsaken(integration):
            async with self._database.begin() as work:
                orders = await work.orders.feed(tenant, OrderFeedQuery(integration.id), page, personal=False)
                await work.orders.erase(tenant, [order.id for order in orders.items if not order.erased])
            if orders.next is None:
                break
            page = PageRequest(_ORDERS_AT_ONCE, orders.next)
        await self._drop_replies(integration)
        async with self._database.begin() as work:
            await work.integrations.delete(integration.id)

    async def _drop_replies(self, integration: Integration) -> None:
        while await self._is_forsaken(integration):
            async with self._database.begin() as work:
                held = await work.held_orders.list(
                    integration.tenant, integration.id, PageRequest(_ORDERS_AT_ONCE, None)
                )
                for order in held.items:
                    await work.held_orders.release_one(order.id)
            if not held.items:
                return

    async def _is_forsaken(self, integration: Integration) -> bool:
        if integration.account_id is None:
            return False
        async with self._database.read() as work:
            return (await work.accounts.get(integration.account_id)).integration_id is None
