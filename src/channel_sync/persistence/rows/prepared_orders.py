"""What storing an order takes, worked out before the transaction and without the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from channel_sync.domain.default_currency import lacks_currency, with_currency
from channel_sync.domain.ids import new_ids
from channel_sync.domain.orders import ChannelOrder, OrderContent
from channel_sync.persistence.rows.compression import Compression
from channel_sync.persistence.rows.encryption import AssociatedData, Cipher
from channel_sync.persistence.rows.timestamps import SKEW_MICROS, micros

PUBLIC_DIGEST_BYTES = 12
_NO_NOTES = b',"notes":[]}'
# Inside a text its quotation marks would be escaped.
BY_MERCHANT = '"fulfilled_by":"merchant"'
_NO_PARCEL = '"tracking":[]'
_NOTHING_CONFIRMED = b',"confirms_delivery":false}'
_PERSONAL_DIGEST_BYTES = 12

_encode = msgspec.json.Encoder().encode
_pack_into = msgspec.msgpack.Encoder().encode_into
_unpack = msgspec.msgpack.Decoder(tuple[bytes | None, bytes | tuple[int, int] | None, bytes]).decode


class OrderRow(NamedTuple):
    """A row of `orders` as it lies in the table, but for its position in the feed."""

    id: str
    tenant: str
    account_id: str
    channel_order_id: str
    erased: bool
    transaction_id: str | None
    state: str
    state_raw: str
    channel_updated_at: int
    released_at: int | None
    ship_by: int | None
    currency: str
    currency_defaulted: bool
    revenue_amount: str | None
    revenue_currency: str | None
    stored_at: int
    sanitised: bool
    version: int
    digest: bytes
    content: str
    personal: bytes | None
    mapped_skus: str | None = None


class Personal(NamedTuple):
    """The personal parts of an order: address and tax information, both as JSON, and the marketplace's reply."""

    address: bytes | None
    tax: bytes | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class PersonalParts:
    """Writes and reads them: made small, then sealed."""

    cipher: Cipher
    compression: Compression

    def sealed(self, parts: Personal, channel: str, place: AssociatedData, buffer: bytearray) -> bytes:
        """The parts of a marketplace's order, for their place. What the buffer held is lost."""
        _pack_into(parts, buffer)
        return self.cipher.seal(self.compression.compress(buffer, channel), place)

    def opened(self, sealed: bytes, place: AssociatedData) -> Personal:
        """What a stored order's personal part holds."""
        address, tax, raw = _unpack(self.compression.expand(self.cipher.open(sealed, place)))
        # Before there was compression, tax information found in the reply was kept as its place there.
        return Personal(address, raw[slice(*tax)] if isinstance(tax, tuple) else tax, raw)


@dataclass(frozen=True, slots=True)
class OrderRowEncoder:
    """Makes rows of one account's orders at one moment."""

    channel: str
    tenant: str
    account_id: str
    default_currency: str
    now: datetime
    parts: PersonalParts
    # One for all of them: a fresh one of an order's size takes four times as long as what is written into it.
    _buffer: bytearray = field(default_factory=bytearray, repr=False)

    def rows(self, orders: Sequence[ChannelOrder]) -> list[OrderRow]:
        """The rows of orders that are not stored yet; see `as_stored` for those that are."""
        ids, stored_at = new_ids("ord", self.now, len(orders)), micros(self.now)
        return [self._row(order_id, order, stored_at) for order_id, order in zip(ids, orders, strict=True)]

    def _row(self, order_id: str, order: ChannelOrder, stored_at: int) -> OrderRow:
        is_defaulted = lacks_currency(order)
        named = with_currency(order, self.default_currency) if is_defaulted else order
        revenue, content = named.merchant_revenue, _encoded(named.content)
        address = None if order.address is None else _encode(order.address)
        personal = Personal(address, order.tax, order.raw)
        place = place_of(self.tenant, order_id, self.account_id, 1)
        return OrderRow(
            order_id,
            self.tenant,
            self.account_id,
            order.channel_order_id,
            False,
            order.transaction_id,
            order.state.value,
            order.state_raw,
            micros(order.updated_at),
            None if order.released_at is None else micros(order.released_at),
            None if order.ship_by is None else micros(order.ship_by),
            named.currency or self.default_currency,
            is_defaulted,
            None if revenue is None else format(revenue.amount, "f"),
            None if revenue is None else revenue.currency,
            stored_at,
            order.sanitised,
            1,
            _digest(order, content, address),
            content.decode(),
            self.parts.sealed(personal, self.channel, place, self._buffer),
        )


def _encoded(content: OrderContent) -> bytes:
    """As it was before there were notes and what follows them, so that no stored order looks changed."""
    text = _encode(content)
    if content.confirms_delivery:
        return text
    text = text.removesuffix(_NOTHING_CONFIRMED) + b"}"
    return text if content.notes else text.removesuffix(_NO_NOTES) + b"}"


def raw_of(row: OrderRow, parts: PersonalParts) -> bytes:
    """The marketplace's reply that a row was made of, which no erasure has reached yet."""
    place = place_of(row.tenant, row.id, row.account_id, row.version)
    return b"" if row.personal is None else parts.opened(row.personal, place).raw


def as_stored(row: OrderRow, order_id: str, version: int, erased: bool, cipher: Cipher) -> OrderRow:
    """The row as the next version of a stored order, its personal part sealed to that one or, once erased, left
    out.
    """
    if erased or row.personal is None:
        personal = None
    else:
        opened = cipher.open(row.personal, place_of(row.tenant, row.id, row.account_id, row.version))
        personal = cipher.seal(opened, place_of(row.tenant, order_id, row.account_id, version))
    return row._replace(
        id=order_id, version=version, erased=erased, digest=digest_of(row, erased), personal=personal
    )


def has_parcel(row: OrderRow) -> bool:
    """Whether the marketplace knows of a parcel that was sent, which it does of nothing but shipped orders."""
    return _NO_PARCEL not in row.content


def is_by_merchant(row: OrderRow) -> bool:
    """Whether the merchant ships the order."""
    return BY_MERCHANT in row.content


def newest_of(rows: Sequence[OrderRow]) -> dict[str, OrderRow]:
    """The rows by the marketplace's id; of several of one order the newest."""
    newest: dict[str, OrderRow] = {}
    for row in rows:
        other = newest.setdefault(row.channel_order_id, row)
        if other is not row and _believable(row) >= _believable(other):
            newest[row.channel_order_id] = row
    return newest


def _believable(row: OrderRow) -> tuple[bool, int]:
    """What is dated ahead comes after nothing."""
    return row.channel_updated_at <= row.stored_at + SKEW_MICROS, row.channel_updated_at


def digest_of(row: OrderRow, erased: bool) -> bytes:
    """The row's digest as it would be stored: of an erased order nothing personal is looked at any more."""
    return row.digest[:PUBLIC_DIGEST_BYTES] if erased else row.digest


def place_of(tenant: str, order_id: str, account_id: str, version: int) -> AssociatedData:
    """`ORDER.place` of the personal part, at a quarter of the time."""
    return AssociatedData("orders", "personal", (tenant, order_id), (account_id, version))


def _digest(order: ChannelOrder, content: bytes, address: bytes | None) -> bytes:
    """Of what may change: `PUBLIC_DIGEST_BYTES` for the public part, then more for the personal, if any."""
    rest = (
        order.transaction_id,
        order.state_raw,
        order.released_at,
        order.ship_by,
        order.currency,
        order.merchant_revenue,
        order.sanitised,
    )
    public = blake2b(_encode(rest) + content, digest_size=PUBLIC_DIGEST_BYTES).digest()
    if address is None and order.tax is None:
        return public
    # The order id goes in so that equal digests do not tell that two orders went to one address.
    personal = b"\x1f".join((order.channel_order_id.encode(), address or b"", order.tax or b""))
    return public + blake2b(personal, digest_size=_PERSONAL_DIGEST_BYTES).digest()
