"""Amounts of money."""

from decimal import Decimal

from channel_sync.domain.fast_dataclass import fast_dataclass

# Of an amount whose currency the marketplace does not name; whoever stores it puts the shop's own there.
NO_CURRENCY = ""


@fast_dataclass
class Money:
    """An exact amount in major units of an ISO 4217 currency; may be negative."""

    amount: Decimal
    currency: str
