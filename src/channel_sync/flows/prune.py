"""What has had its time: drafts, attempts, answers kept for retries, history, removed integrations."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import RESTORABLE_FOR, Integration
from channel_sync.flows.orders.erasure import Retentions
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.queue_log import forget_queue_log
from channel_sync.persistence.sql.paging import PageRequest

ATTEMPTS_KEPT = timedelta(days=1)
ANSWERS_KEPT = timedelta(hours=24)
EVENTS_KEPT = timedelta(days=30)
RUNS_KEPT = timedelta(days=30)
DOWNLOADS_KEPT = timedelta(days=1)
INCIDENTS_KEPT = timedelta(days=30)
QUEUE_LOG_KEPT = timedelta(minutes=10)
_DRAFTS_AT_ONCE = 50
_ORDERS_AT_ONCE = 500
_ROWS_AT_ONCE = 1000
_LOG_ROWS_AT_ONCE = 10_000


class Prune:
    """Keeps the store from growing without end. Repeating it is harmless."""

    def __init__(self, database: Database, order_retention_d: int | None = None) -> None:
        self._database = database
        self._retentions = Retentions(database, order_retention_d)

    async def run(self) -> None:
        """Forget what is due now."""
        now = utcnow()
        await self._drafts(now)
        await self._removed(now)
        await self._all(lambda work: work.attempts.prune(now - ATTEMPTS_KEPT, _ROWS_AT_ONCE))
        await self._all(lambda work: work.idempotency.prune(now - ANSWERS_KEPT, _ROWS_AT_ONCE))
        await self._all(lambda work: work.events.prune(now - EVENTS_KEPT, _ROWS_AT_ONCE))
        await self._all(lambda work: work.runs.prune(now - RUNS_KEPT, _ROWS_AT_ONCE))
        await self._all(lambda work: work.order_downloads.prune(now - DOWNLOADS_KEPT, _ROWS_AT_ONCE))
        await self._all(lambda work: work.ship_by.forget(now, _ROWS_AT_ONCE))
        await self._all(lambda work: work.incidents.prune(now - INCIDENTS_KEPT, _ROWS_AT_ONCE))

        await self._retentions.run(now)

    async def _all(self, some: Callable[[UnitOfWork], Awaitable[int]]) -> None:
        """A transaction for each thousand rows, so that others have their turn to write in between."""
        pruned = _ROWS_AT_ONCE
        while pruned == _ROWS_AT_ONCE:
            async with self._database.begin() as work:
                pruned = await some(work)

    async def forget_grants(self) -> None:
        """Wipe grants that waited for a person who did not come back in time, and those that nobody claimed."""
        now = utcnow()
        async with self._database.begin() as work:
            await work.callbacks.forget_grants(now)
            await work.claims.forget(now)

    async def forget_queue_log(self) -> None:
        """Drop what the queue of workers notes for itself; runs have their own history."""
        before, forgotten = utcnow() - QUEUE_LOG_KEPT, _LOG_ROWS_AT_ONCE
        while forgotten == _LOG_ROWS_AT_ONCE:
            async with self._database.session() as session:
                forgotten = await forget_queue_log(session, before, _LOG_ROWS_AT_ONCE)

    async def _drafts(self, now: datetime) -> None:
        """Found and deleted in one transaction, so that none is taken away in the moment it is finished."""
        while await self._is_due(lambda work: work.integrations.expired_drafts(now, 1)):
            async with self._database.begin() as work:
                for draft in await work.integrations.expired_drafts(now, _DRAFTS_AT_ONCE):
                    await work.integrations.delete(draft.id)

    async def _removed(self, now: datetime) -> None:
        while removed := await self._is_due(
            lambda work: work.integrations.removed_before(now - RESTORABLE_FOR, 1)
        ):
            await self._purge(removed[0])

    async def _is_due(self, some: Callable[[UnitOfWork], Awaitable[list[Integration]]]) -> list[Integration]:
        """Asked without a turn to write, which hardly any hour needs."""
        async with self._database.read() as work:
            return await some(work)

    async def _purge(self, integration: Integration) -> None:
        """The integration gone, and its buyers forgotten.

        Orders and replies of an account that another integration took over are that one's: none is found here.
        """
        await self._erase_buyers(integration)
        await self._drop_replies(integration)
        async with self._database.begin() as work:
            await work.integrations.delete(integration.id)

    async def _erase_buyers(self, integration: Integration) -> None:
        query, after = OrderFeedQuery(integration.id), PageRequest(_ORDERS_AT_ONCE, None)
        while True:
            async with self._database.begin() as work:
                page = await work.orders.feed(integration.tenant, query, after, personal=False)
                await work.orders.erase(integration.tenant, [order.id for order in page.items], utcnow())
            if page.next is None:
                return
            after = PageRequest(_ORDERS_AT_ONCE, page.next)

    async def _drop_replies(self, integration: Integration) -> None:
        first = PageRequest(_ORDERS_AT_ONCE, None)
        while True:
            async with self._database.begin() as work:
                page = await work.held_orders.list(integration.tenant, integration.id, first)
                for held in page.items:
                    await work.held_orders.release_one(held.id)
            if page.next is None:
                return
