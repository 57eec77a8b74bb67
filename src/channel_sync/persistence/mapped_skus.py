"""The SKUs that people have mapped listings to, noted on the orders of these listings as they come in."""

from collections.abc import Collection, Sequence
from itertools import chain

import msgspec
from sqlalchemy import bindparam, select, text

from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.rows.prepared_orders import OrderRow
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.trade_tables import IS_BY_HAND, listings

_row = listings.c
_ANY_BY_HAND = select(_row.id).where(_row.account_id == bindparam("of"), text(IS_BY_HAND)).limit(1)


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
        row._replace(mapped_skus=_document({one: skus[one] for one in variations if one in skus}))
        for row, variations in zip(rows, sold, strict=True)
    ]


async def _skus_of(session: Session, account_id: str, variation_ids: Collection[str]) -> dict[str | None, str]:
    found = select(_row.variation_id, _row.mapped_sku).where(
        _row.account_id == account_id, any_of(_row.variation_id, variation_ids), _row.mapped_sku.is_not(None)
    )
    return {variation_id: sku for variation_id, sku in await session.rows(found)}


def _document(skus: dict[str | None, str]) -> str | None:
    return _encode(skus).decode() if skus else None
