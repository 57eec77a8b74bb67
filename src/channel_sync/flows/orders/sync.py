"""New and changed orders of one shop into our feed."""

from dataclasses import replace
from datetime import datetime, timedelta

from channel_sync.domain.clock import utcnow
from channel_sync.domain.clock_skew import CLOCK_SKEW, is_ahead
from channel_sync.domain.incidents import IncidentKind
from channel_sync.domain.orders import OrderEstimate, OrderQuery
from channel_sync.flows.orders.backfill import Backfill
from channel_sync.flows.orders.download import DownloadLimits, OrderDownload
from channel_sync.flows.orders.history import estimate
from channel_sync.flows.orders.keeping import PageKeeper
from channel_sync.flows.orders.walk_incidents import WalkIncident
from channel_sync.flows.runs.session import RunSession


class SyncOrders:
    """The order walk: from the cursor less the overlap, or along a backfill's window."""

    def __init__(self, overlap: timedelta, limits: DownloadLimits) -> None:
        self._overlap = overlap
        self._limits = limits
        self._backfill = Backfill(overlap, limits)
        self._dated_ahead = WalkIncident(IncidentKind.ORDERS_DATED_AHEAD)
        self._unsorted = WalkIncident(IncidentKind.ORDERS_UNSORTED)

    async def run(self, session: RunSession) -> None:
        """Store what is new; a backfill and a dry run leave the cursor where it is."""
        query = await self._query(session)
        if session.run.dry_run:
            return await self._look(session, query)
        if session.run.is_backfill:
            return await self._backfill.run(session, query)
        keeper = PageKeeper(session, moves_cursor=True)
        await OrderDownload(session, self._limits, keeper).run(query)
        await self._dated_ahead.note(session, keeper.met_dated_ahead)
        await self._unsorted.note(session, keeper.met_disorder)

    async def _look(self, session: RunSession, query: OrderQuery) -> None:
        """Note what the run would come to, from its first page where that is all."""
        following = await OrderDownload(session, self._limits, PageKeeper(session)).run(query)
        if following is not None:
            return await estimate(session, query)
        # What brought news is asked for once more.
        estimated = OrderEstimate(session.counts.seen, 2 if session.counts.news else 1)
        async with session.transaction() as page:
            await page.work.runs.estimated(session.run.id, estimated)

    async def _query(self, session: RunSession) -> OrderQuery:
        if session.run.window_from is not None:
            return OrderQuery(session.run.walked_to or session.run.window_from, session.run.window_to)
        cursor = session.account.order_cursor
        if cursor is not None and is_ahead(cursor, utcnow()):
            cursor = await _set_back(session)
        return OrderQuery(self._before(cursor) or session.integration.orders_from)

    def _before(self, cursor: datetime | None) -> datetime | None:
        """The overlap catches orders that the marketplace shows later than their own timestamps say."""
        try:
            return None if cursor is None else cursor - self._overlap
        except OverflowError:
            return None


async def _set_back(session: RunSession) -> datetime | None:
    """Where a cursor that is in the future would be without the orders dated ahead: at the newest that is not.

    From there the walk finds what was passed over; without such an order, from the first day on.
    """
    account = session.account
    latest = utcnow() + CLOCK_SKEW
    async with session.database.read() as work:
        cursor = await work.orders.newest_change(account, latest)
    if not session.run.dry_run:
        async with session.transaction() as page:
            await page.work.accounts.set_cursor(account.id, cursor)
        session.account = replace(account, order_cursor=cursor)
    return cursor
