"""Pages of orders, one after the other: the next is fetched while the last is stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from channel_sync.domain.errors import ReplyNotUnderstood, StaleVersion
from channel_sync.domain.orders import OrderPage, OrderQuery
from channel_sync.domain.runs import Counts
from channel_sync.flows.order_pages import ReadyPage, ready, store_page
from channel_sync.flows.run_session import RunPage, RunSession

# One or two bad orders alone on a quiet shop's page are poison, not a changed contract.
_CONTRACT_BROKEN_FROM = 3
# One is written by the database, one made ready, one on its way: with fewer one of the three waits for another.
_PAGES_IN_FLIGHT = 3
# More orders than this take longer than the API's requests should wait, so another thread makes them ready.
_READY_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A page ready to be stored, and the task that fetches the one after it, where that may start already.

    One `came_ahead` has a place of `ahead` until it is stored.
    """

    fresh: ReadyPage
    came_ahead: bool
    following: "asyncio.Task[_Fetched] | None"


@dataclass(slots=True)
class OrderDownload:
    """One walk along a query. Pages are fetched ahead only while `ahead` has room: memory follows pages."""

    session: RunSession
    ahead: asyncio.Semaphore
    moves_cursor: bool
    brings_new: bool = False
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_PAGES_IN_FLIGHT))

    async def run(self, query: OrderQuery) -> None:
        """Store page after page until one brings nothing; committed pages stay whatever comes after."""
        fetched = await self._fetch(query)
        while True:
            page = fetched.fresh.page
            async with self._in_flight(fetched):
                news = await self._keep(fetched.fresh)
            if page.next is None or not _goes_on(page, query, news):
                return
            query = page.next
            fetched = await (fetched.following or self._fetch(query))

    async def _fetch(self, query: OrderQuery, ahead: bool = False) -> _Fetched:
        await self._room.acquire()
        session = self.session
        page = await session.call(lambda shop: shop.orders(query))
        following = await self._fetch_ahead(page, query)
        sealing = partial(
            ready, page, session.integration, session.account, session.database.cipher, self.brings_new
        )
        fresh = await asyncio.to_thread(sealing) if len(page) > _READY_AT_ONCE else sealing()
        return _Fetched(fresh, ahead, following)

    async def _fetch_ahead(self, page: OrderPage, query: OrderQuery) -> asyncio.Task[_Fetched] | None:
        if not page.full or page.next is None or page.next == query or self.ahead.locked():
            return None
        await self.ahead.acquire()
        following = asyncio.create_task(self._fetch(page.next, ahead=True))
        following.add_done_callback(self._give_back)
        return following

    def _give_back(self, following: asyncio.Task[_Fetched]) -> None:
        if following.cancelled() or following.exception() is not None:
            self.ahead.release()

    @asynccontextmanager
    async def _in_flight(self, fetched: _Fetched) -> AsyncIterator[None]:
        """The page's place is free afterwards. If the body fails, the fetches that were started end too: they are
        waited for, never cancelled.
        """
        is_kept = False
        try:
            yield
            is_kept = True
        finally:
            self._leave(fetched)
            if not is_kept:
                self.session.wire.cut()
                await self._end(fetched.following)

    def _leave(self, fetched: _Fetched) -> None:
        self._room.release()
        if fetched.came_ahead:
            self.ahead.release()

    async def _end(self, following: asyncio.Task[_Fetched] | None) -> None:
        while following is not None:
            await asyncio.wait([following])
            if following.cancelled() or following.exception() is not None:
                return
            self._leave(following.result())
            following = following.result().following

    async def _keep(self, fresh: ReadyPage) -> int:
        page = fresh.page
        if not page.in_order:
            self.moves_cursor = False
            self.session.flaw = ReplyNotUnderstood("order_list_unsorted", "The list of orders is not in order.")
        cursor = self._cursor_after(page)
        if not len(page) and cursor is None:
            return 0

        async def store(kept: RunPage) -> None:
            kept.counts = await self._store(kept, fresh)
            if cursor is not None:
                await kept.work.accounts.move_cursor(self.session.account.id, cursor)

        counts = await self.session.keep(store)
        if cursor is not None:
            self.session.account = replace(self.session.account, order_cursor=cursor)
        self.brings_new = counts.created > len(page) // 2
        await self._judge(page)
        # What a dry run counts stays news for ever, and would be asked for again and again.
        return 0 if self.session.run.dry_run else counts.news

    async def _store(self, kept: RunPage, fresh: ReadyPage) -> Counts:
        if not self.session.run.dry_run:
            return await store_page(kept.work, self.session.integration, fresh)
        ids = {order.channel_order_id for order in fresh.page.orders}
        created = len(ids - await kept.work.orders.known(self.session.account.id, list(ids)))
        seen = len(fresh.page.orders)
        return Counts(created=created, unchanged=seen - created, held=len(fresh.page.unreadable))

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
