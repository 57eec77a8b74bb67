"""Orders and listings as a marketplace has them, with good defaults."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from channel_sync.domain.listings import ChannelListing
from channel_sync.domain.money import Money
from channel_sync.domain.orders import (
    Address,
    ChannelOrder,
    OrderContent,
    OrderLine,
    OrderState,
    UnreadableOrder,
)

START = datetime(2026, 11, 1, tzinfo=UTC)


def an_order(number: int = 1, minute: float | None = None, **changes) -> ChannelOrder:
    """Order `o-<number>`, updated as many minutes after START as its number says, or `minute`."""
    at = START + timedelta(minutes=number if minute is None else minute)
    line = OrderLine("sku-1", "var-1", "pro-1", "Cup", {"size": "L"}, 1, Money(Decimal("12.34"), "GBP"), None)
    values: dict[str, Any] = {
        "channel_order_id": f"o-{number}",
        "transaction_id": f"t-{number}",
        "state": OrderState.APPROVED,
        "state_raw": "APPROVED",
        "updated_at": at,
        "released_at": at,
        "ship_by": None,
        "currency": "GBP",
        "merchant_revenue": Money(Decimal("10.00"), "GBP"),
        "content": OrderContent((line,), Money(Decimal("15.00"), "GBP"), "merchant", (), ()),
        "address": Address(name="Ada", city="London", country_code="GB"),
        "tax": b'{"id": "1"}',
        "raw": f'{{"id": "o-{number}", "at": "{at.isoformat()}"}}'.encode(),
    }
    return ChannelOrder(**(values | changes))


def an_unreadable_order(number: int = 1, minute: float | None = None, **changes) -> UnreadableOrder:
    """Order `o-<number>` with a price that is none."""
    values: dict[str, Any] = {
        "channel_order_id": f"o-{number}",
        "reason": "price_invalid",
        "pointer": "/order_payment/payment_total",
        "updated_at": START + timedelta(minutes=number if minute is None else minute),
        "channel_request_id": "req-1",
        "raw": f'{{"id": "o-{number}", "price": "abc"}}'.encode(),
    }
    return UnreadableOrder(**(values | changes))


def a_listing(number: int = 1, units: int = 5, product: int | None = None, **changes) -> ChannelListing:
    """Variation `var-<number>` with SKU `sku-<number>` of a product of its own, or of `product`."""
    values: dict[str, Any] = {
        "product_id": f"pro-{number if product is None else product}",
        "variation_id": f"var-{number}",
        "sku": f"sku-{number}",
        "title": "Cup",
        "image_url": None,
        "writable": True,
        "quantities": (("wh1", units), ("wh2", 7)),
    }
    return ChannelListing(**(values | changes))
