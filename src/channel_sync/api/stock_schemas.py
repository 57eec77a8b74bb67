"""What goes in and out of the operations on stock."""

from typing import Annotated, NotRequired

from fastapi import Query
from pydantic import Field, StrictInt
from typing_extensions import TypedDict

from channel_sync.api.http.fields import MAX_INTEGER, Input, Sku, Timestamp, one_of
from channel_sync.api.http.long_lists import STOPS_EARLY
from channel_sync.api.http.paging import PageQuery
from channel_sync.domain.codes import STOCK_CODES
from channel_sync.domain.listings import PushState
from channel_sync.domain.stock import CountedOrders, PushResult, StockResult

BoundInteger = Annotated[StrictInt, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
OurWarehouse = Annotated[str, Field(min_length=1, max_length=100)]
OurCode = Annotated[str, one_of(STOCK_CODES)]


class StockItem(Input):
    """An absolute level. Out of range, a blank or a repeated SKU: this item is `invalid`, the others count."""

    sku: Annotated[str, Field(max_length=255)]
    """Yours, as the listings carry it or are mapped to it."""
    available: StrictInt
    """Units for sale, 0 to 500000: what they are, not by how many they change."""
    revision: BoundInteger | None = None
    """A number of yours that grows; an older one never overwrites a newer."""
    warehouse: OurWarehouse | None = None
    """Yours, where the units lie, see `settings.stock.warehouses`; without it they are all that there are."""


class StockInput(Input):
    """Levels to set."""

    items: Annotated[list[StockItem], STOPS_EARLY, Field(min_length=1, max_length=5000)]
    """The levels; others stay as they are."""
    counted_orders: CountedOrders = CountedOrders.ALL
    """Which orders they count: all that are stored, or only those that you have acknowledged. Units of the rest
    stay held back."""


class PushInput(Input):
    """SKUs whose levels are to be sent once more."""

    skus: Annotated[list[Sku], STOPS_EARLY, Field(min_length=1, max_length=500)]
    """Yours; the answer says which of them are not known or feed no listing."""


class StockAnswerView(TypedDict):
    """What became of one item; `code` says why it is `invalid`."""

    sku: str
    result: StockResult
    version: int | None
    code: NotRequired[str]


class StockAnswers(TypedDict):
    """One answer per item, in the same order."""

    items: list[StockAnswerView]


class PushAnswerView(TypedDict):
    """What became of one SKU: `listings` are sent its level, none where it feeds none or is not known."""

    sku: str
    result: PushResult
    listings: int


class PushAnswers(TypedDict):
    """One answer per SKU, in the same order."""

    items: list[PushAnswerView]


class UnitRulesView(TypedDict):
    """What a SKU, or a listing, has of the stock settings for itself; null is as its integration has it."""

    buffer: int | None
    percent: int | None
    end_when: int | None
    maximum: int | None


class ReckoningView(TypedDict):
    """How the level becomes the units of the listing, by its rules, its SKU's and its integration's settings."""

    available: int
    reserved: int
    buffer: int
    percent: int
    end_when: int
    maximum: int | None
    quantity: int
    text: str


class AtChannelView(TypedDict):
    """What the marketplace was last seen to show in the warehouses that were told last."""

    quantity: int
    seen_at: Timestamp


class ListingStockView(TypedDict):
    """Where the newest level is on its way to one listing. `quantity` is what was sent last, to `warehouse_id`.

    Of several warehouses that is the first, and `quantity` is what was sent to all of them.
    `code` and `reason` say why it is where it is; where it is rejected they are the marketplace's own. They are
    null where it is confirmed and there is no more to say, and `reckoning` where nothing is sent.
    """

    listing_id: str
    integration_id: str
    state: PushState
    code: OurCode | str | None
    reason: str | None
    quantity: int | None
    warehouse_id: str | None
    sent_at: Timestamp | None
    settled_at: Timestamp | None
    at_channel: AtChannelView | None
    reckoning: ReckoningView | None


class WarehouseLevelView(TypedDict):
    """Units of a SKU in one of your warehouses."""

    warehouse: str
    available: int
    revision: int | None


class StockLevelView(TypedDict):
    """One SKU: the level that is wanted, and every listing that it feeds.

    `warehouses` are those that it is given by, if any, and `available` is their sum then. Of these `reserved` are
    in orders that it does not count yet. `code` and `reason` are there where it feeds none; `rules` are its own,
    see `PUT /stock-rules`.
    """

    sku: str
    available: int
    reserved: int
    version: int
    revision: int | None
    updated_at: Timestamp
    warehouses: list[WarehouseLevelView]
    rules: UnitRulesView
    code: OurCode | None
    reason: str | None
    listings: list[ListingStockView]


class StockPage(TypedDict):
    """Some levels, and the cursor that goes on."""

    items: list[StockLevelView]
    next_cursor: str | None


class StockFilters(PageQuery):
    """Which levels."""

    sku: Annotated[str, Field(max_length=255)] | None = None
    """Only this one."""
    state: PushState | None = None
    """Only those with a listing in this state. A page may have fewer items than asked for, or none."""


Filters = Annotated[StockFilters, Query()]
