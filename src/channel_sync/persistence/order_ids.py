"""Which of a shop's orders are known, by the marketplace's ids."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select

from channel_sync.domain.integrations import Account
from channel_sync.domain.orders import OrderState
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.trade_tables import orders

_row = orders.c


class OrderIdRepository:
    """The marketplace's ids of stored orders, of every account."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def known(self, account_id: str, channel_order_ids: Sequence[str]) -> set[str]:
        """Those of the marketplace's ids that are stored."""
        mine = (_row.account_id == account_id, any_of(_row.channel_order_id, channel_order_ids))
        return set(await self._session.column(select(_row.channel_order_id).where(*mine)))

    async def to_ship_but(self, account: Account, since: datetime, named: Collection[str]) -> list[str]:
        """The marketplace's ids of the account's approved orders that were released since, but for those named."""
        mine = (_row.account_id == account.id, _row.tenant == account.tenant)
        to_ship = (_row.state == OrderState.APPROVED, _row.released_at >= since)
        parts = self._session.parts(select(_row.channel_order_id).where(*mine, *to_ship))
        return [row[0] async for rows in parts for row in rows if row[0] not in named]
