"""Pages of orders, one after the other: the next is fetched while the last is stored."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from channel_sync.domain.clock import utcnow
from channel_sync.domain.clock_skew import is_ahead
from channel_sync.domain.errors import ReplyNotUnderstood, StaleVersion, ValueRefused
from channel_sync.domain.orders import OrderPage, OrderQuery, UnreadPage
from channel_sync.domain.runs import Counts
from channel_sync.flows.in_halves import store_in_halves
from channel_sync.flows.orders.comparison import Comparison
from channel_sync.flows.orders.dated_ahead import has_dated_ahead, reached
from channel_sync.flows.orders.prepare import PageReader, ReadyPage, ready
from channel_sync.flows.orders.single import store_single
from channel_sync.flows.orders.store import as_held, context_of, count_page, store_page
from channel_sync.flows.runs.session import RunSession
from channel_sync.persistence.database import UnitOfWork
from channel_sync.persistence.rows.prepared_orders import OrderRow

# One or two bad orders alone on a quiet shop's page are poison, not a changed contract.
_CONTRACT_BROKEN_FROM = 3
# One is written by the database, one made ready, one on its way: with fewer one of the three waits for another.
_PAGES_IN_FLIGHT = 3


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A page ready to be stored, and the task that fetches the one after it, where that may start already.

    One `came_ahead` has a place of `ahead` until it is stored.
    """

    fresh: ReadyPage
    asked_at: datetime
    came_ahead: bool
    following: "asyncio.Task[_Fetched] | None"


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """What all downloads of a process share. `ahead` bounds the pages fetched ahead: memory follows pages."""

    ahead: asyncio.Semaphore
    reader: PageReader


@dataclass(slots=True)
class OrderDownload:
    """One walk along a query.

    A dry run looks at the first page alone, and says whether it `has_more`. It `met_dated_ahead` if an order was
    dated later than it can have been changed, and `met_disorder` if a page was not sorted as asked.
    """

    session: RunSession
    limits: DownloadLimits
    moves_cursor: bool
    met_dated_ahead: bool = False
    met_disorder: bool = False
    has_more: bool = False
    compared: Comparison | None = None
    _doubted: set[str] = field(default_factory=set)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_PAGES_IN_FLIGHT))

    async def run(self, query: OrderQuery) -> None:
        """Store page after page until one brings nothing; committed pages stay whatever comes after."""
        fetched, start = await self._fetch(query), query.since
        started_at = fetched.asked_at
        while True:
            page = fetched.fresh
            async with self._in_flight(fetched):
                self._note_place(query.since, fetched.asked_at)
                news = await self._keep(page, fetched.asked_at)
            self.has_more = page.full and page.next is not None
            if self.session.run.dry_run or page.next is None or not _goes_on(page, query, news, started_at):
                return self._note_end(start, fetched.asked_at)
            query = page.next
            fetched = await (fetched.following or self._fetch(query))

    def _note_place(self, since: datetime, asked_at: datetime) -> None:
        """A backfill that is cut off goes on with the page it was at: all before that is stored by now."""
        run = self.session.run
        if run.is_backfill and not run.dry_run and not self.met_disorder and not is_ahead(since, asked_at):
            self.session.run = replace(run, walked_to=since)

    def _note_end(self, start: datetime, asked_at: datetime) -> None:
        """Everything up to the last question was seen, if it was answered in order and began at what is known."""
        if self.moves_cursor and start <= asked_at:
            self.session.seen_until = asked_at

    async def _fetch(self, query: OrderQuery, ahead: bool = False) -> _Fetched:
        await self._room.acquire()
        session, asked_at = self.session, utcnow()
        page = await session.call(lambda shop: shop.orders(query))
        following = await self._fetch_ahead(page, query)
        context = context_of(session.integration, session.account)
        if isinstance(page, UnreadPage):
            fresh = await self.limits.reader.read(page, context)
        else:
            fresh = ready(page, context, session.database.personal)
        return _Fetched(fresh, asked_at, ahead, following)

    async def _fetch_ahead(self, page: OrderPage | UnreadPage, query: OrderQuery) -> asyncio.Task[_Fetched] | None:
        if not page.full or page.next is None or page.next == query or self.session.run.dry_run:
            return None
        if self.limits.ahead.locked():
            return None
        await self.limits.ahead.acquire()
        following = asyncio.create_task(self._fetch(page.next, ahead=True))
        following.add_done_callback(self._give_back)
        return following

    def _give_back(self, following: asyncio.Task[_Fetched]) -> None:
        if following.cancelled() or following.exception() is not None:
            self.limits.ahead.release()

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
                self.session.context.cancel()
                await self._end(fetched.following)

    def _leave(self, fetched: _Fetched) -> None:
        self._room.release()
        if fetched.came_ahead:
            self.limits.ahead.release()

    async def _end(self, following: asyncio.Task[_Fetched] | None) -> None:
        while following is not None:
            await asyncio.wait([following])
            if following.cancelled() or following.exception() is not None:
                return
            self._leave(following.result())
            following = following.result().following

    async def _keep(self, page: ReadyPage, asked_at: datetime) -> int:
        if not page.in_order:
            self.moves_cursor, self.met_disorder = False, True
            self.session.flaw = ReplyNotUnderstood("order_list_unsorted", "The list of orders is not in order.")
        self.met_dated_ahead = self.met_dated_ahead or has_dated_ahead(page, asked_at)
        if self.compared is not None:
            page = self.compared.take(page)
        cursor = self._cursor_after(page, asked_at)
        if not len(page) and cursor is None:
            return 0
        try:
            counts = await self.session.keep(partial(self._store, page, cursor))
        except ValueRefused:
            counts = await self._keep_in_halves(page, cursor)
        for channel_order_id in self._take_doubted():
            counts += await store_single(self.session, channel_order_id)
        if cursor is not None:
            self.session.account = replace(self.session.account, order_cursor=cursor)
        await self._judge(page)
        return counts.news

    def _take_doubted(self) -> list[str]:
        doubted, self._doubted = sorted(self._doubted), set()
        return doubted

    async def _keep_in_halves(self, page: ReadyPage, cursor: datetime | None) -> Counts:
        """The page without what the database refuses, which is held; the cursor moves with the last of it."""
        counts = Counts()

        async def store(rows: Sequence[OrderRow]) -> None:
            nonlocal counts
            part = replace(page, rows=[*rows], unreadable=())
            counts += await self.session.keep(partial(self._store, part, None))

        refused = await store_in_halves(page.rows, store)
        held = (*page.unreadable, *(as_held(row, self.session.database.personal) for row in refused))
        rest = replace(page, rows=[], unreadable=held)
        return counts + await self.session.keep(partial(self._store, rest, cursor))

    async def _store(self, page: ReadyPage, cursor: datetime | None, work: UnitOfWork) -> Counts:
        """What the page brought; a dry run only counts it. The cursor moves with it."""
        session = self.session
        if session.run.dry_run:
            counts = await count_page(work, session.account, page)
        else:
            compared, doubted = self.compared, self._doubted
            counts = await store_page(work, session.integration, session.account, page, compared, doubted)
        if cursor is not None:
            await work.accounts.move_cursor(session.account.id, cursor)
        if session.run.walked_to is not None:
            await work.runs.walked(session.run.id, session.run.walked_to)
        return counts

    def _cursor_after(self, page: ReadyPage, asked_at: datetime) -> datetime | None:
        """The marketplace's own time to go on from, if that is further than we are.

        A walk may lead into the future, where orders are dated ahead; the cursor stays with those that are not.
        """
        if not self.moves_cursor or page.next is None:
            return None
        ahead = is_ahead(page.next.since, asked_at)
        since, cursor = reached(page, asked_at) if ahead else page.next.since, self.session.account.order_cursor
        return since if since is not None and (cursor is None or since > cursor) else None

    async def _judge(self, page: ReadyPage) -> None:
        """Mark the integration while whole pages cannot be read, and clear it with the first that can."""
        marked = self.session.integration.degraded_reason == "contract"
        broken = not page.rows and len(page.unreadable) >= _CONTRACT_BROKEN_FROM
        if self.session.run.dry_run or broken is marked or not (broken or page.rows):
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


def _goes_on(page: ReadyPage, query: OrderQuery, news: int, started_at: datetime) -> bool:
    """Whether asking again at once may bring more.

    A short page may not be the last. What changed since the walk began is for the next one: where orders change
    with every look at them, this one would have no end.
    """
    if page.next != query:
        is_later = page.next is not None and started_at < page.next.since <= utcnow()
        return page.full or (news > 0 and not is_later)
    if page.full and not news:
        raise ReplyNotUnderstood("order_list_stuck", "The list of orders repeats the same full page.")
    return page.full
