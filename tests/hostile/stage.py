"""Runs of the service against a hostile Wish, on a real database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
from pydantic import SecretStr
from tests.fake_channel import FakeChannel
from tests.flows.workshop import Workshop
from tests.hostile.hostile_wish import API, HostileWish, client_of, envelope

from channel_sync.channels.wish.client import WishClient
from channel_sync.channels.wish.connection import WishConnection
from channel_sync.channels.wish.shop import WishShop
from channel_sync.domain.calls import CallContext
from channel_sync.domain.channel import ShopAccess
from channel_sync.main.order_reader.reader import page_reader
from channel_sync.persistence.database import Database
from channel_sync.persistence.rows.encryption import new_key_text

KEYS = new_key_text(datetime(2026, 11, 20, tzinfo=UTC))
FIRST = datetime(2026, 11, 20, 10, tzinfo=UTC)
LIST = ("GET", f"{API}/orders")


def text(moment: datetime) -> str:
    """A time as Wish writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def second(number: int) -> str:
    """The time that the order of that number was changed at."""
    return text(FIRST + timedelta(seconds=number))


@dataclass
class HostileOrders(HostileWish):
    """Its list of orders is sorted by when they were changed, whatever they say of it themselves."""

    orders: list[tuple[str, bytes]] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if (request.method, request.url.path) != LIST:
            return super().answer(request)
        query = parse_qs(request.url.query.decode())
        since, limit = query["updated_at_min"][0], int(query["limit"][0])
        rows = [row for at, row in sorted(self.orders) if at >= since][:limit]
        return httpx.Response(200, content=envelope(b"[" + b",".join(rows) + b"]"))


@dataclass
class HostileChannel(FakeChannel):
    """Grants as any merchant's; the shop behind them is the hostile one."""

    client: WishClient | None = None

    def shop(self, access: ShopAccess, context: CallContext) -> Any:
        assert self.client is not None
        return WishShop(WishConnection(self.client, access, context))


@asynccontextmanager
async def a_service(database: Database, wish: HostileWish) -> AsyncIterator[Workshop]:
    """The service's runs with their helper, and that Wish behind them. The database is sealed with `KEYS`."""
    async with page_reader(SecretStr(KEYS), database.personal) as reader:
        yield Workshop(database, HostileChannel(client=client_of(wish)), reader=reader)
