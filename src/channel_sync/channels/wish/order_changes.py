"""Orders dispatched and refunded at Wish, which carries it out later (published v3 document 3.0.65, July 2026)."""

import msgspec

from channel_sync.channels.wish.caps import Word
from channel_sync.channels.wish.connection import WishConnection, segment
from channel_sync.channels.wish.order_pages import ORDERS_PATH, page_of_one
from channel_sync.channels.wish.replies import Family, not_understood, readable
from channel_sync.channels.wish.rows import rows_of
from channel_sync.domain.order_changes import Parcel
from channel_sync.domain.orders import OrderPage

_REASON = msgspec.json.Decoder(Word)


async def dispatch(connection: WishConnection, channel_order_id: str, parcel: Parcel) -> OrderPage:
    """The order as Wish answers; the same call corrects what it was told before."""
    body = {
        "shipping_provider": parcel.carrier,
        "tracking_number": parcel.tracking_number,
        "origin_country": parcel.origin_country,
    }
    return await _put(connection, channel_order_id, "tracking", body)


async def refund_reasons(connection: WishConnection, channel_order_id: str) -> tuple[str, ...]:
    """What Wish allows for the order at this moment; the list changes over the order's life."""
    reply = await connection.get(Family.ORDERS, f"{ORDERS_PATH}/{segment(channel_order_id)}/refund_reasons")
    words = [_reason(row, reply.request_id) for row in rows_of(reply.data, reply.request_id)]
    return tuple(dict.fromkeys(word for word in words if word))


async def refund(connection: WishConnection, channel_order_id: str, reason: str) -> OrderPage:
    """The order as Wish answers; the reason is one of those that it allows at that moment."""
    return await _put(connection, channel_order_id, "refund", {"refund_reason": reason})


def _reason(row: bytes, request_id: str | None) -> str:
    try:
        return readable(_REASON.decode(row))
    except ValueError:
        raise not_understood("unexpected_shape", "A reason is no word.", request_id) from None


async def _put(connection: WishConnection, channel_order_id: str, what: str, body: dict[str, str]) -> OrderPage:
    path = f"{ORDERS_PATH}/{segment(channel_order_id)}/{what}"
    return page_of_one(await connection.put(Family.ORDER_CHANGES, path, body))
