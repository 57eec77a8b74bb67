"""Wish's orders as JSON, turned into ours one by one: a bad one is set aside with its reason, the others go on."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import msgspec

from channel_sync.channels.wish.order_shape import (
    Id,
    Text,
    WishDestination,
    WishMoney,
    WishOrder,
    WishPhone,
    WishRefund,
    WishTracking,
)
from channel_sync.channels.wish.plain_text import clean, is_sanitised
from channel_sync.channels.wish.replies import place_of
from channel_sync.channels.wish.times import as_utc
from channel_sync.domain.money import Money
from channel_sync.domain.orders import (
    Address,
    ChannelOrder,
    OrderContent,
    OrderLine,
    OrderState,
    Refund,
    Tracking,
    UnreadableOrder,
)

_MOST_UNITS = 1_000_000
_MOST_DIGITS = 30
# Text of at most this length has neither too many digits nor too large an exponent.
_USUAL_DIGITS = 20
_LONGEST_ID = 100
_PRICES = "/order_payment/general_payment_details/"

_STATES = {
    "APPROVED": OrderState.APPROVED,
    "SHIPPED": OrderState.SHIPPED,
    "REFUNDED": OrderState.REFUNDED,
    "REQUIRE_REVIEW": OrderState.IN_REVIEW,
    "DECLINED": OrderState.DECLINED,
}
_DECODER = msgspec.json.Decoder(WishOrder)
_ANY_OBJECT = msgspec.json.Decoder(dict[str, object])
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_COMPLAINTS = {
    "Expected `": "wrong_type",
    "Invalid RFC3339": "bad_time",
    "Invalid decimal": "bad_amount",
    "maximum recursion": "too_deep",
}

Row = ChannelOrder | UnreadableOrder


class _Unusable(Exception):
    """A value of the right type that no order can have."""

    def __init__(self, reason: str, pointer: str) -> None:
        self.reason = reason
        self.pointer = pointer


def read_order(raw: bytes, request_id: str | None) -> Row:
    """The order, or what can be said of one that cannot be used."""
    text = clean(raw)
    try:
        return _order(_DECODER.decode(text), raw, is_sanitised(text, raw))
    except _Unusable as error:
        return _unreadable(error.reason, error.pointer, text, raw, request_id)
    except OverflowError:
        return _unreadable("bad_time", "", text, raw, request_id)
    except (ValueError, RecursionError) as error:
        return _unreadable(*_complaint(error), text, raw, request_id)


def _order(wish: WishOrder, raw: bytes, sanitised: bool) -> ChannelOrder:
    details = wish.order_payment.general_payment_details
    revenue = _money(details.payment_total, _PRICES + "payment_total")
    unit_price = _money(details.product_price, _PRICES + "product_price")
    paid = details.customer_paid_prices_detail
    paid_total = None if paid is None else _money(paid.total, _PRICES + "customer_paid_prices_detail/total")
    known = revenue or unit_price
    requirements, address = wish.fulfillment_requirements, wish.full_address
    tax = bytes(wish.tax_information)
    return ChannelOrder(
        channel_order_id=_id(wish.id, "/id"),
        transaction_id=None if wish.transaction_id is None else str(wish.transaction_id),
        state=_STATES.get(wish.state or "", OrderState.UNKNOWN),
        state_raw=wish.state or "",
        updated_at=as_utc(wish.updated_at),
        released_at=_time(wish.released_at),
        ship_by=None if requirements is None else _time(requirements.expected_ship_time),
        currency=None if known is None else known.currency,
        merchant_revenue=revenue,
        content=OrderContent(
            lines=(_line(wish, unit_price),),
            customer_paid=paid_total,
            fulfilled_by=_fulfilled_by(wish.fulfillment_order_types or ()),
            tracking=tuple([_tracking(parcel) for parcel in wish.tracking_information or () if parcel]),
            refunds=tuple([_refund(refund, at) for at, refund in enumerate(wish.refunds or ()) if refund]),
        ),
        address=None if address is None else _address(address.shipping_detail),
        tax=None if tax in (b"", b"null") else tax,
        raw=raw,
        sanitised=sanitised,
    )


def _line(wish: WishOrder, unit_price: Money | None) -> OrderLine:
    product, details = wish.product_information, wish.order_payment.general_payment_details
    if not 0 < details.product_quantity <= _MOST_UNITS:
        raise _Unusable("bad_quantity", _PRICES + "product_quantity")
    options = (("size", product.size), ("color", product.color))
    return OrderLine(
        sku=_text(product.sku),
        channel_listing_id=None if product.variation_id is None else str(product.variation_id),
        product_id=None if product.id is None else str(product.id),
        title=_text(product.name),
        options={name: str(value) for name, value in options if value not in (None, "")},
        quantity=details.product_quantity,
        unit_price=unit_price,
        shipping_price=_money(details.product_shipping_price, _PRICES + "product_shipping_price"),
    )


def _address(wish: WishDestination | None) -> Address | None:
    if wish is None:
        return None
    third = [text for text in (_text(wish.street_address3), _text(wish.neighborhood)) if text]
    return Address(
        name=_text(wish.name),
        street_1=_text(wish.street_address1),
        street_2=_text(wish.street_address2),
        street_3=", ".join(third) or None,
        city=_text(wish.city),
        region=_text(wish.state) or _text(wish.region),
        postcode=_text(wish.zipcode),
        country_code=_text(wish.country_code),
        phone=_phone(wish.phone_number),
    )


def _phone(wish: WishPhone | None) -> str | None:
    number = None if wish is None else _text(wish.number)
    if wish is None or number is None:
        return None
    country = (_text(wish.country_code) or "").lstrip("+")
    return number if number.startswith("+") or not country.isdigit() else f"+{country} {number}"


def _tracking(wish: WishTracking) -> Tracking:
    carrier = wish.shipping_provider
    return Tracking(
        carrier=None if carrier is None else _text(carrier.name),
        tracking_number=_text(wish.tracking_number),
        origin_country=_text(wish.origin_country),
    )


def _refund(wish: WishRefund, position: int) -> Refund:
    return Refund(
        refunded_at=_time(wish.refund_time),
        source=_text(wish.refund_source),
        reason=_text(wish.refund_reason),
        amount=_money(wish.refund_amount, f"/refunds/{position}/refund_amount"),
    )


def _fulfilled_by(order_types: Sequence[str | None]) -> str:
    if "FULFILLED_BY_WISH" in order_types:
        return "wish"
    return "store" if "FULFILLED_BY_STORE" in order_types else "merchant"


def _id(wish: Id, pointer: str) -> str:
    if not 0 < len(text := str(wish)) <= _LONGEST_ID:
        raise _Unusable("bad_id", pointer)
    return text


def _text(wish: Text) -> str | None:
    return None if wish is None or wish == "" else str(wish)


def _time(wish: datetime | None) -> datetime | None:
    return None if wish is None else as_utc(wish)


def _money(wish: WishMoney | None, pointer: str) -> Money | None:
    """The amount, exact; text such as "NaN" and numbers beyond all prices are no amounts."""
    if wish is None:
        return None
    if not _is_currency(wish.currency_code):
        raise _Unusable("bad_currency", pointer + "/currency_code")
    amount = wish.amount
    if not amount.is_finite() or "E" in (text := str(amount)) or len(text) > _USUAL_DIGITS:
        amount = _unusual(amount, pointer)
    return Money(amount, wish.currency_code)


def _unusual(amount: Decimal, pointer: str) -> Decimal:
    _, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int) or len(digits) > _MOST_DIGITS or not -_MOST_DIGITS < exponent < _MOST_DIGITS:
        raise _Unusable("bad_amount", pointer + "/amount")
    # 1e2 is written out: everyone after us expects plain digits.
    return Decimal(f"{amount:f}") if exponent > 0 else amount


@lru_cache(maxsize=256)
def _is_currency(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def _complaint(error: Exception) -> tuple[str, str]:
    """Reason and place of what msgspec did not like, without the values that its text may have."""
    text, pointer = str(error), place_of(error)
    if missing := _MISSING.match(text):
        return "missing_member", f"{pointer}/{missing[1]}"
    for start, reason in _COMPLAINTS.items():
        if text.startswith(start):
            return reason, pointer
    return "not_json", pointer


def _unreadable(reason: str, pointer: str, text: bytes, raw: bytes, request_id: str | None) -> UnreadableOrder:
    try:
        members = _ANY_OBJECT.decode(text)
    except (ValueError, RecursionError):
        members = {}
    id = members.get("id")
    return UnreadableOrder(
        channel_order_id=str(id) if isinstance(id, str | int) and 0 < len(str(id)) <= _LONGEST_ID else None,
        reason=reason,
        pointer=pointer,
        updated_at=_loose_time(members.get("updated_at")),
        channel_request_id=request_id,
        raw=raw,
    )


def _loose_time(value: object) -> datetime | None:
    try:
        return as_utc(msgspec.convert(value, datetime))
    except (ValueError, OverflowError):
        return None
