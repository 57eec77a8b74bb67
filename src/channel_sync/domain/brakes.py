"""The brake of a shop: a push that would empty too much of it at once is stopped before it sends anything."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

# The code of a run that the brake stops, of what waits behind it, and of the incident.
STOCK_BRAKED: Final = "stock_braked"
# Fewer listings than this are emptied at once by customers, too.
LEAST_EMPTIED = 20


@dataclass(frozen=True, slots=True)
class Brake:
    """Why a shop's stock stands still since `at`: one push was to set `emptied` of its `listings` to zero."""

    at: datetime
    emptied: int
    listings: int
    percent: int


def is_too_much(emptied: int, listings: int, percent: int) -> bool:
    """Whether so many of a shop's listings may not be set to zero in one push."""
    return emptied >= LEAST_EMPTIED and emptied * 100 > listings * percent
