"""Pages of orders kept as they come: what they bring, how far they lead, and what is wrong with them."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from channel_sync.domain.clock_skew import is_ahead
from channel_sync.domain.errors import ReplyNotUnderstood, StaleVersion, ValueRefused
from channel_sync.domain.orders import OrderPage, UnreadPage
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
CONTRACT_BROKEN_FROM = 3
# Writes down how far the work is that a page belongs to.
Note = Callable[[UnitOfWork], Coroutine[Any, Any, None]]


async def made_ready(session: RunSession, page: OrderPage | UnreadPage, reader: PageReader) -> ReadyPage:
    """A page that came just now, ready to be kept."""
    context = context_of(session.integration, session.account)
    if isinstance(page, UnreadPage):
        return await reader.read(page, context)
    return ready(page, context, session.database.personal)


@dataclass(slots=True)
class PageKeeper:
    """Keeps the pages of one run.

    It `asks` for orders that contradict what is stored, unless what it is given may be old. It `met_dated_ahead`
    if an order was dated later than it can have been changed, `met_disorder` if a page was not sorted as asked.
    """

    session: RunSession
    moves_cursor: bool = False
    compared: Comparison | None = None
    asks: bool = True
    met_dated_ahead: bool = False
    met_disorder: bool = False
    _doubted: set[str] = field(default_factory=set)

    async def keep(self, page: ReadyPage, asked_at: datetime, note: Note | None = None) -> int:
        """Store a page, with what is noted of it in the same transaction; how much of it was news."""
        if not page.in_order:
            self.moves_cursor, self.met_disorder = False, True
            self.session.flaw = ReplyNotUnderstood("order_list_unsorted", "The list of orders is not in order.")
        self.met_dated_ahead = self.met_dated_ahead or has_dated_ahead(page, asked_at)
        if self.compared is not None:
            page = self.compared.take(page)
        cursor = self._cursor_after(page, asked_at)
        if not len(page) and cursor is None and note is None:
            return 0
        try:
            counts = await self.session.keep(partial(self._store, page, cursor, note))
        except ValueRefused:
            counts = await self._keep_in_halves(page, cursor, note)
        for channel_order_id in self._take_doubted():
            counts += await store_single(self.session, channel_order_id)
        if cursor is not None:
            self.session.account = replace(self.session.account, order_cursor=cursor)
        await self._judge(page)
        return counts.news

    def _take_doubted(self) -> list[str]:
        doubted, self._doubted = sorted(self._doubted), set()
        return doubted

    async def _keep_in_halves(self, page: ReadyPage, cursor: datetime | None, note: Note | None) -> Counts:
        """The page without what the database refuses, which is held; the cursor moves with the last of it."""
        counts = Counts()

        async def store(rows: Sequence[OrderRow]) -> None:
            nonlocal counts
            part = replace(page, rows=[*rows], unreadable=())
            counts += await self.session.keep(partial(self._store, part, None, None))

        refused = await store_in_halves(page.rows, store)
        held = (*page.unreadable, *(as_held(row, self.session.database.personal) for row in refused))
        rest = replace(page, rows=[], unreadable=held)
        return counts + await self.session.keep(partial(self._store, rest, cursor, note))

    async def _store(
        self, page: ReadyPage, cursor: datetime | None, note: Note | None, work: UnitOfWork
    ) -> Counts:
        """What the page brought; a dry run only counts it. The cursor moves with it."""
        session = self.session
        if session.run.dry_run:
            counts = await count_page(work, session.account, page)
        else:
            compared, doubted = self.compared, self._doubted if self.asks else None
            counts = await store_page(work, session.integration, session.account, page, compared, doubted)
        if cursor is not None:
            await work.accounts.move_cursor(session.account.id, cursor)
        if session.run.walked_to is not None:
            await work.runs.walked(session.run.id, session.run.walked_to)
        if note is not None:
            await note(work)
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
        broken = not page.rows and len(page.unreadable) >= CONTRACT_BROKEN_FROM
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
