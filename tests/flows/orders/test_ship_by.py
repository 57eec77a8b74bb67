"""Orders whose time to be shipped is near are told of once."""

from datetime import timedelta

import pytest
import time_machine
from msgspec.structs import replace
from tests.factories import a_channel_order, order_content
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.orders import ChannelOrder, OrderState
from channel_sync.flows.orders.ship_by import ShipByNotices


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


def an_order_to_ship(number: int, in_h: float, **members) -> ChannelOrder:
    now = utcnow()
    return a_channel_order(
        channel_order_id=f"co-{number}", updated_at=now, ship_by=now + timedelta(hours=in_h), **members
    )


async def a_shop_with(workshop: Workshop, *orders: ChannelOrder):
    seller = await workshop.connect()
    workshop.shop().place(*orders)
    await workshop.run(seller)
    return seller


async def tell(workshop: Workshop, in_h: float = 0) -> list[object]:
    """The orders that were told of so far, by then."""
    with time_machine.travel(utcnow() + timedelta(hours=in_h), tick=True):
        await ShipByNotices(workshop.database).tell()
    return [event.members["channel_order_id"] for event in await workshop.events("order.ship_by_near")]


async def notice(workshop: Workshop, hours: int | None, tenant: str = TENANT) -> None:
    async with workshop.database.begin() as work:
        await work.ship_by.set_notice_h(tenant, hours)


async def test_an_order_is_told_of_a_day_before_and_once(workshop: Workshop):
    seller = await a_shop_with(workshop, an_order_to_ship(1, 23.5), an_order_to_ship(2, 30))

    assert await tell(workshop) == ["co-1"]
    assert await tell(workshop) == ["co-1"]
    assert await tell(workshop, 7) == ["co-1", "co-2"]
    event, _ = await workshop.events("order.ship_by_near")
    order = next(one for one in await workshop.orders() if one.channel_order_id == "co-1")
    assert (event.integration_id, event.members["order_id"]) == (seller.id, order.id)
    assert order.ship_by is not None
    assert event.members["ship_by"] == order.ship_by.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_only_what_the_merchant_still_has_to_ship_is_told_of(workshop: Workshop):
    elsewhere = order_content(fulfilled_by="wish")
    await a_shop_with(
        workshop,
        an_order_to_ship(1, 5, state=OrderState.SHIPPED, state_raw="SHIPPED"),
        an_order_to_ship(2, 5, content=elsewhere),
        an_order_to_ship(3, -1),
        a_channel_order(channel_order_id="co-4", updated_at=utcnow(), ship_by=None),
        an_order_to_ship(5, 5),
    )
    assert await tell(workshop) == ["co-5"]


async def test_another_time_to_ship_by_is_told_again(workshop: Workshop):
    order = an_order_to_ship(1, 5)
    seller = await a_shop_with(workshop, order)
    assert await tell(workshop) == ["co-1"]
    now = utcnow()
    workshop.shop().place(replace(order, ship_by=now + timedelta(hours=50), updated_at=now))
    await workshop.run(seller)

    assert await tell(workshop) == ["co-1"]
    assert await tell(workshop, 27) == ["co-1", "co-1"]


@pytest.mark.parametrize(
    ("hours", "told"), [(48, ["co-1", "co-2"]), (24, ["co-1"]), (1, []), (0, []), (None, ["co-1"])]
)
async def test_a_tenant_says_how_long_before(workshop: Workshop, hours, told):
    await a_shop_with(workshop, an_order_to_ship(1, 5), an_order_to_ship(2, 40))
    await notice(workshop, hours)
    await notice(workshop, 0, "umbrella")

    assert await tell(workshop) == told


async def test_what_a_disconnected_shop_has_to_ship_is_nobodys_news(workshop: Workshop):
    seller = await a_shop_with(workshop, an_order_to_ship(1, 5))
    async with workshop.database.begin() as work:
        await work.accounts.detach(seller.id)
    assert await tell(workshop) == []


async def test_what_was_told_of_a_time_that_is_past_is_forgotten(workshop: Workshop):
    await a_shop_with(workshop, an_order_to_ship(1, 5))
    await tell(workshop)
    assert len((await workshop.rows("ship_by_told"))["ship_by_told"]) == 1

    with time_machine.travel(utcnow() + timedelta(hours=6), tick=True):
        await workshop.work.prune.run()

    assert await workshop.rows("ship_by_told") == {"ship_by_told": []}
