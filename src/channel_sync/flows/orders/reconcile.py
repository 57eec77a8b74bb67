"""The daily second look: every open order of the last weeks, in case one never showed up as changed."""

from datetime import timedelta

from channel_sync.domain.clock import utcnow
from channel_sync.domain.orders import OrderQuery, OrderWindow
from channel_sync.flows.orders.download import DownloadLimits, OrderDownload
from channel_sync.flows.runs.session import RunSession

_LOOK_BACK = timedelta(days=30)


class ReconcileOrders:
    """Stores what the order walk missed, by time of release; the cursor stays where it is."""

    def __init__(self, limits: DownloadLimits) -> None:
        self._limits = limits

    async def run(self, session: RunSession) -> None:
        """Store every open order that is not known yet."""
        query = OrderQuery(utcnow() - _LOOK_BACK, window=OrderWindow.RELEASED, only_open=True)
        await OrderDownload(session, self._limits, moves_cursor=False).run(query)
