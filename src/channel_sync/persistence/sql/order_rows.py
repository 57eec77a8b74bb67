"""The table of orders: rows going in, and orders coming out."""

from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Row

from channel_sync.domain.money import Money
from channel_sync.domain.orders import UNREADABLE, Address, Order, OrderContent
from channel_sync.persistence.rows.encryption import Unreadable
from channel_sync.persistence.rows.prepared_orders import OrderRow, Personal, PersonalParts, place_of
from channel_sync.persistence.rows.sealed_columns import ORDER
from channel_sync.persistence.rows.timestamps import SKEW_MICROS
from channel_sync.persistence.sql.bulk import BulkInsert, overwrite
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import orders

# The goods leave the stock that the listing was mapped to first, whatever it is mapped to later.
_KEPT = ("id", "tenant", "account_id", "channel_order_id", "mapped_skus")
_COLUMNS = (*OrderRow._fields, "position")
_CHANGING = [column for column in _COLUMNS if column not in _KEPT]

# The rule is decided before, from rows this transaction has locked; the condition is the last line of defence:
# newer wins, and anything wins over what was dated ahead when it was stored.
UPSERT = BulkInsert(
    orders,
    _COLUMNS,
    f"ON CONFLICT (account_id, channel_order_id) DO UPDATE SET {overwrite(_CHANGING)},"
    " acknowledged_at = NULL, acknowledged_by = NULL, address = NULL, tax = NULL, raw = NULL"
    " WHERE excluded.channel_updated_at >= orders.channel_updated_at"
    f" OR orders.channel_updated_at > orders.stored_at + {SKEW_MICROS}",
)

READ = [
    orders.c.id,
    accounts.c.integration_id,
    orders.c.channel_order_id,
    orders.c.transaction_id,
    orders.c.state,
    orders.c.state_raw,
    orders.c.released_at,
    orders.c.ship_by,
    orders.c.currency,
    orders.c.currency_defaulted,
    orders.c.revenue_amount,
    orders.c.revenue_currency,
    orders.c.content,
    orders.c.mapped_skus,
    orders.c.acknowledged_at,
    orders.c.acknowledged_version,
    orders.c.channel_updated_at,
    orders.c.stored_at,
    orders.c.sanitised,
    orders.c.erased,
    orders.c.version,
    orders.c.position,
    orders.c.tenant,
    orders.c.account_id,
]
READ_PERSONAL = [*READ, orders.c.personal, orders.c.address, orders.c.tax]

content_of = msgspec.json.Decoder(OrderContent).decode
mapped_skus_of = msgspec.json.Decoder(dict[str, str]).decode
_address = msgspec.json.Decoder(Address).decode
_NOTHING = Personal(None, None, b"")


def order_of(row: Row[*tuple[Any, ...]], parts: PersonalParts) -> Order:
    """The order in a row of `READ` or, with its personal parts, of `READ_PERSONAL`."""
    amount, currency = row.revenue_amount, row.revenue_currency
    content = content_of(row.content)
    personal = _NOTHING
    if len(row) > len(READ):
        try:
            personal = personal_of(row, parts)
        except Unreadable:
            # One row that was tampered with takes no list along.
            content = replace(content, notes=(*content.notes, UNREADABLE))
    address = personal.address
    return Order(
        id=row.id,
        integration_id=row.integration_id,
        channel_order_id=row.channel_order_id,
        transaction_id=row.transaction_id,
        state=row.state,
        state_raw=row.state_raw,
        released_at=row.released_at,
        ship_by=row.ship_by,
        currency=row.currency,
        currency_defaulted=row.currency_defaulted,
        merchant_revenue=None if amount is None else Money(amount, currency),
        content=content,
        mapped_skus={} if row.mapped_skus is None else mapped_skus_of(row.mapped_skus),
        acknowledged_at=row.acknowledged_at,
        acknowledged_version=row.acknowledged_version,
        channel_updated_at=row.channel_updated_at,
        stored_at=row.stored_at,
        sanitised=row.sanitised,
        erased=row.erased,
        version=row.version,
        position=row.position,
        address=None if address is None else _address(address),
        tax=personal.tax,
    )


def personal_of(row: Row[*tuple[Any, ...]], parts: PersonalParts) -> Personal:
    """The opened personal parts. Rows from before `personal` have them in columns of their own."""
    if row.personal is not None:
        return parts.opened(row.personal, place_of(row.tenant, row.id, row.account_id, row.version))

    def part(column: str) -> bytes | None:
        sealed = getattr(row, column)
        return None if sealed is None else parts.cipher.open(sealed, ORDER.place(column, row._mapping))

    return Personal(part("address"), part("tax"), b"")
