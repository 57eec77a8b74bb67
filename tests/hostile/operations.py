"""Every operation of Wish that the service calls, with the reply that is spoilt and what a call comes to."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.channels.factories import APP, BASE
from tests.hostile import replies
from tests.hostile.hostile_wish import API, FILE, Route, shop_of

from channel_sync.channels.wish.client import WishClient
from channel_sync.channels.wish.oauth import redeem, renew
from channel_sync.channels.wish.order_jobs import downloaded_orders
from channel_sync.channels.wish.read_pages import read_page
from channel_sync.channels.wish.shop import WishShop
from channel_sync.domain.channel import Consent, StockJob
from channel_sync.domain.listings import ListingStock, ProductStock
from channel_sync.domain.order_changes import Parcel
from channel_sync.domain.orders import OrderPage, OrderQuery, UnreadPage
from channel_sync.domain.secrets import Secret

SINCE = datetime(2026, 11, 20, 9, tzinfo=UTC)
CONSENT = Consent(Secret("code"), Secret("verifier"), f"{BASE}/callback")
STOCK = ProductStock("p1", (ListingStock("lst_1", "v1", 1, 5, (("w1", 5),)),))

PARCEL = Parcel("USPS", "AB1", "US")


async def orders(client: WishClient) -> OrderPage:
    """The page, read where it came unread: the service has a process for that, and so a loop that is free."""
    page = await shop_of(client)[1].orders(OrderQuery(SINCE))
    return await asyncio.to_thread(read_page, page) if isinstance(page, UnreadPage) else page


async def downloaded(client: WishClient) -> Sequence[object]:
    return [row async for row in downloaded_orders(shop_of(client)[0], ())]


async def stock_job(client: WishClient) -> StockJob:
    return await shop_of(client)[1].stock_job("job1")


async def catalogue(client: WishClient) -> Sequence[object]:
    return [batch async for batch in shop_of(client)[1].catalogue([BASE + FILE])]


@dataclass(frozen=True)
class Operation:
    """`route` is the reply that is spoilt, `good` its data; `call` makes the service ask for it."""

    name: str
    route: Route
    good: Any
    call: Callable[[WishClient], Awaitable[object]]

    @property
    def is_file(self) -> bool:
        """Whether the reply is a file of a job, without an envelope."""
        return self.route[1] == FILE


Call = Callable[[WishShop], Awaitable[object]]


def _of_shop(name: str, route: str, good: Any, call: Call) -> Operation:
    method, path = route.split()
    return Operation(name, (method, API + path), good, lambda client: call(shop_of(client)[1]))


OPERATIONS = (
    Operation("orders", ("GET", f"{API}/orders"), [replies.order()], orders),
    _of_shop("order", "GET /orders/o1", replies.order(), lambda shop: shop.order("o1")),
    _of_shop(
        "dispatch",
        "PUT /orders/o1/tracking",
        replies.changing("UPDATE_TRACKING"),
        lambda shop: shop.dispatch("o1", PARCEL),
    ),
    _of_shop(
        "refund reasons",
        "GET /orders/o1/refund_reasons",
        replies.REASONS,
        lambda shop: shop.refund_reasons("o1"),
    ),
    _of_shop(
        "refund",
        "PUT /orders/o1/refund",
        replies.changing("REFUND"),
        lambda shop: shop.refund("o1", "UNABLE_TO_SHIP"),
    ),
    _of_shop("carriers", "GET /orders/shipping_carriers", replies.CARRIERS, lambda shop: shop.carriers("GB")),
    Operation("order job", ("POST", f"{API}/orders/bulk_get"), replies.QUEUED, downloaded),
    Operation("order job's state", ("GET", f"{API}/orders/bulk_get/job1"), replies.JOB, downloaded),
    _of_shop("order job's count", "GET /orders/bulk_get/job1", replies.JOB, lambda shop: shop.order_job("job1")),
    Operation("order job's file", ("GET", FILE), replies.order(), downloaded),
    _of_shop("catalogue job", "POST /products/bulk_get", replies.QUEUED, lambda shop: shop.start_catalogue()),
    _of_shop(
        "catalogue job's state",
        "GET /products/bulk_get/job1",
        replies.JOB,
        lambda shop: shop.catalogue_job("job1"),
    ),
    Operation("catalogue job's file", ("GET", FILE), replies.product(), catalogue),
    _of_shop("product", "GET /products/p1", replies.product(), lambda shop: shop.product("p1")),
    _of_shop("changed products", "GET /products", [replies.CHANGED], lambda shop: shop.changed_products(SINCE)),
    _of_shop("token's merchant", "GET /oauth/test", replies.MERCHANT, lambda shop: shop.merchant_id()),
    _of_shop("account", "GET /merchant/account_details", replies.ACCOUNT, lambda shop: shop.name()),
    _of_shop("warehouses", "GET /merchant/warehouses", replies.WAREHOUSES, lambda shop: shop.warehouses()),
    _of_shop("stock of a product", "PUT /products/p1", replies.product(), lambda shop: shop.set_stock(STOCK)),
    _of_shop(
        "stock job", "POST /products/bulk_update", replies.QUEUED, lambda shop: shop.start_stock_job([STOCK])
    ),
    _of_shop(
        "stock job's state", "GET /products/bulk_update/job1", replies.JOB, lambda shop: shop.stock_job("job1")
    ),
    Operation("stock job's file", ("GET", FILE), replies.RESULT, stock_job),
    Operation(
        "code for tokens",
        ("POST", f"{API}/oauth/access_token"),
        replies.TOKENS,
        lambda client: redeem(client, APP, CONSENT),
    ),
    Operation(
        "renewal of tokens",
        ("GET", f"{API}/oauth/refresh_token"),
        replies.TOKENS,
        lambda client: renew(client, APP, Secret("refresh")),
    ),
)
