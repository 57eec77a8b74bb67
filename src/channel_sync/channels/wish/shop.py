"""One merchant's shop at Wish."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from msgspec import Struct

from channel_sync.channels.http.off_loop import off_loop
from channel_sync.channels.wish import listings, order_changes, order_jobs, order_pages, stock
from channel_sync.channels.wish.caps import Id, Word, Words
from channel_sync.channels.wish.connection import WishConnection
from channel_sync.channels.wish.replies import Family, readable
from channel_sync.domain.channel import CatalogueBatch, CatalogueJob, ChangedProducts, StockJob, Warehouse
from channel_sync.domain.listings import ProductStock, StockOutcome
from channel_sync.domain.order_changes import Parcel
from channel_sync.domain.order_files import OrderFilePart, OrderJob
from channel_sync.domain.orders import OrderPage, OrderQuery, UnreadPage


class _Token(Struct):
    merchant_id: Id


class _Account(Struct):
    display_name: Words | None = None


class _Warehouse(Struct):
    id: Id
    name: Words | None = None
    shipping_type: Word | None = None


class _Carrier(Struct):
    name: Word | None = None


_EVERY_CARRIER = (("order_type", "GENERAL"),)
_CONFIRMING_CARRIERS = (("order_type", "CONFIRMED_DELIVERY"),)


class WishShop:
    """The shop behind one access token."""

    def __init__(self, connection: WishConnection) -> None:
        self._connection = connection

    async def merchant_id(self) -> str:
        """The merchant the token belongs to; needs no scope."""
        reply = await self._connection.get(Family.OAUTH, "/api/v3/oauth/test")
        return str(reply.read(_Token).merchant_id)

    async def name(self) -> str | None:
        """What the shop is called, where Wish tells it."""
        reply = await self._connection.get(Family.MERCHANT, "/api/v3/merchant/account_details")
        return _words(reply.read(_Account).display_name)

    async def orders(self, query: OrderQuery) -> OrderPage | UnreadPage:
        """One page of orders, oldest first."""
        return await order_pages.order_page(self._connection, query)

    async def start_order_job(self, query: OrderQuery) -> str:
        """The id of a newly queued download of a query's orders."""
        return await order_jobs.start_order_job(self._connection, order_pages.window(query))

    async def order_job(self, job_id: str) -> OrderJob:
        """How far the download is."""
        return await order_jobs.order_job(self._connection, job_id)

    def order_file(self, job: OrderJob, number: int, passed: int) -> AsyncIterator[OrderFilePart]:
        """The orders of a finished download's file behind those `passed`, some hundred at a time."""
        return order_jobs.order_file(self._connection, job, number, passed)

    async def order(self, channel_order_id: str) -> OrderPage:
        """One order read anew."""
        return await order_pages.single_order(self._connection, channel_order_id)

    async def carriers(self, country: str | None) -> tuple[str, ...]:
        """Names that Wish takes for carriers; into a country those that confirm delivery there."""
        of_country = (*_CONFIRMING_CARRIERS, ("dest_country_code", country or ""))
        query = _EVERY_CARRIER if country is None else of_country
        reply = await self._connection.get(Family.ORDERS, f"{order_pages.ORDERS_PATH}/shipping_carriers", query)
        rows = await off_loop(len(bytes(reply.data)), lambda: reply.read_rows(_Carrier))
        return tuple(dict.fromkeys(name for row in rows if (name := _words(row.name)) is not None))

    async def dispatch(self, channel_order_id: str, parcel: Parcel) -> OrderPage:
        """Tell with which parcel an order is on its way."""
        return await order_changes.dispatch(self._connection, channel_order_id, parcel)

    async def refund_reasons(self, channel_order_id: str) -> tuple[str, ...]:
        """The reasons that Wish allows for the order now."""
        return await order_changes.refund_reasons(self._connection, channel_order_id)

    async def refund(self, channel_order_id: str, reason: str) -> OrderPage:
        """Cancel an order, or pay it back, for one of Wish's reasons."""
        return await order_changes.refund(self._connection, channel_order_id, reason)

    async def start_catalogue(self) -> str:
        """The id of a newly queued download of the whole catalogue."""
        return await listings.start_catalogue(self._connection)

    async def catalogue_job(self, job_id: str) -> CatalogueJob:
        """How far the download is."""
        return await listings.catalogue_job(self._connection, job_id)

    def catalogue(self, file_urls: Sequence[str]) -> AsyncIterator[CatalogueBatch]:
        """The listings of a finished download, a few hundred at a time."""
        return listings.catalogue(self._connection, file_urls)

    async def changed_products(self, since: datetime) -> ChangedProducts:
        """Products changed at or after `since`."""
        return await listings.changed_products(self._connection, since)

    async def product(self, product_id: str) -> CatalogueBatch:
        """The listings of one product as they are now."""
        return await listings.product_listings(self._connection, product_id)

    async def warehouses(self) -> tuple[Warehouse, ...]:
        """The merchant's warehouses, as Wish orders them."""
        reply = await self._connection.get(Family.MERCHANT, "/api/v3/merchant/warehouses")
        return tuple(
            Warehouse(str(one.id), _words(one.name), (_words(one.shipping_type) or "").lower() or None)
            for one in await off_loop(len(bytes(reply.data)), lambda: reply.read_rows(_Warehouse))
        )

    async def set_stock(self, product: ProductStock) -> tuple[StockOutcome, ...]:
        """Set absolute stock of one product's listings; an outcome for each of them."""
        return await stock.set_stock(self._connection, product)

    async def start_stock_job(self, products: Sequence[ProductStock]) -> str:
        """The id of a newly queued update of many products."""
        return await stock.start_stock_job(self._connection, products)

    async def stock_job(self, job_id: str) -> StockJob:
        """How far the update is, and what it refused."""
        return await stock.stock_job(self._connection, job_id)


def _words(told: str | None) -> str | None:
    return None if told is None else readable(told) or None
