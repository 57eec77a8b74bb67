"""Orders as we keep them, and the rules that need no database."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from channel_sync.domain.clock_skew import is_ahead
from channel_sync.domain.events import EventType
from channel_sync.domain.fast_dataclass import fast_dataclass
from channel_sync.domain.money import Money
from channel_sync.domain.order_progress import OrderProgress


class OrderState(StrEnum):
    """Where an order stands. Neither shipped nor refunded is final: an order can be released again."""

    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SHIPPED = "shipped"
    REFUNDED = "refunded"
    DECLINED = "declined"
    UNKNOWN = "unknown"


class Flaw(StrEnum):
    """What is wrong with a member of a marketplace's order, whether the order is kept all the same or held."""

    MISSING_MEMBER = "missing_member"
    WRONG_TYPE = "wrong_type"
    NOT_JSON = "not_json"
    BAD_ID = "bad_id"
    BAD_QUANTITY = "bad_quantity"
    BAD_TIME = "bad_time"
    BAD_AMOUNT = "bad_amount"
    BAD_CURRENCY = "bad_currency"
    CURRENCY_MISSING = "currency_missing"
    OUT_OF_RANGE = "out_of_range"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    UPDATED_IN_FUTURE = "updated_in_future"
    NOT_STORABLE = "not_storable"
    UNREADABLE = "unreadable"


class Note(Struct, frozen=True, gc=False):
    """A member that was left out, cut or mended. `pointer` says where in the marketplace's order, never what."""

    code: Flaw
    pointer: str


_DATED_AHEAD = Note(Flaw.UPDATED_IN_FUTURE, "/updated_at")
# The personal parts as they were stored cannot be decrypted, and are not shown.
UNREADABLE = Note(Flaw.UNREADABLE, "")


class OrderLine(Struct, frozen=True, gc=False):
    """What was bought. Prices are per unit, in the order's currency."""

    sku: str | None
    channel_listing_id: str | None
    product_id: str | None
    title: str | None
    options: dict[str, str]
    quantity: int
    unit_price: Money | None
    shipping_price: Money | None


class Tracking(Struct, frozen=True, gc=False):
    """One parcel's tracking as the marketplace has it."""

    carrier: str | None
    tracking_number: str | None
    origin_country: str | None


class Refund(Struct, frozen=True, gc=False):
    """One refund; the reason is the marketplace's own free text."""

    refunded_at: datetime | None
    source: str | None
    reason: str | None
    amount: Money | None


class Address(Struct, frozen=True, gc=False):
    """Where the parcel goes. Personal data: encrypted at rest, shown only with `pii:read`."""

    name: str | None = None
    street_1: str | None = None
    street_2: str | None = None
    street_3: str | None = None
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country_code: str | None = None
    phone: str | None = None


class OrderContent(Struct, frozen=True, gc=False):
    """The part of an order that is neither personal nor searched.

    `confirms_delivery`: only carriers are taken that confirm it in the country it goes to.
    """

    lines: tuple[OrderLine, ...]
    customer_paid: Money | None
    fulfilled_by: str
    tracking: tuple[Tracking, ...]
    refunds: tuple[Refund, ...]
    notes: tuple[Note, ...] = ()
    confirms_delivery: bool = False


class ChannelOrder(Struct, frozen=True, gc=False):
    """An order as the marketplace gives it. `tax` is personal too; `raw` is the reply, byte for byte."""

    channel_order_id: str
    transaction_id: str | None
    state: OrderState
    state_raw: str
    updated_at: datetime
    released_at: datetime | None
    ship_by: datetime | None
    currency: str | None
    merchant_revenue: Money | None
    content: OrderContent
    address: Address | None
    tax: bytes | None
    raw: bytes
    sanitised: bool = False
    progress: OrderProgress | None = None


class UnreadableOrder(Struct, frozen=True, gc=False):
    """An order that cannot be used, with the reason. `pointer` says where in the order, never what."""

    channel_order_id: str | None
    reason: str
    pointer: str
    updated_at: datetime | None
    channel_request_id: str | None
    raw: bytes


class OrderWindow(StrEnum):
    """Which of an order's times a query runs along."""

    UPDATED = "updated"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Orders from `since` (inclusive) to `until` (inclusive, or open), oldest first.

    `page` is the marketplace's own word for where to go on, where time alone does not say it; the channel alone
    reads it, and `since` says up to where all was seen.
    """

    since: datetime
    until: datetime | None = None
    window: OrderWindow = OrderWindow.UPDATED
    only_open: bool = False
    page: str | None = None


@dataclass(frozen=True, slots=True)
class OrderEstimate:
    """How many orders a walk along a query would look at, and about how many calls it would take."""

    orders: int
    calls: int


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Some orders and where to go on.

    `full`: there may be more at once. `in_order` is false when the marketplace did not sort as asked: such a
    page is stored, but the cursor must not pass it.
    """

    orders: tuple[ChannelOrder, ...]
    unreadable: tuple[UnreadableOrder, ...]
    next: OrderQuery | None
    full: bool
    in_order: bool = True

    def __len__(self) -> int:
        return len(self.orders) + len(self.unreadable)


@dataclass(frozen=True, slots=True)
class UnreadPage:
    """A page as it came, whose orders are still to be read; the rest means what it does in `OrderPage`."""

    content: bytes | bytearray | memoryview = field(repr=False)
    channel_request_id: str | None
    next: OrderQuery | None
    full: bool
    in_order: bool = True


class Change(StrEnum):
    """What a fresh order means for the stored one."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"


class StoredVersion(Struct, frozen=True, gc=False):
    """As much of a stored order as it takes to tell whether a fresh one is news."""

    id: str
    version: int
    state: OrderState
    updated_at: datetime
    digest: bytes
    stored_at: datetime


def change_of(stored: StoredVersion, updated_at: datetime, digest: bytes) -> Change:
    """Newer wins, older is ignored; at the same instant the content decides, for a marketplace may keep only ms.

    What was dated ahead when it was stored is older than whatever comes after it.
    """
    if updated_at < stored.updated_at and not is_ahead(stored.updated_at, stored.stored_at):
        return Change.IGNORED
    if updated_at == stored.updated_at and digest == stored.digest:
        return Change.UNCHANGED
    return Change.UPDATED


_TURNING_POINTS: dict[OrderState, tuple[EventType, ...]] = {
    OrderState.APPROVED: ("order.released",),
    OrderState.REFUNDED: ("order.refunded",),
}


def update_event_types(before: OrderState, now: OrderState) -> tuple[EventType, ...]:
    """The events that an update is worth. A new order is told once, with its state in the event."""
    return ("order.updated", *(() if before is now else _TURNING_POINTS.get(now, ())))


@fast_dataclass
class Order:
    """A stored order. `position` is its place in the feed and grows with every stored version.

    `mapped_skus` are the SKUs that people had mapped its listings to when it came in, or first did while it was
    open, by `channel_listing_id`.

    Without `acknowledged_at` this version was not taken over; `acknowledged_version` is the newest that was.
    """

    id: str
    integration_id: str
    channel_order_id: str
    transaction_id: str | None
    state: OrderState
    state_raw: str
    released_at: datetime | None
    ship_by: datetime | None
    currency: str
    currency_defaulted: bool
    merchant_revenue: Money | None
    content: OrderContent
    mapped_skus: dict[str, str]
    acknowledged_at: datetime | None
    acknowledged_version: int | None
    channel_updated_at: datetime
    stored_at: datetime
    sanitised: bool
    erased: bool
    version: int
    position: int
    address: Address | None = None
    tax: bytes | None = None

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was noted when it was read; and that it was dated ahead, which does not end with that day."""
        dated_ahead = is_ahead(self.channel_updated_at, self.stored_at)
        return (*self.content.notes, _DATED_AHEAD) if dated_ahead else self.content.notes
