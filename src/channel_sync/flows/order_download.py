"""Pages of orders, one after the other: the next is fetched while the last is stored."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from channel_sync.domain.errors import ChannelSyncError, ReplyNotUnderstood, StaleVersion
from channel_sync.domain.orders import OrderPage, OrderQuery
from channel_sync.domain.runs import Counts
from channel_sync.flows.clock import utcnow
from channel_sync.flows.order_pages import store_page
from channel_sync.flows.run_session import RunPage, RunSession

# One or two bad orders alone on a quiet shop's page are poison, not a changed contract.
_CONTRACT_BROKEN_FROM = 3


@dataclass(slots=True)
class OrderDownload:
    """One walk along a query. A page may be fetched ahead only while `ahead` has room: memory follows pages."""

    session: RunSession
    ahead: asyncio.Semaphore
    moves_cursor: bool

    async def run(self, query: OrderQuery) -> None:
        """Store page after page until one brings nothing; committed pages stay whatever comes after."""
        page = await self._fetch(query)
        while True:
            following = await self._fetch_ahead(page, query)
            news = await self._keep_while(page, following)
            if page.next is None or not _goes_on(page, query, news):
                return
            query = page.next
            page = await (following or self._fetch(query))

    async def _fetch(self, query: OrderQuery) -> OrderPage:
        return await self.session.call(lambda shop: shop.orders(query))

    async def _fetch_ahead(self, page: OrderPage, query: OrderQuery) -> asyncio.Task[OrderPage] | None:
        if not page.full or page.next is None or page.next == query or self.ahead.locked():
            return None
        await self.ahead.acquire()
        return asyncio.create_task(self._fetch(page.next))

    async def _keep_while(self, page: OrderPage, following: asyncio.Task[OrderPage] | None) -> int:
        """News in the page, stored beside the fetch of the following one, which is never cancelled."""
        try:
            return await self._keep(page)
        except ChannelSyncError:
            self.session.wire.cut()
            raise
        finally:
            if following is not None:
                await self._to_its_end(following)

    async def _to_its_end(self, following: asyncio.Task[OrderPage]) -> None:
        await asyncio.wait([following])
        self.ahead.release()
        if not following.cancelled():
            # Looked at here, so that a failure behind a failed page is not reported as forgotten.
            following.exception()

    async def _keep(self, page: OrderPage) -> int:
        if not page.in_order:
            self.moves_cursor = False
            self.session.flaw = ReplyNotUnderstood("order_list_unsorted", "The list of orders is not in order.")
        cursor = self._cursor_after(page)
        if not len(page) and cursor is None:
            return 0
        async with self.session.page() as kept:
            kept.counts = await self._store(kept, page)
            if cursor is not None:
                await kept.work.accounts.move_cursor(self.session.account.id, cursor)
        if cursor is not None:
            self.session.account = replace(self.session.account, order_cursor=cursor)
        await self._judge(page)
        # What a dry run counts stays news for ever, and would be asked for again and again.
        return 0 if self.session.run.dry_run else kept.counts.news

    async def _store(self, kept: RunPage, page: OrderPage) -> Counts:
        session = self.session
        if not session.run.dry_run:
            return await store_page(kept.work, session.integration, session.account, page, utcnow())
        ids = [order.channel_order_id for order in page.orders]
        created = len(set(ids) - await kept.work.orders.known(session.account.id, ids))
        return Counts(created=created, unchanged=len(ids) - created, held=len(page.unreadable))

    def _cursor_after(self, page: OrderPage) -> datetime | None:
        """The marketplace's own time to go on from, if that is further than we are."""
        if not self.moves_cursor or page.next is None:
            return None
        cursor = self.session.account.order_cursor
        return page.next.since if cursor is None or page.next.since > cursor else None

    async def _judge(self, page: OrderPage) -> None:
        """Mark the integration while whole pages cannot be read, and clear it with the first that can."""
        marked = self.session.integration.degraded_reason == "contract"
        broken = not page.orders and len(page.unreadable) >= _CONTRACT_BROKEN_FROM
        if self.session.run.dry_run or broken is marked or not (broken or page.orders):
            return
        try:
            async with self.session.database.begin() as work:
                integration = await work.integrations.find(self.session.integration.id)
                if integration is not None:
                    fresh = replace(integration, degraded_reason="contract" if broken else None)
                    self.session.integration = await work.integrations.save(fresh)
        except StaleVersion:
            # Somebody else saved it meanwhile; the next page decides again.
            return


def _goes_on(page: OrderPage, query: OrderQuery, news: int) -> bool:
    """Whether asking again at once may bring more."""
    if page.next != query:
        return page.full or news > 0
    if page.full and not news:
        raise ReplyNotUnderstood("order_list_stuck", "The list of orders repeats the same full page.")
    return page.full
