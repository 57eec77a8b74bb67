"""Pages of orders read. Nothing here may import the client: a helper process that only reads runs this."""

from collections.abc import Sequence

from channel_sync.channels.wish.orders import Row, read_order
from channel_sync.channels.wish.rows import rows_of
from channel_sync.domain.orders import ChannelOrder, OrderPage, OrderQuery, UnreadableOrder, UnreadPage


def read_page(page: UnreadPage) -> OrderPage:
    """The page with its orders read."""
    rows = [read_order(text, page.channel_request_id) for text in rows_of(page.content, page.channel_request_id)]
    return page_of(rows, page.next, page.full, page.in_order)


def page_of(rows: Sequence[Row], next: OrderQuery | None, is_full: bool, in_order: bool = True) -> OrderPage:
    """The page of these rows."""
    orders = tuple([row for row in rows if isinstance(row, ChannelOrder)])
    unreadable = tuple([row for row in rows if isinstance(row, UnreadableOrder)])
    return OrderPage(orders, unreadable, next, is_full, in_order)
