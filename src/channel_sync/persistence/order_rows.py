"""An order as a row, and a row as an order. Address, tax and the raw reply are sealed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row

from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import Account
from channel_sync.domain.money import Money
from channel_sync.domain.orders import Address, ChannelOrder, Order, OrderContent
from channel_sync.persistence.bulk import BulkInsert, overwrite
from channel_sync.persistence.column_types import micros
from channel_sync.persistence.encryption import Cipher, place
from channel_sync.persistence.session import Values
from channel_sync.persistence.tables import accounts
from channel_sync.persistence.trade_tables import orders

PUBLIC_DIGEST_BYTES = 12
_PERSONAL_DIGEST_BYTES = 12

_KEY = ("id", "tenant", "account_id", "channel_order_id", "erased")
_CHANGING = (
    "transaction_id",
    "state",
    "state_raw",
    "channel_updated_at",
    "released_at",
    "ship_by",
    "currency",
    "currency_defaulted",
    "revenue_amount",
    "revenue_currency",
    "stored_at",
    "sanitised",
    "version",
    "digest",
    "content",
    "address",
    "tax",
    "raw",
    "position",
)

# The rule is decided before, from rows this transaction has locked; the condition is the last line of defence.
UPSERT = BulkInsert(
    orders,
    (*_KEY, *_CHANGING),
    f"ON CONFLICT (account_id, channel_order_id) DO UPDATE SET {overwrite(_CHANGING)}"
    " WHERE excluded.channel_updated_at >= orders.channel_updated_at",
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
    orders.c.acknowledged_at,
    orders.c.channel_updated_at,
    orders.c.stored_at,
    orders.c.sanitised,
    orders.c.erased,
    orders.c.version,
    orders.c.position,
    orders.c.tenant,
]
READ_PERSONAL = [*READ, orders.c.address, orders.c.tax]

_encode = msgspec.json.Encoder().encode
_content = msgspec.json.Decoder(OrderContent).decode
_address = msgspec.json.Decoder(Address).decode


class Fresh(NamedTuple):
    """An order of a page with what is worked out of it once: its JSON texts and its digest.

    `row` is the order's row as a new order of `order_id`, without its position, where that was likely.
    """

    order: ChannelOrder
    content: bytes
    address: bytes | None
    digest: bytes
    order_id: str | None = None
    row: Values | None = None


def _fresh(order: ChannelOrder) -> Fresh:
    content = _encode(order.content)
    address = None if order.address is None else _encode(order.address)
    digest = _public_digest(order, content)
    if address is not None or order.tax is not None:
        digest += _personal_digest(order, address)
    return Fresh(order, content, address, digest)


def without_personal(fresh: Fresh) -> Fresh:
    """The same for an order that was erased: of that nothing personal is looked at any more."""
    return Fresh(fresh.order, fresh.content, None, fresh.digest[:PUBLIC_DIGEST_BYTES])


def _public_digest(order: ChannelOrder, content: bytes) -> bytes:
    rest = (
        order.transaction_id,
        order.state_raw,
        order.released_at,
        order.ship_by,
        order.currency,
        order.merchant_revenue,
        order.sanitised,
    )
    return blake2b(_encode(rest) + content, digest_size=PUBLIC_DIGEST_BYTES).digest()


def _personal_digest(order: ChannelOrder, address: bytes | None) -> bytes:
    # The order id goes in so that equal digests do not tell that two orders went to one address.
    personal = b"\x1f".join((order.channel_order_id.encode(), address or b"", order.tax or b""))
    return blake2b(personal, digest_size=_PERSONAL_DIGEST_BYTES).digest()


@dataclass(frozen=True, slots=True)
class RowWriter:
    """Makes rows for `UPSERT` of one account at one moment."""

    account: Account
    default_currency: str
    now: datetime
    cipher: Cipher

    def prepare(self, orders: Sequence[ChannelOrder], likely_new: bool) -> list[Fresh]:
        """What storing these orders takes, worked out before the transaction and without the database."""
        if not likely_new:
            return [_fresh(order) for order in orders]
        return [self._prepared(_fresh(order)) for order in orders]

    def _prepared(self, fresh: Fresh) -> Fresh:
        order_id = new_id("ord", self.now)
        return fresh._replace(order_id=order_id, row=self.row(order_id, fresh, 1, False))

    def row(self, order_id: str, fresh: Fresh, version: int, erased: bool) -> Values:
        """The order's row but its position, its personal parts sealed to it or, once erased, left out."""
        order, tenant = fresh.order, self.account.tenant
        revenue = order.merchant_revenue
        tax, raw = (None, None) if erased else (order.tax, order.raw)
        seal = self.cipher.seal
        return (
            order_id,
            tenant,
            self.account.id,
            order.channel_order_id,
            erased,
            order.transaction_id,
            order.state.value,
            order.state_raw,
            micros(order.updated_at),
            None if order.released_at is None else micros(order.released_at),
            None if order.ship_by is None else micros(order.ship_by),
            order.currency or self.default_currency,
            order.currency is None,
            None if revenue is None else format(revenue.amount, "f"),
            None if revenue is None else revenue.currency,
            micros(self.now),
            order.sanitised,
            version,
            fresh.digest,
            fresh.content.decode(),
            None if fresh.address is None else seal(fresh.address, place("orders", "address", tenant, order_id)),
            None if tax is None else seal(tax, place("orders", "tax", tenant, order_id)),
            None if raw is None else seal(raw, place("orders", "raw", tenant, order_id)),
        )


def order_of(row: Row[*tuple[Any, ...]], cipher: Cipher) -> Order:
    """The order in a row of `READ` or, with its personal parts, of `READ_PERSONAL`."""
    amount, currency = row.revenue_amount, row.revenue_currency
    personal = len(row) > len(READ)

    def opened(column: str, parse: Callable[[bytes], Any]) -> Any:
        sealed = getattr(row, column) if personal else None
        return None if sealed is None else parse(cipher.open(sealed, place("orders", column, row.tenant, row.id)))

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
        content=_content(row.content),
        acknowledged_at=row.acknowledged_at,
        channel_updated_at=row.channel_updated_at,
        stored_at=row.stored_at,
        sanitised=row.sanitised,
        erased=row.erased,
        version=row.version,
        position=row.position,
        address=opened("address", _address),
        tax=opened("tax", bytes),
    )
