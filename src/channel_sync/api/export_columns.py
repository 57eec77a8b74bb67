"""The columns of an export: one row for each line of an order."""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from channel_sync.api.http.fields import timestamp
from channel_sync.domain.orders import Tracking
from channel_sync.persistence.rows.timestamps import moment
from channel_sync.persistence.sql.export_rows import ExportedLine, ExportedMoney, ExportedOrder, ExportedRefund

Value = str | int | bool | dict[str, str] | None
Column = Callable[[ExportedOrder, ExportedLine], Value]

# Of an order without any, which still has a row.
_NO_LINE = ExportedLine()
_NO_PARCEL = Tracking(None, None, None)
_NO_REFUND = ExportedRefund()


def lines_of(order: ExportedOrder) -> tuple[ExportedLine, ...]:
    """What the rows of an order are about."""
    return order.content.lines or (_NO_LINE,)


@lru_cache(maxsize=8192)
def _time(microseconds: int | None) -> str | None:
    return None if microseconds is None else timestamp(moment(microseconds))


def _amount(money: ExportedMoney | None) -> str | None:
    if money is None or "E" not in money.amount:
        return None if money is None else money.amount
    return f"{Decimal(money.amount):f}"


def _currency(money: ExportedMoney | None) -> str | None:
    return None if money is None else money.currency


def _parcel(order: ExportedOrder) -> Tracking:
    return order.content.tracking[0] if order.content.tracking else _NO_PARCEL


def _refund(order: ExportedOrder) -> ExportedRefund:
    return order.content.refunds[0] if order.content.refunds else _NO_REFUND


def _refunded_at(order: ExportedOrder) -> str | None:
    at = _refund(order).refunded_at
    return None if at is None else timestamp(at)


# Ours, whose form is known: a spreadsheet takes none of it for a formula.
OWN: dict[str, Column] = {
    "id": lambda order, _: order.id,
    "integration_id": lambda order, _: order.integration_id,
    "state": lambda order, _: order.state,
    "released_at": lambda order, _: _time(order.released_at),
    "ship_by": lambda order, _: _time(order.ship_by),
    "currency": lambda order, _: order.currency,
    "quantity": lambda _, line: line.quantity,
    "unit_price": lambda _, line: _amount(line.unit_price),
    "shipping_price": lambda _, line: _amount(line.shipping_price),
    "price_currency": lambda _, line: _currency(line.unit_price),
    "customer_paid": lambda order, _: _amount(order.content.customer_paid),
    "customer_paid_currency": lambda order, _: _currency(order.content.customer_paid),
    "merchant_revenue": lambda order, _: order.revenue_amount,
    "merchant_revenue_currency": lambda order, _: order.revenue_currency,
    "fulfilled_by": lambda order, _: order.content.fulfilled_by,
    "parcels": lambda order, _: len(order.content.tracking),
    "refunds": lambda order, _: len(order.content.refunds),
    "refunded_at": lambda order, _: _refunded_at(order),
    "refunded_amount": lambda order, _: _amount(_refund(order).amount),
    "acknowledged_at": lambda order, _: _time(order.acknowledged_at),
    "channel_updated_at": lambda order, _: _time(order.channel_updated_at),
    "stored_at": lambda order, _: _time(order.stored_at),
    "erased": lambda order, _: bool(order.erased),
    "version": lambda order, _: order.version,
}
# What the marketplace, a seller or a buyer wrote.
OF_OTHERS: dict[str, Column] = {
    "channel_order_id": lambda order, _: order.channel_order_id,
    "transaction_id": lambda order, _: order.transaction_id,
    "state_raw": lambda order, _: order.state_raw,
    "sku": lambda _, line: line.sku,
    "mapped_sku": lambda order, line: order.mapped_skus.get(line.channel_listing_id or ""),
    "channel_listing_id": lambda _, line: line.channel_listing_id,
    "title": lambda _, line: line.title,
    "options": lambda _, line: line.options,
    "carrier": lambda order, _: _parcel(order).carrier,
    "tracking_number": lambda order, _: _parcel(order).tracking_number,
    "refunded_reason": lambda order, _: _refund(order).reason,
}
# Only with `pii:read`; empty once the buyer was erased.
PERSONAL: dict[str, Column] = {
    "name": lambda order, _: order.address.name,
    "street_1": lambda order, _: order.address.street_1,
    "street_2": lambda order, _: order.address.street_2,
    "street_3": lambda order, _: order.address.street_3,
    "city": lambda order, _: order.address.city,
    "region": lambda order, _: order.address.region,
    "postcode": lambda order, _: order.address.postcode,
    "country_code": lambda order, _: order.address.country_code,
    "phone": lambda order, _: order.address.phone,
}
# As they stand in a row where nobody says otherwise.
ORDINARY = (
    *(
        "id",
        "integration_id",
        "channel_order_id",
        "transaction_id",
        "state",
        "state_raw",
        "released_at",
        "ship_by",
    ),
    *("currency", "sku", "mapped_sku", "channel_listing_id", "title", "options", "quantity", "unit_price"),
    *("shipping_price", "price_currency", "customer_paid", "customer_paid_currency", "merchant_revenue"),
    *("merchant_revenue_currency", "fulfilled_by", "parcels", "carrier", "tracking_number", "refunds"),
    *("refunded_at", "refunded_reason", "refunded_amount", "acknowledged_at", "channel_updated_at", "stored_at"),
    *("erased", "version"),
)
COLUMNS = OWN | OF_OTHERS | PERSONAL
