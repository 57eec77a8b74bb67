"""Two shops that offer the same, and what one of them sells."""

from datetime import datetime
from typing import Any

from tests.flows.goods import a_listing, an_order
from tests.flows.stock_steps import push
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import Integration, IntegrationSettings
from channel_sync.domain.orders import OrderContent, OrderLine
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import StockLevel, StockSettings

HERE, THERE = "m1", "m2"


async def two_shops(workshop: Workshop, units: int = 1, **stock: Any) -> tuple[Integration, Integration]:
    """Both offer `sku-1`, and show what the caller says there is."""
    settings = IntegrationSettings(stock=StockSettings(warehouse_id="wh1", **stock))
    shops = (await workshop.connect(HERE, settings=settings), await workshop.connect(THERE, settings=settings))
    for merchant, seller in zip((HERE, THERE), shops, strict=True):
        workshop.shop(merchant).put_up(a_listing(1, quantities=(("wh1", 0),)))
        await workshop.run(seller, RunKind.LISTINGS)
    await workshop.put(("sku-1", units))
    await push_all(workshop, *shops)
    return shops


async def push_all(workshop: Workshop, *shops: Integration) -> None:
    for seller in shops:
        await push(workshop, seller)


def content(quantity: int = 1, fulfilled_by: str = "merchant") -> OrderContent:
    line = OrderLine("sku-1", "var-1", "pro-1", "Cup", {}, quantity, None, None)
    return OrderContent((line,), None, fulfilled_by, (), ())


async def sell(workshop: Workshop, seller: Integration, number: int = 1, quantity: int = 1, **changes) -> None:
    """The marketplace sells, takes the units off, and its order is downloaded."""
    shop = workshop.shop(seller.name)
    listing = shop.listings["var-1"]
    left = max(0, shop.units("var-1")["wh1"] - quantity)
    shop.put_up(a_listing(1, quantities=(("wh1", left),)), changed_at=shop.changed_at[listing.product_id])
    now = utcnow()
    members: dict[str, Any] = {"updated_at": now, "released_at": now, "content": content(quantity)} | changes
    shop.place(an_order(number, **members))
    await workshop.run(seller)


async def settle(workshop: Workshop) -> None:
    await workshop.reservations.run()


def told(workshop: Workshop, merchant: str) -> list[int]:
    return [units for _, units in workshop.shop(merchant).stock_writes]


async def level_of(workshop: Workshop) -> StockLevel:
    async with workshop.database.read() as work:
        return await work.stock.get(TENANT, "sku-1")


async def acknowledge(workshop: Workshop) -> None:
    ids = [order.id for order in await workshop.orders()]
    async with workshop.database.begin() as work:
        await work.orders.acknowledge(TENANT, ids, utcnow(), "key-1")


async def due_at(workshop: Workshop, seller: Integration) -> datetime | None:
    async with workshop.database.read() as work:
        found = await work.schedules.of([seller.id], [RunKind.STOCK])
    return found[seller.id][RunKind.STOCK].next_at
