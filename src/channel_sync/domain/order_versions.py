"""What an order was, version by version."""

from dataclasses import dataclass
from datetime import datetime

from channel_sync.domain.orders import OrderState


@dataclass(frozen=True, slots=True)
class OrderVersion:
    """An order as it stood from `stored_at` on; `acknowledged_by` is the id of the key that took it over."""

    version: int
    state: OrderState
    state_raw: str
    channel_updated_at: datetime
    stored_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None


# What became of an order that is not to be shipped any more.
GIVEN_UP = (OrderState.REFUNDED, OrderState.DECLINED)


@dataclass(frozen=True, slots=True)
class OrderTimeline:
    """Some versions of an order, the oldest first; `next` is the last of them where there are more."""

    versions: list[OrderVersion]
    next: int | None
    erased_at: datetime | None
