"""What a reconciliation compares: the ids that the marketplace names as open with what is known here."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from channel_sync.domain.orders import UnreadableOrder
from channel_sync.flows.orders.prepare import ReadyPage
from channel_sync.persistence.rows.prepared_orders import OrderRow
from channel_sync.persistence.rows.timestamps import micros


@dataclass(slots=True)
class Comparison:
    """One reconciliation. What changed before `looks_from` the ordinary walk will never look at again.

    What changed before `orders_from` is not wanted. `named` are the ids of the marketplace's orders so far.
    """

    orders_from: datetime
    looks_from: datetime | None
    named: set[str] = field(default_factory=set)

    def take(self, page: ReadyPage) -> ReadyPage:
        """The page without what is not wanted; all that it names is noted."""
        self.named.update(row.channel_order_id for row in page.rows)
        self.named.update(one.channel_order_id for one in page.unreadable if one.channel_order_id is not None)
        first = micros(self.orders_from)
        rows = [row for row in page.rows if row.channel_updated_at >= first]
        if len(rows) == len(page.rows):
            return page
        return replace(page, rows=rows)

    def is_missed(self, order: OrderRow | UnreadableOrder) -> bool:
        """Whether nothing but this reconciliation would have brought an order that was not known."""
        if self.looks_from is None:
            return False
        if isinstance(order, OrderRow):
            return order.channel_updated_at < micros(self.looks_from)
        return order.updated_at is not None and order.updated_at < self.looks_from
