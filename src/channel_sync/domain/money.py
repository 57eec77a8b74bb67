"""Amounts of money."""

from decimal import Decimal

from channel_sync.domain.hot_values import hot_value


@hot_value
class Money:
    """An exact amount in major units of an ISO 4217 currency; may be negative."""

    amount: Decimal
    currency: str
