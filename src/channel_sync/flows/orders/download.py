"""Pages of orders, one after the other: the next is fetched while the last is stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from channel_sync.domain.clock import utcnow
from channel_sync.domain.clock_skew import is_ahead
from channel_sync.domain.errors import ReplyNotUnderstood
from channel_sync.domain.orders import OrderPage, OrderQuery, UnreadPage
from channel_sync.flows.orders.keeping import PageKeeper, made_ready
from channel_sync.flows.orders.prepare import PageReader, ReadyPage
from channel_sync.flows.runs.session import RunSession

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
    """One walk along a query."""

    session: RunSession
    limits: DownloadLimits
    keeper: PageKeeper
    _left: int | None = None
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_PAGES_IN_FLIGHT))

    async def run(self, query: OrderQuery, most_pages: int | None = None) -> OrderQuery | None:
        """Store page after page until one brings nothing; committed pages stay whatever comes after.

        Where there are more than `most_pages` it is said where to go on. A dry run looks at the first page alone.
        """
        self._left = 1 if self.session.run.dry_run else most_pages
        fetched, start = await self._fetch(query), query.since
        started_at = fetched.asked_at
        while True:
            page = fetched.fresh
            async with self._in_flight(fetched):
                self._note_place(query.since, fetched.asked_at)
                news = await self.keeper.keep(page, fetched.asked_at)
            if self.session.run.dry_run:
                return page.next if page.full else None
            if page.next is None or not _goes_on(page, query, news, started_at):
                self._note_end(start, fetched.asked_at)
                return None
            if page.full and self._left == 0 and fetched.following is None:
                return page.next
            query = page.next
            fetched = await (fetched.following or self._fetch(query))

    def _note_place(self, since: datetime, asked_at: datetime) -> None:
        """A backfill that is cut off goes on with the page it was at: all before that is stored by now."""
        run = self.session.run
        if run.is_backfill and not run.dry_run and not self.keeper.met_disorder and not is_ahead(since, asked_at):
            self.session.run = replace(run, walked_to=since)

    def _note_end(self, start: datetime, asked_at: datetime) -> None:
        """Everything up to the last question was seen, if it was answered in order and began at what is known."""
        if self.keeper.moves_cursor and start <= asked_at:
            self.session.seen_until = asked_at

    async def _fetch(self, query: OrderQuery, ahead: bool = False) -> _Fetched:
        await self._room.acquire()
        self._left = None if self._left is None else max(0, self._left - 1)
        session, asked_at = self.session, utcnow()
        page = await session.call(lambda shop: shop.orders(query))
        following = await self._fetch_ahead(page, query)
        return _Fetched(await made_ready(session, page, self.limits.reader), asked_at, ahead, following)

    async def _fetch_ahead(self, page: OrderPage | UnreadPage, query: OrderQuery) -> asyncio.Task[_Fetched] | None:
        if not page.full or page.next is None or page.next == query:
            return None
        if self._left == 0 or self.limits.ahead.locked():
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
