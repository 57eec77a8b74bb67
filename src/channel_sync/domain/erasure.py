"""Forgetting buyers: who is meant, and what became of it."""

import json
import re
from dataclasses import dataclass, fields
from datetime import datetime

from channel_sync.domain.orders import Address, OrderState

# Days that a buyer may be kept.
LONGEST_RETENTION_D = 3650

_LITERALS = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Buyer:
    """What is known of a buyer. All that is given has to fit, whatever its case, spaces and punctuation."""

    name: str | None = None
    phone: str | None = None
    street_1: str | None = None
    postcode: str | None = None

    def given(self) -> dict[str, str]:
        """The members that were given, in the form in which they are compared."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: _plain(value) for name, value in values.items() if value is not None}

    def is_at(self, address: Address) -> bool:
        """Whether an order went to the buyer."""
        return all(_plain(getattr(address, name) or "") == value for name, value in self.given().items())

    def is_in(self, reply: bytes) -> bool:
        """Whether a reply that is no usable order names the buyer, in whatever members."""
        named = {_plain(_text(literal)) for literal in _LITERALS.findall(reply.decode("utf-8", "replace"))}
        return named.issuperset(self.given().values())


# Everything fits.
ANYBODY = Buyer()


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _text(literal: str) -> str:
    try:
        return str(json.loads(literal))
    except ValueError:
        return literal


@dataclass(frozen=True, slots=True)
class Erased:
    """How many orders and held replies were erased. `next` is where to go on, None where nothing is left to do."""

    orders: int
    held_orders: int
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """After how many days a tenant's buyers are forgotten, None for never, and how far that has come.

    `own_days` are the tenant's own. Until `erased_until` everything is erased that was to be.
    """

    own_days: int | None = None
    position: int = 0
    orders_erased: int = 0
    held_orders_erased: int = 0
    erased_until: datetime | None = None

    def days(self, default_days: int | None) -> int | None:
        """After how many days, where the service's setting is `default_days`."""
        return default_days if self.own_days is None else self.own_days


_OVER = (OrderState.SHIPPED, OrderState.REFUNDED, OrderState.DECLINED)


@dataclass(frozen=True, slots=True)
class OrderAge:
    """An order as the forgetting of buyers sees it. One that may still be shipped is not over."""

    id: str
    position: int
    state: OrderState
    stored_at: datetime
    erased: bool

    @property
    def is_over(self) -> bool:
        """Whether it is known to be shipped or given up."""
        return self.state in _OVER
