"""Which orders a consumer wants to see."""

from dataclasses import dataclass
from enum import StrEnum

from channel_sync.domain.errors import Invalid
from channel_sync.domain.orders import OrderState


class Fulfilment(StrEnum):
    """Who ships: the merchant, or somebody else for the merchant."""

    MERCHANT = "merchant"
    OTHER = "other"


# Of orders that are over nobody asks who was to ship them, and there are too many to look into each.
_OPEN = (OrderState.IN_REVIEW, OrderState.APPROVED)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Orders of a state, and by whom they are shipped; None is whatever it is."""

    state: OrderState | None = None
    fulfilment: Fulfilment | None = None

    def check(self, **where: str) -> None:
        """`Invalid`, at this `pointer` or `parameter`, where who ships is asked of more than open orders."""
        if self.fulfilment is not None and self.state not in _OPEN:
            message = "Who ships can be asked of orders with `state` approved or in_review only."
            raise Invalid("needs_open_state", message, **where)
