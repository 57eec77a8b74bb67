"""Wish's orders as JSON, turned into ours one by one: a bad one is set aside with its reason, the others go on."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import msgspec

from channel_sync.channels.wish.caps import MOST_DIGITS, MOST_ORDER_BYTES, Id
from channel_sync.channels.wish.lenient import Notes, Unfit, note, read_members
from channel_sync.channels.wish.order_progress import progress_of
from channel_sync.channels.wish.order_shape import (
    WishDestination,
    WishMoney,
    WishOrder,
    WishPhone,
    WishRefund,
    WishTracking,
)
from channel_sync.channels.wish.plain_text import clean, is_sanitised
from channel_sync.channels.wish.rows import loose_members, loose_value
from channel_sync.channels.wish.tax import tax_of
from channel_sync.channels.wish.times import plausible
from channel_sync.domain.money import NO_CURRENCY, Money
from channel_sync.domain.orders import (
    Address,
    ChannelOrder,
    Flaw,
    OrderContent,
    OrderLine,
    OrderState,
    Refund,
    Tracking,
    UnreadableOrder,
)

# Text of at most this length has neither too many digits nor too large an exponent.
_USUAL_DIGITS = 20
_PRICES = "/order_payment/general_payment_details/"
_TOTAL = _PRICES + "payment_total"
_UNIT_PRICE = _PRICES + "product_price"
_SHIPPING_PRICE = _PRICES + "product_shipping_price"
_PAID = _PRICES + "customer_paid_prices_detail/total"

_STATES = {
    "APPROVED": OrderState.APPROVED,
    "SHIPPED": OrderState.SHIPPED,
    "REFUNDED": OrderState.REFUNDED,
    "REQUIRE_REVIEW": OrderState.IN_REVIEW,
    "DECLINED": OrderState.DECLINED,
}
_DECODER = msgspec.json.Decoder(WishOrder)
_ID: msgspec.json.Decoder[str | int] = msgspec.json.Decoder(Id)
_TIME = msgspec.json.Decoder(datetime)
# Of an order too large to be looked into; Wish writes the id first.
_FIRST_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*("[!#-[\]-~]{1,100}"|[0-9]{1,18})\s*[,}]')

Row = ChannelOrder | UnreadableOrder


def read_order(raw: bytes, request_id: str | None) -> Row:
    """The order, or what can be said of one that cannot be used.

    One decode reads what fits as a whole; only what does not is read member by member.
    """
    if len(raw) > MOST_ORDER_BYTES:
        return _too_large(raw, request_id)
    text = clean(raw)
    sanitised = is_sanitised(text, raw)
    try:
        try:
            return _order(_DECODER.decode(text), [], raw, sanitised)
        except (Unfit, ValueError, RecursionError):
            notes: Notes = []
            return _order(read_members(WishOrder, text, notes), notes, raw, sanitised)
    except Unfit as unfit:
        return _unreadable(unfit, text, raw, request_id)


def _order(wish: WishOrder, notes: Notes, raw: bytes, sanitised: bool) -> ChannelOrder:
    details = wish.order_payment.general_payment_details
    revenue = _money(details.payment_total, notes, _TOTAL)
    unit_price = _money(details.product_price, notes, _UNIT_PRICE)
    requirements, address = wish.fulfillment_requirements, wish.full_address
    ship_by = None if requirements is None else requirements.expected_ship_time
    return ChannelOrder(
        channel_order_id=str(wish.id),
        transaction_id=None if wish.transaction_id is None else str(wish.transaction_id),
        state=_STATES.get(wish.state or "", OrderState.UNKNOWN),
        state_raw=wish.state or "",
        updated_at=_updated_at(wish.updated_at),
        released_at=_time(wish.released_at, notes, "/released_at"),
        ship_by=_time(ship_by, notes, "/fulfillment_requirements/expected_ship_time"),
        currency=_named_currency(revenue, unit_price),
        merchant_revenue=revenue,
        address=None if address is None else _address(address.shipping_detail),
        tax=tax_of(bytes(wish.tax_information)),
        content=_content(wish, unit_price, notes),
        raw=raw,
        sanitised=sanitised,
        progress=progress_of(wish),
    )


def _content(wish: WishOrder, unit_price: Money | None, notes: Notes) -> OrderContent:
    paid = wish.order_payment.general_payment_details.customer_paid_prices_detail
    refunds = enumerate(wish.refunds or ())
    return OrderContent(
        lines=(_line(wish, unit_price, notes),),
        customer_paid=None if paid is None else _money(paid.total, notes, _PAID),
        fulfilled_by=_fulfilled_by(wish.fulfillment_order_types or ()),
        tracking=tuple([_tracking(parcel) for parcel in wish.tracking_information or () if parcel]),
        refunds=tuple([_refund(refund, notes, f"/refunds/{at}") for at, refund in refunds if refund]),
        notes=tuple(notes),
        confirms_delivery="CONFIRMED_DELIVERY_POLICY" in (wish.fulfillment_order_types or ()),
    )


def _line(wish: WishOrder, unit_price: Money | None, notes: Notes) -> OrderLine:
    product, details = wish.product_information, wish.order_payment.general_payment_details
    options = (("size", product.size), ("color", product.color))
    return OrderLine(
        sku=product.sku or None,
        channel_listing_id=None if product.variation_id is None else str(product.variation_id),
        product_id=None if product.id is None else str(product.id),
        title=product.name or None,
        options={name: value for name, value in options if value},
        quantity=details.product_quantity,
        unit_price=unit_price,
        shipping_price=_money(details.product_shipping_price, notes, _SHIPPING_PRICE),
    )


def _address(wish: WishDestination | None) -> Address | None:
    if wish is None:
        return None
    third = [text for text in (wish.street_address3, wish.neighborhood) if text]
    return Address(
        name=wish.name or None,
        street_1=wish.street_address1 or None,
        street_2=wish.street_address2 or None,
        street_3=", ".join(third) or None,
        city=wish.city or None,
        region=wish.state or wish.region or None,
        postcode=wish.zipcode or None,
        country_code=wish.country_code or None,
        phone=_phone(wish.phone_number),
    )


def _phone(wish: WishPhone | None) -> str | None:
    if wish is None or not wish.number:
        return None
    country = (wish.country_code or "").lstrip("+")
    is_whole = wish.number.startswith("+") or not country.isdigit()
    return wish.number if is_whole else f"+{country} {wish.number}"


def _tracking(wish: WishTracking) -> Tracking:
    carrier = wish.shipping_provider
    return Tracking(
        carrier=None if carrier is None else carrier.name or None,
        tracking_number=wish.tracking_number or None,
        origin_country=wish.origin_country or None,
    )


def _refund(wish: WishRefund, notes: Notes, pointer: str) -> Refund:
    return Refund(
        refunded_at=_time(wish.refund_time, notes, f"{pointer}/refund_time"),
        source=wish.refund_source or None,
        reason=wish.refund_reason or None,
        amount=_money(wish.refund_amount, notes, f"{pointer}/refund_amount"),
    )


def _fulfilled_by(order_types: Sequence[str | None]) -> str:
    if "FULFILLED_BY_WISH" in order_types:
        return "wish"
    return "store" if "FULFILLED_BY_STORE" in order_types else "merchant"


def _updated_at(wish: datetime) -> datetime:
    if (moment := plausible(wish)) is None:
        raise Unfit(Flaw.BAD_TIME, "/updated_at")
    return moment


def _time(wish: datetime | None, notes: Notes, pointer: str) -> datetime | None:
    if wish is None or (moment := plausible(wish)) is not None:
        return None if wish is None else moment
    note(notes, Flaw.BAD_TIME, pointer)
    return None


def _money(wish: WishMoney | None, notes: Notes, pointer: str) -> Money | None:
    """The amount, exact; text such as "NaN" and numbers beyond all prices are no amounts."""
    if wish is None:
        return None
    amount = wish.amount
    if not amount.is_finite() or "E" in (text := str(amount)) or len(text) > _USUAL_DIGITS:
        usual = _usual(amount)
        if usual is None:
            note(notes, Flaw.BAD_AMOUNT, f"{pointer}/amount")
            return None
        amount = usual
    if not wish.currency_code:
        note(notes, Flaw.CURRENCY_MISSING, f"{pointer}/currency_code")
        return Money(amount, NO_CURRENCY)
    currency = wish.currency_code.upper()
    if not _is_currency(currency):
        note(notes, Flaw.BAD_CURRENCY, f"{pointer}/currency_code")
        return None
    return Money(amount, currency)


def _usual(amount: Decimal) -> Decimal | None:
    _, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int) or len(digits) > MOST_DIGITS or not -MOST_DIGITS < exponent < MOST_DIGITS:
        return None
    # 1e2 is written out: everyone after us expects plain digits.
    return Decimal(f"{amount:f}") if exponent > 0 else amount


@lru_cache(maxsize=256)
def _is_currency(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def _named_currency(revenue: Money | None, unit_price: Money | None) -> str | None:
    if revenue is not None and revenue.currency:
        return revenue.currency
    return (unit_price and unit_price.currency) or None


def _unreadable(unfit: Unfit, text: bytes, raw: bytes, request_id: str | None) -> UnreadableOrder:
    members = loose_members(text)
    id, updated_at = loose_value(members, "id", _ID), loose_value(members, "updated_at", _TIME)
    return UnreadableOrder(
        channel_order_id=None if id is None else str(id),
        reason=unfit.flaw.value,
        pointer=unfit.pointer,
        updated_at=None if updated_at is None else plausible(updated_at),
        channel_request_id=request_id,
        raw=raw,
    )


def _too_large(raw: bytes, request_id: str | None) -> UnreadableOrder:
    """Its beginning is kept: enough to say who it is, too much to be read as an order by mistake."""
    kept = raw[: MOST_ORDER_BYTES + 1]
    found = _FIRST_ID.match(kept)
    id = None if found is None else found[1].strip(b'"').decode()
    return UnreadableOrder(id, Flaw.TOO_LARGE.value, "", None, request_id, kept)
