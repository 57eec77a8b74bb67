"""Orders on their way out by the hundred thousand, made into no more than what is told of them.

Making a value of every column of every row takes longer than all the rest of an export.
"""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, Column, ColumnElement, Row, Text, type_coerce

from channel_sync.domain.orders import Address, Tracking
from channel_sync.persistence.rows.encryption import Unreadable
from channel_sync.persistence.rows.prepared_orders import PersonalParts
from channel_sync.persistence.sql.column_types import MoneyAmount, OneOf, Utc
from channel_sync.persistence.sql.order_rows import mapped_skus_of, personal_of
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import orders

_address_of = msgspec.json.Decoder(Address).decode
_NOBODY = Address()


class ExportedMoney(Struct, frozen=True, gc=False):
    """An amount as text, as it was written down."""

    amount: str
    currency: str


class ExportedLine(Struct, frozen=True, gc=False):
    """As much of a line as is exported."""

    sku: str | None = None
    channel_listing_id: str | None = None
    title: str | None = None
    options: dict[str, str] = {}
    quantity: int = 0
    unit_price: ExportedMoney | None = None
    shipping_price: ExportedMoney | None = None


class ExportedRefund(Struct, frozen=True, gc=False):
    """As much of a refund as is exported."""

    refunded_at: datetime | None = None
    reason: str | None = None
    amount: ExportedMoney | None = None


class ExportedContent(Struct, frozen=True, gc=False):
    """`OrderContent` as it is exported: with nothing to be worked out of its amounts."""

    lines: tuple[ExportedLine, ...]
    customer_paid: ExportedMoney | None
    fulfilled_by: str
    tracking: tuple[Tracking, ...]
    refunds: tuple[ExportedRefund, ...]


class ExportedOrder(NamedTuple):
    """An order as it is exported. Moments are microseconds since 1970, amounts text.

    The address has no members where it is not asked for, erased, or cannot be decrypted.
    """

    id: str
    integration_id: str
    channel_order_id: str
    transaction_id: str | None
    state: str
    state_raw: str
    released_at: int | None
    ship_by: int | None
    currency: str
    revenue_amount: str | None
    revenue_currency: str | None
    acknowledged_at: int | None
    channel_updated_at: int
    stored_at: int
    erased: bool
    version: int
    content: ExportedContent
    mapped_skus: dict[str, str]
    address: Address


_content_of = msgspec.json.Decoder(ExportedContent).decode


def _plain(column: Column[Any]) -> ColumnElement[Any]:
    """The column, its value left as it lies in the table where it would be made into another."""
    kind = _LEFT.get(type(column.type))
    return column if kind is None else type_coerce(column, kind()).label(column.name)


_LEFT = {Utc: BigInteger, MoneyAmount: Text, OneOf: Text}
_AS_STORED = ExportedOrder._fields[: ExportedOrder._fields.index("content")]
EXPORTED = [
    *(accounts.c.integration_id if name == "integration_id" else _plain(orders.c[name]) for name in _AS_STORED),
    orders.c.content,
    orders.c.mapped_skus,
    orders.c.position,
]
EXPORTED_PERSONAL = [
    *EXPORTED,
    *(orders.c[name] for name in ("tenant", "account_id", "personal", "address", "tax")),
]
_CONTENT = len(_AS_STORED)


def exported_of(row: Row[*tuple[Any, ...]], parts: PersonalParts) -> ExportedOrder:
    """The order in a row of `EXPORTED` or, with its address, of `EXPORTED_PERSONAL`."""
    mapped = row[_CONTENT + 1]
    skus = {} if mapped is None else mapped_skus_of(mapped)
    address = _NOBODY if len(row) == len(EXPORTED) else _address(row, parts)
    return ExportedOrder._make((*row[:_CONTENT], _content_of(row[_CONTENT]), skus, address))


def _address(row: Row[*tuple[Any, ...]], parts: PersonalParts) -> Address:
    try:
        address = personal_of(row, parts).address
    except Unreadable:
        # One row that was tampered with takes no export along.
        return _NOBODY
    return _NOBODY if address is None else _address_of(address)
