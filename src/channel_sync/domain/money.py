"""Amounts of money."""

from decimal import Decimal

from msgspec import Struct

# Of an amount whose currency the marketplace does not name; whoever stores it puts the shop's own there.
NO_CURRENCY = ""


class Money(Struct, frozen=True, gc=False):
    """An exact amount in major units of an ISO 4217 currency; may be negative."""

    amount: Decimal
    currency: str
