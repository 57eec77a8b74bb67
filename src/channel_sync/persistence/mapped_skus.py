"""The SKUs that people have mapped listings to, noted on the orders of these listings."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, select, text, update

from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.rows.prepared_orders import OrderRow
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.order_rows import mapped_skus_of
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import IS_BY_HAND, IS_OPEN, listings, orders

_row = listings.c
_ANY_BY_HAND = select(_row.id).where(_row.account_id == bindparam("of"), text(IS_BY_HAND)).limit(1)
# Whoever stores orders of the account has it locked, and looks what is mapped behind that.
_LOCK_ACCOUNT = select(accounts.c.id).where(accounts.c.id == bindparam("of")).with_for_update(key_share=True)
_OPEN = (
    select(orders.c.id, orders.c.content, orders.c.mapped_skus)
    # Of the few open ones that index has the account; the account's own would be walked from end to end.
    .where(orders.c.tenant == bindparam("whose"), orders.c.account_id.concat("") == bindparam("of"), text(IS_OPEN))
    .order_by(orders.c.id)
)
_NOTE = update(orders).where(orders.c.id == bindparam("of")).values(mapped_skus=bindparam("skus"))


class _Line(msgspec.Struct):
    channel_listing_id: str | None


class _Content(msgspec.Struct):
    lines: list[_Line]


_read = msgspec.json.Decoder(_Content).decode
_encode = msgspec.json.Encoder().encode


async def as_mapped(session: Session, account_id: str, rows: Sequence[OrderRow]) -> Sequence[OrderRow]:
    """New orders of an account, with what their listings are mapped to by hand. Few shops have such listings."""
    if not rows or await session.value(_ANY_BY_HAND, {"of": account_id}) is None:
        return rows
    sold = [[line.channel_listing_id for line in _read(row.content).lines] for row in rows]
    skus = await _skus_of(session, account_id, {one for one in chain.from_iterable(sold) if one is not None})
    return [
        row._replace(
            mapped_skus=_document({one: skus[one] for one in variations if one is not None and one in skus})
        )
        for row, variations in zip(rows, sold, strict=True)
    ]


async def _skus_of(session: Session, account_id: str, variation_ids: Collection[str]) -> dict[str, str]:
    found = select(_row.variation_id, _row.mapped_sku).where(
        _row.account_id == account_id, any_of(_row.variation_id, variation_ids), _row.mapped_sku.is_not(None)
    )
    return {variation_id: sku for variation_id, sku in await session.rows(found)}


def _document(skus: dict[str, str]) -> str | None:
    return _encode(skus).decode() if skus else None


class MappedSkuRepository:
    """What orders have noted of the SKUs of their listings."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def fill_open_orders(self, tenant: str, account_id: str, skus: Mapping[str, str]) -> int:
        """Note SKUs, by variations, on the account's open orders that have none noted for them; how many.

        Orders remain the versions that they are. What was noted before stays.
        """
        if self._session.postgres:
            await self._session.execute(_LOCK_ACCOUNT, {"of": account_id})
        filled = []
        for row in await self._session.rows(_OPEN, {"whose": tenant, "of": account_id}):
            if (noted := _filled(row, skus)) is not None:
                filled.append({"of": row.id, "skus": noted})
        if filled:
            await self._session.execute(_NOTE, filled)
        return len(filled)


def _filled(row: Row[*tuple[Any, ...]], skus: Mapping[str, str]) -> str | None:
    """What the order has noted with these, if it lacks any of them."""
    sold = {line.channel_listing_id for line in _read(row.content).lines}
    known = {} if row.mapped_skus is None else mapped_skus_of(row.mapped_skus)
    lacking = {one: skus[one] for one in sold if one is not None and one in skus and one not in known}
    return _document({**known, **lacking}) if lacking else None
