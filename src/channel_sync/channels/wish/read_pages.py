"""Pages of orders read. Nothing here may import the client: a helper process that only reads runs this."""

from collections.abc import Sequence

import msgspec

from channel_sync.channels.wish.orders import Row, read_order
from channel_sync.channels.wish.replies import read
from channel_sync.domain.orders import ChannelOrder, OrderPage, OrderQuery, UnreadableOrder, UnreadPage


def read_page(page: UnreadPage) -> OrderPage:
    """The page with its orders read."""
    texts = read(page.content, list[msgspec.Raw], page.channel_request_id)
    rows = [read_order(bytes(text), page.channel_request_id) for text in texts]
    return page_of(rows, page.next, page.full, page.in_order)


def page_of(rows: Sequence[Row], next: OrderQuery | None, is_full: bool, in_order: bool = True) -> OrderPage:
    """The page of these rows."""
    orders = tuple([row for row in rows if isinstance(row, ChannelOrder)])
    unreadable = tuple([row for row in rows if isinstance(row, UnreadableOrder)])
    return OrderPage(orders, unreadable, next, is_full, in_order)
