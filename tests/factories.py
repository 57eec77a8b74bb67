"""Domain values with good defaults; a test names only what it is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from channel_sync.domain.channel import Environment, Grant
from channel_sync.domain.events import Event
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import Account, Integration
from channel_sync.domain.listings import ChannelListing
from channel_sync.domain.money import Money
from channel_sync.domain.orders import (
    Address,
    ChannelOrder,
    OrderContent,
    OrderLine,
    OrderState,
    Refund,
    Tracking,
    UnreadableOrder,
)
from channel_sync.domain.runs import Counts, Run, RunKind, RunStatus, Trigger
from channel_sync.domain.secrets import Secret
from channel_sync.persistence.database import Database

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TENANT = "acme"

_numbers = count(1)


def later(seconds: float) -> datetime:
    """A moment some seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def a_draft(**members: Any) -> Integration:
    """An integration that nobody finished connecting."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "id": new_id("int", NOW),
        "tenant": TENANT,
        "channel": "wish",
        "environment": Environment.PRODUCTION,
        "name": f"Shop {number}",
        "client_id": f"client-{number}",
        "client_secret_last4": "cret",
        "client_secret_updated_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
        "status_since": NOW,
        "orders_from": NOW - timedelta(days=30),
        "draft_expires_at": later(3600),
    }
    return Integration(**(defaults | members))


def an_integration(**members: Any) -> Integration:
    """An active integration."""
    defaults = {
        "default_currency": "GBP",
        "draft_expires_at": None,
        "activated_at": NOW,
        "access_token_last4": "aaaa",
        "access_token_expires_at": NOW + timedelta(days=30),
        "refresh_token_last4": "rrrr",
    }
    return a_draft(**(defaults | members))


def an_account(**members: Any) -> Account:
    """A merchant account that no integration is attached to."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "id": new_id("acc", NOW),
        "tenant": TENANT,
        "channel": "wish",
        "environment": Environment.PRODUCTION,
        "merchant_id": f"merchant-{number}",
        "client_id": f"client-{number}",
        "integration_id": None,
        "shop_name": "Mugs",
        "order_cursor": None,
        "listings_at": None,
    }
    return Account(**(defaults | members))


def a_grant(**members: Any) -> Grant:
    """A grant of a merchant."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "access_token": Secret(f"access-token-{number:04}"),
        "refresh_token": Secret(f"refresh-token-{number:04}"),
        "expires_at": NOW + timedelta(days=30),
        "merchant_id": "merchant-1",
        "scopes": ("orders:read", "orders:write"),
    }
    return Grant(**(defaults | members))


def an_address(**members: Any) -> Address:
    """A buyer's address."""
    defaults = {
        "name": "Ada Example",
        "street_1": "1 Sample Street",
        "city": "Bristol",
        "postcode": "BS1 1AA",
        "country_code": "GB",
        "phone": "+44 117 496 0000",
    }
    return Address(**(defaults | members))


def an_order_line(**members: Any) -> OrderLine:
    """One mug."""
    defaults: dict[str, Any] = {
        "sku": "MUG-BLUE",
        "channel_listing_id": "variation-1",
        "product_id": "product-1",
        "title": "Mug, blue",
        "options": {"colour": "blue"},
        "quantity": 1,
        "unit_price": Money(Decimal("8.50"), "GBP"),
        "shipping_price": Money(Decimal("1.50"), "GBP"),
    }
    return OrderLine(**(defaults | members))


def order_content(**members: Any) -> OrderContent:
    """What an order is about."""
    defaults: dict[str, Any] = {
        "lines": (an_order_line(),),
        "customer_paid": Money(Decimal("10.00"), "GBP"),
        "fulfilled_by": "merchant",
        "tracking": (Tracking("Royal Mail", "AB123456789GB", "GB"),),
        "refunds": (Refund(NOW, "merchant", "out of stock", Money(Decimal("1.10"), "GBP")),),
    }
    return OrderContent(**(defaults | members))


def a_channel_order(**members: Any) -> ChannelOrder:
    """An approved order as the marketplace gives it."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "channel_order_id": f"order-{number}",
        "transaction_id": f"transaction-{number}",
        "state": OrderState.APPROVED,
        "state_raw": "APPROVED",
        "updated_at": NOW,
        "released_at": NOW - timedelta(hours=1),
        "ship_by": NOW + timedelta(days=3),
        "currency": "GBP",
        "merchant_revenue": Money(Decimal("9.10"), "GBP"),
        "content": order_content(),
        "address": an_address(),
        "tax": b'{"vat":"GB123"}',
        "raw": b'{"id":"order"}',
    }
    return ChannelOrder(**(defaults | members))


def an_unreadable_order(**members: Any) -> UnreadableOrder:
    """A reply that is no usable order."""
    defaults: dict[str, Any] = {
        "channel_order_id": f"order-{next(_numbers)}",
        "reason": "wrong_type",
        "pointer": "/product_information/price",
        "updated_at": NOW,
        "channel_request_id": "request-1",
        "raw": b'{"id":"bad"}',
    }
    return UnreadableOrder(**(defaults | members))


def a_channel_listing(**members: Any) -> ChannelListing:
    """A variation with its own SKU and five units."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "product_id": f"product-{number}",
        "variation_id": f"variation-{number}",
        "sku": f"SKU-{number}",
        "title": "Mug",
        "image_url": None,
        "writable": True,
        "quantities": (("warehouse-1", 5),),
    }
    return ChannelListing(**(defaults | members))


def a_run(integration: Integration, account: Account, **members: Any) -> Run:
    """A scheduled run of the order job that is going on."""
    defaults: dict[str, Any] = {
        "id": new_id("run", NOW),
        "tenant": integration.tenant,
        "integration_id": integration.id,
        "account_id": account.id,
        "kind": RunKind.ORDERS,
        "trigger": Trigger.SCHEDULE,
        "status": RunStatus.RUNNING,
        "outcome": None,
        "counts": Counts(),
        "error": None,
        "window_from": None,
        "window_to": None,
        "dry_run": False,
        "created_at": NOW,
        "started_at": NOW,
        "finished_at": None,
        "heartbeat_at": NOW,
        "cancel_requested": False,
        "owner": "process-1",
    }
    return Run(**(defaults | members))


def an_event(**members: Any) -> Event:
    """An event of the tenant."""
    defaults: dict[str, Any] = {
        "id": new_id("evt", NOW),
        "tenant": TENANT,
        "type": "order.created",
        "integration_id": "int_1",
        "created_at": NOW,
        "members": {"order_id": "ord_1"},
    }
    return Event(**(defaults | members))


async def connected(database: Database, **members: Any) -> tuple[Integration, Account]:
    """A stored active integration with its account attached."""
    account = an_account(tenant=members.get("tenant", TENANT))
    integration = an_integration(account_id=account.id, **members)
    async with database.begin() as work:
        await work.accounts.add(account)
        await work.integrations.add(integration, Secret("a-secret-of-the-app"))
        await work.accounts.attach(account.id, integration.id, account.client_id, account.shop_name)
        return integration, await work.accounts.get(account.id)
