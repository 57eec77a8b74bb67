"""Units of orders that no level counts yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

# Why a listing shows what it should although it was not told.
SOLD_HERE: Final = "sold_here"


@dataclass(frozen=True, slots=True)
class Sale:
    """Units that a shop sold of one listing, the first by `sold_by`; the marketplace took them off itself."""

    account_id: str
    variation_id: str
    units: int
    sold_by: datetime


@dataclass(frozen=True, slots=True)
class SettledSales:
    """What came of reservations: the SKUs whose level they changed, and of what they were sold."""

    skus: frozenset[str]
    sales: tuple[Sale, ...]
