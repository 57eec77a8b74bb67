"""All that is kept of a buyer, opened."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from channel_sync.domain.disclosure import DisclosedOrder
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.rows.encryption import Unreadable
from channel_sync.persistence.rows.prepared_orders import PersonalParts
from channel_sync.persistence.rows.sealed_columns import ORDER
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.order_rows import READ_PERSONAL, order_of, personal_of
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import orders


class DisclosureRepository:
    """Orders of every tenant as they are disclosed to their buyers."""

    def __init__(self, session: Session, parts: PersonalParts) -> None:
        self._session = session
        self._parts = parts

    async def orders(self, tenant: str, ids: Sequence[str]) -> list[DisclosedOrder]:
        """Those of the orders that there are, the oldest first."""
        mine = (orders.c.tenant == tenant, any_of(orders.c.id, ids))
        kept = (
            select(*READ_PERSONAL, orders.c.raw)
            .join_from(orders, accounts, accounts.c.id == orders.c.account_id)
            .where(*mine)
        )
        rows = await self._session.rows(kept.order_by(orders.c.id))
        return [DisclosedOrder(order_of(row, self._parts), self._reply(row)) for row in rows]

    def _reply(self, row: Row[*tuple[Any, ...]]) -> bytes | None:
        """What the order was made of; nothing where that was erased, or cannot be decrypted."""
        try:
            if row.raw is not None:
                return self._parts.cipher.open(row.raw, ORDER.place("raw", row._mapping))
            return personal_of(row, self._parts).raw or None
        except Unreadable:
            return None
