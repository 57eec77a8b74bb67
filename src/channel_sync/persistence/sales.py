"""What was bought of a shop's listings lately."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, func, select

from channel_sync.domain.integrations import Account
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.sql.trade_tables import held_orders, orders

_row = orders.c
_SOLD = [_row.id, _row.stored_at, _row.position, _row.content]
_AT_ONCE = 500
# An order has its place in the feed when its transaction ends, and its time when that was made up.
STORED_LATER = timedelta(minutes=5)

Sold = dict[str, list[tuple[str, int]]]


class _Line(msgspec.Struct):
    channel_listing_id: str | None
    quantity: int


class _Content(msgspec.Struct):
    lines: list[_Line]


_read = msgspec.json.Decoder(_Content).decode


class SalesRepository:
    """Sales of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def since(self, account: Account, moment: datetime, most: int) -> tuple[Sold, datetime]:
        """Units by variation, each with its order's id, of the orders stored or changed since a moment.

        Of so many orders at most, and from when on those are all there are.
        """
        sold: Sold = defaultdict(list)
        before: int | None = None
        for _ in range(0, most, _AT_ONCE):
            rows = await self._before(account, before)
            for row in rows:
                _add(sold, row)
            if len(rows) < _AT_ONCE or rows[-1].stored_at < moment - STORED_LATER:
                return sold, moment
            before = rows[-1].position
            await asyncio.sleep(0)
        return sold, rows[-1].stored_at + STORED_LATER

    async def _before(self, account: Account, position: int | None) -> Sequence[Row[*tuple[Any, ...]]]:
        mine = select(*_SOLD).where(_row.account_id == account.id, _row.tenant == account.tenant)
        some = mine if position is None else mine.where(_row.position < position)
        return await self._session.rows(some.order_by(_row.position.desc()).limit(_AT_ONCE))

    async def last_unread_at(self, account: Account) -> datetime | None:
        """When the last of the account's orders was held that cannot be used."""
        mine = (held_orders.c.account_id == account.id, held_orders.c.tenant == account.tenant)
        at: datetime | None = await self._session.value(select(func.max(held_orders.c.held_at)).where(*mine))
        return at


def _add(sold: Sold, row: Row[*tuple[Any, ...]]) -> None:
    for line in _read(row.content).lines:
        if line.channel_listing_id is not None:
            sold[line.channel_listing_id].append((row.id, line.quantity))
