"""How a marketplace in memory carries out what it is asked to do with orders: a moment later, or not at all."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from channel_sync.domain.errors import ChannelRefused
from channel_sync.domain.order_changes import Parcel
from channel_sync.domain.order_progress import ChangeKind, OrderProgress, Progress
from channel_sync.domain.orders import ChannelOrder, OrderState, Tracking, UnreadableOrder

Orders = dict[str, ChannelOrder | UnreadableOrder]


@dataclass
class ChangeBook:
    """`reads` is after how many looks at an order its change is carried out, `ends` what then becomes of it.

    `parcels` and `refunds` are all that it was told, in their order.
    """

    reads: int = 1
    ends: Progress = Progress.DONE
    parcels: list[tuple[str, Parcel]] = field(default_factory=list)
    refunds: list[tuple[str, str]] = field(default_factory=list)
    _under_way: dict[str, ChannelOrder] = field(default_factory=dict)
    _reads_left: dict[str, int] = field(default_factory=dict)

    def dispatch(self, orders: Orders, order_id: str, parcel: Parcel) -> None:
        """Take a parcel, to be shown as the newest."""
        self.parcels.append((order_id, parcel))
        order = self._changeable(orders, order_id)
        newest = Tracking(parcel.carrier, parcel.tracking_number, parcel.origin_country)
        content = replace(order.content, tracking=(newest, *order.content.tracking)[:2])
        after = replace(order, state=OrderState.SHIPPED, state_raw="SHIPPED", content=content)
        self._begin(orders, order, ChangeKind.DISPATCH, after)

    def refund(self, orders: Orders, order_id: str, reason: str) -> None:
        """Take a refund."""
        self.refunds.append((order_id, reason))
        order = self._changeable(orders, order_id)
        after = replace(order, state=OrderState.REFUNDED, state_raw="REFUNDED")
        self._begin(orders, order, ChangeKind.REFUND, after)

    def read(self, orders: Orders, order_id: str) -> None:
        """Somebody looks at an order: its change comes to its end when it was looked at often enough."""
        if order_id not in self._under_way:
            return
        self._reads_left[order_id] -= 1
        if self._reads_left[order_id] > 0:
            return
        after, before = self._under_way.pop(order_id), orders[order_id]
        assert isinstance(before, ChannelOrder)
        assert before.progress is not None
        ended = after if self.ends is Progress.DONE else before
        progress = OrderProgress(before.progress.kind, self.ends)
        orders[order_id] = replace(ended, progress=progress, updated_at=datetime.now(UTC))

    def _begin(self, orders: Orders, order: ChannelOrder, kind: ChangeKind, after: ChannelOrder) -> None:
        self._under_way[order.channel_order_id] = after
        self._reads_left[order.channel_order_id] = self.reads
        progress = OrderProgress(kind, Progress.RUNNING)
        orders[order.channel_order_id] = replace(order, progress=progress, updated_at=datetime.now(UTC))

    def _changeable(self, orders: Orders, order_id: str) -> ChannelOrder:
        order = orders.get(order_id)
        if not isinstance(order, ChannelOrder) or order.state not in (OrderState.APPROVED, OrderState.SHIPPED):
            raise ChannelRefused("90001", "The order cannot be shipped.")
        if order_id in self._under_way:
            raise ChannelRefused("90001", "Another change of this order is in progress.")
        return order
