"""New and changed orders of one shop into our feed."""

from datetime import timedelta

from channel_sync.domain.orders import OrderQuery
from channel_sync.flows.order_download import DownloadBench, OrderDownload
from channel_sync.flows.run_session import RunSession


class SyncOrders:
    """The order walk: from the cursor less the overlap, or along a backfill's window."""

    def __init__(self, overlap: timedelta, bench: DownloadBench) -> None:
        self._overlap = overlap
        self._bench = bench

    async def run(self, session: RunSession) -> None:
        """Store what is new; a backfill and a dry run leave the cursor where it is."""
        run = session.run
        moves_cursor = run.window_from is None and not run.dry_run
        await OrderDownload(session, self._bench, moves_cursor).run(self._query(session))

    def _query(self, session: RunSession) -> OrderQuery:
        if session.run.window_from is not None:
            return OrderQuery(session.run.window_from, session.run.window_to)
        cursor = session.account.order_cursor
        # The overlap catches orders that the marketplace shows later than their own timestamps say.
        return OrderQuery(session.integration.orders_from if cursor is None else cursor - self._overlap)
