"""Which orders a request wants: what it says, or else what its key was made to see."""

from dataclasses import asdict
from typing import Annotated

from pydantic import BaseModel, Field

from channel_sync.api.http.fields import DESCRIBED, Moment
from channel_sync.api.http.paging import PageQuery
from channel_sync.domain.keys import Caller
from channel_sync.domain.order_filters import Fulfilment, OrderFilter
from channel_sync.domain.orders import OrderState
from channel_sync.persistence.orders import OrderFeedQuery

Reference = Annotated[str | None, Field(max_length=200)]


class OrderNarrowing(BaseModel):
    """Which orders."""

    model_config = DESCRIBED

    integration_id: Reference = None
    """Only of this integration."""
    state: OrderState | None = None
    """Only of this state."""
    fulfilment: Fulfilment | None = None
    """Only those that the merchant ships, or somebody else; goes with `state` approved or in_review."""
    updated_after: Moment | None = None
    """Only those that changed after this, by the marketplace's own time."""
    ship_by_before: Moment | None = None
    """Only those that are approved and have to be shipped by then."""
    acknowledged: bool | None = None
    """Whether the version that stands there now was acknowledged; a changed order is not."""
    channel_order_id: Reference = None
    """Only the marketplace's order of this id."""
    transaction_id: Reference = None
    """Only the orders of this purchase."""
    saved_filter: bool = True
    """False leaves the `order_filter` of the API key aside; so does a `state` or `fulfilment` given here."""

    def query(self, caller: Caller) -> OrderFeedQuery:
        """What to ask the store for."""
        wanted = OrderFilter(self.state, self.fulfilment)
        if wanted == OrderFilter() and self.saved_filter and caller.order_filter is not None:
            wanted = caller.order_filter
        wanted.check(parameter="fulfilment")
        return OrderFeedQuery(
            integration_id=self.integration_id,
            state=wanted.state,
            updated_after=self.updated_after,
            ship_by_before=self.ship_by_before,
            acknowledged=self.acknowledged,
            fulfilment=wanted.fulfilment,
            channel_order_id=self.channel_order_id,
            transaction_id=self.transaction_id,
        )


class OrderFilters(OrderNarrowing, PageQuery):
    """Which orders of the feed."""


def cursor_filters(query: OrderFeedQuery) -> dict[str, object]:
    """What a cursor of the feed belongs to. Cursors are kept: a newer filter counts only where it is set."""
    wanted = asdict(query)
    newer = {name: wanted.pop(name) for name in ("fulfilment", "ship_by_before")}
    return wanted | {name: value for name, value in newer.items() if value is not None}
