"""The shop of one merchant in memory: orders, products and stock that a test fills and looks at."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tests.fake_changes import ChangeBook
from tests.fake_jobs import poll, start_job

from channel_sync.domain.calls import Call, CallContext
from channel_sync.domain.channel import CatalogueBatch, CatalogueJob, ChangedProducts, StockJob, Warehouse
from channel_sync.domain.errors import NotAtChannel
from channel_sync.domain.job_state import JobState
from channel_sync.domain.listings import ChannelListing, ListingStock, Omitted, ProductStock, StockOutcome
from channel_sync.domain.order_changes import Parcel
from channel_sync.domain.order_files import OrderFilePart, OrderJob
from channel_sync.domain.orders import (
    ChannelOrder,
    OrderPage,
    OrderQuery,
    OrderState,
    OrderWindow,
    UnreadableOrder,
)
from channel_sync.domain.secrets import Secret

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
CATALOGUE_PAGE = 200


@dataclass
class FakeMerchant:
    """One merchant.

    `unreadable` are the ids of variations that are left out, `bare` those of products that come without any.
    `refusals` maps a variation id to (code, reason); `stock_writes` keeps what arrived; `readable` is what a kept
    reply reads as once the reader was corrected; `listed` is what lists show of orders in place of what they are.
    `confirming` are the carriers that confirm delivery, by country. What is written to variations of `reviewing`
    is taken and does not show.
    """

    merchant_id: str
    shop_name: str | None = "Shop"
    refresh_token: str = ""
    disabled: bool = False
    orders: dict[str, ChannelOrder | UnreadableOrder] = field(default_factory=dict)
    readable: dict[bytes, ChannelOrder] = field(default_factory=dict)
    listed: dict[str, ChannelOrder] = field(default_factory=dict)
    page_size: int = 500
    sorted_pages: bool = True
    listings: dict[str, ChannelListing] = field(default_factory=dict)
    changed_at: dict[str, datetime] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    deleted: int = 0
    warehouses: tuple[Warehouse, ...] = (
        Warehouse("wh1", "First", "standard"),
        Warehouse("wh2", "Second", "standard"),
    )
    omitted: Omitted = Omitted.KEPT
    refusals: dict[str, tuple[str, str]] = field(default_factory=dict)
    reviewing: set[str] = field(default_factory=set)
    stock_writes: list[tuple[str, int]] = field(default_factory=list)
    stock_jobs: dict[str, tuple[ProductStock, ...]] = field(default_factory=dict)
    sent_in_jobs: list[tuple[ProductStock, ...]] = field(default_factory=list)
    polls_until_ready: int = 1
    job_polls: dict[str, int] = field(default_factory=dict)
    failing_jobs: set[str] = field(default_factory=set)
    order_files: dict[str, list[ChannelOrder | UnreadableOrder]] = field(default_factory=dict)
    carriers: tuple[str, ...] = ("DHL Express", "Royal Mail", "UPS", "USPS")
    confirming: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reasons: tuple[str, ...] = ("UNABLE_TO_SHIP", "MERCHANT_OUT_OF_STOCK")
    book: ChangeBook = field(default_factory=ChangeBook)

    def place(self, *orders: ChannelOrder | UnreadableOrder) -> None:
        """Put orders into the shop, or newer versions of them."""
        for order in orders:
            self.orders[order.channel_order_id or f"nameless-{len(self.orders)}"] = order

    def put_up(self, *listings: ChannelListing, changed_at: datetime | None = None) -> None:
        """Offer listings, or change them."""
        for listing in listings:
            self.listings[listing.variation_id] = listing
            self.changed_at[listing.product_id] = changed_at or datetime.now(UTC)

    def take_down(self, variation_id: str) -> None:
        """Remove a listing from the shop; its product is deleted with the last one."""
        self.changed_at[self.listings.pop(variation_id).product_id] = datetime.now(UTC)

    def units(self, variation_id: str) -> dict[str, int]:
        """Stock of a listing by warehouse."""
        return dict(self.listings[variation_id].quantities)

    def write(self, stock: ListingStock) -> tuple[str, str] | None:
        """Set the stock of one listing, or say why not."""
        if stock.variation_id not in self.listings:
            return ("1004", "No such variation.")
        if stock.variation_id in self.refusals:
            return self.refusals[stock.variation_id]
        if stock.variation_id in self.reviewing:
            return None
        listing = self.listings[stock.variation_id]
        before = dict(listing.quantities)
        if self.omitted is Omitted.RESET:
            before = dict.fromkeys(before, 0)
        amounts = before | dict(stock.quantities)
        self.listings[stock.variation_id] = replace(listing, quantities=tuple(amounts.items()))
        self.changed_at[listing.product_id] = datetime.now(UTC)
        self.stock_writes.append((stock.variation_id, stock.quantity))
        return None


class Marketplace(Protocol):
    """What the shop needs of the channel it stands in."""

    def take(self, operation: str, token: Secret | None = None) -> AbstractAsyncContextManager[None]: ...

    def owner_of(self, token: Secret) -> FakeMerchant: ...


@dataclass
class FakeShop:
    """Implements `domain.channel.Shop`. Each method is one call, named after it in `FakeChannel.calls`."""

    channel: Marketplace
    token: Secret
    context: CallContext

    @asynccontextmanager
    async def _call(self, operation: str) -> AsyncIterator[FakeMerchant]:
        self.context.raise_if_cancelled()
        self.context.calls.append(Call(datetime.now(UTC), "GET", f"/{operation}", 200, 0, 1, "req-1"))
        async with self.channel.take(operation, self.token):
            yield self.channel.owner_of(self.token)

    async def _open(self, operation: str) -> FakeMerchant:
        async with self._call(operation) as owner:
            return owner

    async def merchant_id(self) -> str:
        return (await self._open("merchant_id")).merchant_id

    async def name(self) -> str | None:
        return (await self._open("name")).shop_name

    async def orders(self, query: OrderQuery) -> OrderPage:
        owner = await self._open("orders")
        asked = [order for order in owner.orders.values() if within(order, query)]
        asked = [owner.listed.get(order.channel_order_id or "", order) for order in asked]
        asked.sort(key=lambda order: time_of(order, query), reverse=not owner.sorted_pages)
        page = asked[: owner.page_size]
        if not page:
            return page_of(page, None, owner.sorted_pages)
        last = time_of(page[-1], query)
        if len(page) < owner.page_size:
            return page_of(page, replace(query, since=max(last, query.since)), owner.sorted_pages, full=False)
        if last > query.since or not owner.sorted_pages:
            return page_of(page, replace(query, since=last), owner.sorted_pages)
        # One instant fills the page: it is read whole, and only then passed, as the protocol promises.
        instant = [order for order in asked if time_of(order, query) == last]
        return page_of(instant, replace(query, since=last + timedelta(milliseconds=1)), True)

    async def start_order_job(self, query: OrderQuery) -> str:
        async with self._call("start_order_job") as owner:
            job_id = start_job(owner, "orders")
            owner.order_files[job_id] = [order for order in owner.orders.values() if within(order, query)]
        return job_id

    async def order_job(self, job_id: str) -> OrderJob:
        owner = await self._open("order_job")
        return OrderJob(poll(owner, job_id), len(owner.order_files[job_id]), (job_id,))

    async def order_file(self, job: OrderJob, number: int, passed: int) -> AsyncIterator[OrderFilePart]:
        owner = await self._open("order_file")
        orders = owner.order_files[job.file_urls[number]]
        for start in range(passed, len(orders), owner.page_size):
            part = orders[start : start + owner.page_size]
            yield OrderFilePart(page_of(part, None, True, full=True), len(part))

    async def order(self, channel_order_id: str) -> OrderPage:
        owner = await self._open("order")
        if channel_order_id not in owner.orders:
            raise NotAtChannel("1004", "No such order.")
        owner.book.read(owner.orders, channel_order_id)
        return page_of([owner.orders[channel_order_id]], None, True)

    async def carriers(self, country: str | None) -> tuple[str, ...]:
        owner = await self._open("carriers")
        return owner.carriers if country is None else owner.confirming.get(country, ())

    async def dispatch(self, channel_order_id: str, parcel: Parcel) -> OrderPage:
        async with self._call("dispatch") as owner:
            owner.book.dispatch(owner.orders, channel_order_id, parcel)
            return page_of([owner.orders[channel_order_id]], None, True)

    async def refund_reasons(self, channel_order_id: str) -> tuple[str, ...]:
        return (await self._open("refund_reasons")).reasons

    async def refund(self, channel_order_id: str, reason: str) -> OrderPage:
        async with self._call("refund") as owner:
            owner.book.refund(owner.orders, channel_order_id, reason)
            return page_of([owner.orders[channel_order_id]], None, True)

    async def start_catalogue(self) -> str:
        async with self._call("start_catalogue") as owner:
            return start_job(owner, "catalogue")

    async def catalogue_job(self, job_id: str) -> CatalogueJob:
        state = poll(await self._open("catalogue_job"), job_id)
        return CatalogueJob(state, (f"file:{job_id}",) if state is JobState.READY else ())

    async def catalogue(self, file_urls: Sequence[str]) -> AsyncIterator[CatalogueBatch]:
        owner = await self._open("catalogue")
        listings = tuple(owner.listings.values())
        if owner.deleted:
            yield CatalogueBatch((), deleted=owner.deleted)
        for start in range(0, len(listings), CATALOGUE_PAGE):
            part = listings[start : start + CATALOGUE_PAGE]
            readable = tuple(one for one in part if one.variation_id not in owner.unreadable)
            yield CatalogueBatch(readable, left_out=len(part) - len(readable))

    async def changed_products(self, since: datetime) -> ChangedProducts:
        owner = await self._open("changed_products")
        changed = sorted((at, product) for product, at in owner.changed_at.items() if at >= since)
        return ChangedProducts(tuple(product for _, product in changed), changed[-1][0] if changed else None, True)

    async def product(self, product_id: str) -> CatalogueBatch:
        owner = await self._open("product")
        there = [listing for listing in owner.listings.values() if listing.product_id == product_id]
        if not there:
            raise NotAtChannel("90001", "No such product.")
        readable = tuple(listing for listing in there if listing.variation_id not in owner.unreadable)
        return CatalogueBatch(() if product_id in owner.bare else readable, len(there) - len(readable))

    async def warehouses(self) -> tuple[Warehouse, ...]:
        return (await self._open("warehouses")).warehouses

    async def set_stock(self, product: ProductStock) -> tuple[StockOutcome, ...]:
        async with self._call("set_stock") as owner:
            answers = [(stock, owner.write(stock)) for stock in product.listings]
            return tuple(_outcome(stock, refusal, owner) for stock, refusal in answers)

    async def start_stock_job(self, products: Sequence[ProductStock]) -> str:
        async with self._call("start_stock_job") as owner:
            job_id = start_job(owner, "stock")
            owner.stock_jobs[job_id] = tuple(products)
            owner.sent_in_jobs.append(tuple(products))
        return job_id

    async def stock_job(self, job_id: str) -> StockJob:
        owner = await self._open("stock_job")
        state = poll(owner, job_id)
        if state is not JobState.READY:
            return StockJob(state)
        answers = [(p.product_id, owner.write(s)) for p in owner.stock_jobs.pop(job_id, ()) for s in p.listings]
        return StockJob(state, {product_id: refusal for product_id, refusal in answers if refusal})


def _outcome(stock: ListingStock, refusal: tuple[str, str] | None, owner: FakeMerchant) -> StockOutcome:
    code, reason = refusal or (None, None)
    shown = owner.listings.get(stock.variation_id)
    seen = None if shown is None else shown.quantities
    if stock.variation_id in owner.reviewing:
        return StockOutcome(stock.listing_id, stock.version, True, "under_review", "Wait.", seen, shown=False)
    return StockOutcome(stock.listing_id, stock.version, refusal is None, code, reason, seen)


def time_of(order: ChannelOrder | UnreadableOrder, query: OrderQuery) -> datetime:
    """The time of an order that the query goes by."""
    if query.window is OrderWindow.RELEASED and isinstance(order, ChannelOrder):
        return order.released_at or EPOCH
    return order.updated_at or EPOCH


def within(order: ChannelOrder | UnreadableOrder, query: OrderQuery) -> bool:
    """Whether the query asks for the order."""
    if query.only_open and isinstance(order, ChannelOrder) and order.state is not OrderState.APPROVED:
        return False
    if isinstance(order, UnreadableOrder) and order.updated_at is None:
        return True
    at = time_of(order, query)
    return at >= query.since and (query.until is None or at <= query.until)


def page_of(
    orders: Sequence[ChannelOrder | UnreadableOrder],
    following: OrderQuery | None,
    in_order: bool,
    full: bool | None = None,
) -> OrderPage:
    """A page of these orders."""
    good = tuple(order for order in orders if isinstance(order, ChannelOrder))
    bad = tuple(order for order in orders if isinstance(order, UnreadableOrder))
    more = following is not None if full is None else full
    return OrderPage(good, bad, following, full=more, in_order=in_order)
