"""What is kept of buyers, for those of them who ask."""

from dataclasses import dataclass

from channel_sync.domain.held_orders import HeldOrder
from channel_sync.domain.orders import Order


@dataclass(frozen=True, slots=True)
class DisclosedOrder:
    """An order with its buyer, and the marketplace's reply that it was made of, where that is kept."""

    order: Order
    reply: bytes | None


@dataclass(frozen=True, slots=True)
class DisclosedReply:
    """A reply that could not be used, and what it says, unless it was erased."""

    held: HeldOrder
    reply: bytes | None
