"""The daily second look: the open orders of the last weeks, theirs and ours, compared by their ids."""

from datetime import datetime, timedelta

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ReplyNotUnderstood
from channel_sync.domain.incidents import IncidentKind
from channel_sync.domain.orders import OrderQuery, OrderWindow
from channel_sync.flows.incidents import tell_whether
from channel_sync.flows.orders.comparison import Comparison
from channel_sync.flows.orders.download import DownloadLimits, OrderDownload
from channel_sync.flows.orders.keeping import PageKeeper
from channel_sync.flows.orders.single import store_single
from channel_sync.flows.runs.session import RunSession

_LOOK_BACK = timedelta(days=30)
# A call each. A list that lacks more of them than this is wrong rather than new.
_ASKED_FOR_SINGLY = 500


class ReconcileOrders:
    """Stores what the order walk missed, and counts it; the cursor stays where it is.

    `overlap` is how far that walk looks back behind its cursor: what changed before is missed for good.
    """

    def __init__(self, overlap: timedelta, limits: DownloadLimits) -> None:
        self._overlap = overlap
        self._limits = limits

    async def run(self, session: RunSession) -> None:
        """Store every open order that is not known; ask for those that are open here and not there."""
        since = utcnow() - _LOOK_BACK
        compared = Comparison(session.integration.orders_from, self._looks_from(session))
        query = OrderQuery(since, window=OrderWindow.RELEASED, only_open=True)
        await OrderDownload(session, self._limits, PageKeeper(session, compared=compared)).run(query)
        if session.flaw is None:
            await _ask_for_unnamed(session, since, compared)
        await tell_whether(session, IncidentKind.ORDERS_MISSED, session.counts.missing_found > 0)

    def _looks_from(self, session: RunSession) -> datetime | None:
        cursor = session.account.order_cursor
        return None if cursor is None else cursor - self._overlap


async def _ask_for_unnamed(session: RunSession, since: datetime, compared: Comparison) -> None:
    """Read those of our open orders, one by one, that the marketplace does not name: they changed unnoticed."""
    async with session.database.read() as work:
        unnamed = await work.order_ids.to_ship_but(session.account, since, compared.named)
    for channel_order_id in unnamed[:_ASKED_FOR_SINGLY]:
        await store_single(session, channel_order_id)
    if len(unnamed) > _ASKED_FOR_SINGLY:
        session.flaw = ReplyNotUnderstood(
            "open_orders_unnamed", f"The list of open orders lacks {len(unnamed)} that are open here."
        )
