"""A page of orders made ready to be stored: all that takes time and needs no database.

Nothing here may import the store: a helper process that only reads orders runs this, and stays small.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from channel_sync.domain.events import EventType, Members
from channel_sync.domain.ids import derived_id
from channel_sync.domain.order_versions import GIVEN_UP
from channel_sync.domain.orders import ChannelOrder, Flaw, OrderPage, OrderQuery, UnreadableOrder, UnreadPage
from channel_sync.persistence.rows.event_rows import EventRow
from channel_sync.persistence.rows.prepared_orders import OrderRow, OrderRowEncoder, PersonalParts, has_parcel

_encode = msgspec.json.Encoder().encode
# Half of a surrogate pair, a number beyond its type.
_UNWRITABLE = (UnicodeEncodeError, OverflowError)


@dataclass(frozen=True, slots=True)
class PageContext:
    """Whose page it is, and when it came."""

    channel: str
    tenant: str
    account_id: str
    integration_id: str
    default_currency: str
    now: datetime


@dataclass(frozen=True, slots=True)
class ReadyPage:
    """A page worked out. `created` has, by row id, the event of each order in case it turns out to be new."""

    rows: list[OrderRow]
    created: dict[str, EventRow]
    unreadable: tuple[UnreadableOrder, ...]
    next: OrderQuery | None
    full: bool
    in_order: bool

    def __len__(self) -> int:
        return len(self.rows) + len(self.unreadable)


class PageReader(Protocol):
    """Reads large pages where that holds up nobody."""

    async def read(self, page: UnreadPage, context: PageContext) -> ReadyPage:
        """The page made ready."""
        ...


def ready(page: OrderPage, context: PageContext, parts: PersonalParts) -> ReadyPage:
    """The page made ready, here and now."""
    whose = (context.channel, context.tenant, context.account_id)
    encoder = OrderRowEncoder(*whose, context.default_currency, context.now, parts)
    try:
        rows, refused = encoder.rows(page.orders), list[UnreadableOrder]()
    except _UNWRITABLE:
        rows, refused = _one_by_one(encoder, page.orders)
    created = {row.id: order_event(row, "order.created", context.integration_id, has_parcel(row)) for row in rows}
    return ReadyPage(rows, created, (*page.unreadable, *refused), page.next, page.full, page.in_order)


def _one_by_one(
    encoder: OrderRowEncoder, orders: Sequence[ChannelOrder]
) -> tuple[list[OrderRow], list[UnreadableOrder]]:
    """The rows of those orders that can be written down, and those that cannot."""
    rows: list[OrderRow] = []
    refused = []
    for order in orders:
        try:
            rows += encoder.rows([order])
        except _UNWRITABLE:
            refused.append(not_storable(order.channel_order_id, order.updated_at, order.raw))
    return rows, refused


def not_storable(channel_order_id: str, updated_at: datetime, raw: bytes) -> UnreadableOrder:
    """An order that could be read, but not be written down or taken by the database, as one that is held."""
    return UnreadableOrder(channel_order_id, Flaw.NOT_STORABLE.value, "", updated_at, None, raw)


def order_event(row: OrderRow, type_: EventType, integration_id: str, shipped: bool = False) -> EventRow:
    """The event of an order's version; `shipped`: before it. A version has one id, however often it is stored."""
    milliseconds = row.channel_updated_at // 1000
    members: Members = {
        "order_id": row.id,
        "channel_order_id": row.channel_order_id,
        "state": row.state,
        "version": row.version,
    }
    if row.state in GIVEN_UP:
        members["shipped_before"] = shipped
    version = (row.account_id, row.channel_order_id, str(row.version))
    event_id = derived_id("evt", milliseconds, *version, type_)
    return EventRow(event_id, type_, integration_id, row.stored_at, _encode(members).decode())
