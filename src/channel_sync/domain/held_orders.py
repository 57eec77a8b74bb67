"""Orders that could not be used."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HeldOrder:
    """An order that could not be used: why, since when, and what to name at the marketplace's support."""

    id: str
    integration_id: str
    channel_order_id: str | None
    reason: str
    pointer: str
    channel_request_id: str | None
    held_at: datetime
    attempts: int = 1
    erased: bool = False


@dataclass(frozen=True, slots=True)
class UntriedOrder:
    """A held order that was not tried yet with what there is now: `try_with`. `asked`: somebody wants it tried."""

    id: str
    tenant: str
    erased: bool
    asked: bool
    try_with: str
