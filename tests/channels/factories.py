"""A Wish shop behind mocked or local HTTP, and the JSON Wish sends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx

from channel_sync.channels.wish.client import ClientLimits, WishClient
from channel_sync.channels.wish.connection import WishConnection
from channel_sync.channels.wish.shop import WishShop
from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.channel import App, Environment, ShopAccess
from channel_sync.domain.secrets import Secret

BASE = "https://wish.test"
NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
TOKEN = "tok-CNRY-access-0123456789"
APP = App("client-1", Secret("CNRY-client-secret/+&="), Environment.PRODUCTION)

JsonObject = dict[str, Any]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class HastyContext(CallContext):
    """A context whose waits take no time; `naps` are their lengths."""

    naps: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.raise_if_cancelled()
        await asyncio.sleep(0)


@dataclass
class Counter:
    """A shop and what its calls go through."""

    client: WishClient
    connection: WishConnection
    shop: WishShop
    context: HastyContext

    def of(self, access: ShopAccess) -> WishShop:
        """Another shop at the same counter."""
        return WishShop(replace(self.connection, access=access))


def an_access(integration_id: str = "int_1", token: str = TOKEN) -> ShopAccess:
    return ShopAccess(integration_id, Environment.PRODUCTION, Secret(token), 1)


def a_context(priority: Priority = Priority.ORDERS) -> CallContext:
    return CallContext(priority)


def limits(**changes: Any) -> ClientLimits:
    return replace(ClientLimits(rate_per_s=1000.0, concurrency=8), **changes)


def _hardly_any(seconds: float) -> float:
    return seconds / 1000


@asynccontextmanager
async def a_client(base: str = BASE, **changes: Any) -> AsyncIterator[WishClient]:
    """A client on httpx's own transport, which respx can see; waits between tries have no length."""
    shared = changes.pop("shared", None)
    async with changes.pop("transport", None) or httpx.AsyncHTTPTransport(trust_env=False) as transport:
        urls = {Environment.PRODUCTION: base, Environment.SANDBOX: base}
        yield WishClient(transport, urls, limits(**changes), lambda: NOW, _hardly_any, shared)


@asynccontextmanager
async def at_the_counter(base: str = BASE, **changes: Any) -> AsyncIterator[Counter]:
    """A shop reached through a on_wake context."""
    async with a_client(base, **changes) as client:
        context = HastyContext(Priority.ORDERS)
        connection = WishConnection(client, an_access(), context)
        yield Counter(client, connection, WishShop(connection), context)


def ok(data: Any) -> httpx.Response:
    return httpx.Response(200, json={"code": 0, "message": "", "data": data})


def refused(
    code: Any, status: int = 400, message: str = "no", headers: dict[str, str] | None = None
) -> httpx.Response:
    content = {"code": code, "message": message, "data": {}}
    return httpx.Response(status, json=content, headers=headers)


def money(amount: Any = 12.5, currency: str = "USD") -> JsonObject:
    return {"amount": amount, "currency_code": currency}


def an_order(number: int = 1, updated_at: str = "2026-11-20T10:00:00.000Z", **changes: Any) -> JsonObject:
    order: JsonObject = {
        "id": f"{number:024x}",
        "transaction_id": "aa" * 12,
        "state": "APPROVED",
        "updated_at": updated_at,
        "released_at": "2026-11-19T10:00:00.000Z",
        "product_information": {"id": "p1", "variation_id": "v1", "sku": "MUG", "name": "Mug", "color": "red"},
        "order_payment": {
            "general_payment_details": {
                "product_quantity": 2,
                "payment_total": money(20.25),
                "product_price": money(12.5),
                "product_shipping_price": money(1),
            }
        },
        "full_address": {
            "shipping_detail": {
                "name": "Ada",
                "street_address1": "1 Road",
                "city": "Town",
                "state": "CA",
                "zipcode": "00412",
                "country_code": "US",
                "phone_number": {"country_code": "1", "number": "555"},
            }
        },
        "fulfillment_requirements": {"expected_ship_time": "2026-11-25T00:00:00.000Z"},
        "fulfillment_order_types": ["VAT"],
    }
    return order | changes


def a_variation(id: str = "v1", inventory: int = 5, **changes: Any) -> JsonObject:
    return {
        "id": id,
        "sku": f"SKU-{id}",
        "status": "ENABLED",
        "inventories": [{"warehouse_id": "w1", "inventory": inventory}],
    } | changes


def a_product(id: str = "p1", *variations: JsonObject, **changes: Any) -> JsonObject:
    return {
        "id": id,
        "name": "Mug",
        "state": "ACTIVE",
        "main_image": {"url": "https://img.test/main.png"},
        "variations": list(variations) or [a_variation()],
    } | changes


@asynccontextmanager
async def a_server(handle: Handler) -> AsyncIterator[str]:
    """A raw server on this machine that answers one request per connection as `handle` likes; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http_answer(body: bytes, **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *lines, "", ""]
    return "\r\n".join(head).encode() + body
