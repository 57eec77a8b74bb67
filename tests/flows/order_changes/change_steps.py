"""Orders that are to be dispatched, step by step."""

from dataclasses import replace
from datetime import timedelta

import time_machine
from tests.factories import a_channel_order, order_content
from tests.fake_channel import SCOPES
from tests.flows.workshop import TENANT, Workshop, waiting

from channel_sync.channels.wish.rules import RULES
from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import Integration
from channel_sync.domain.order_changes import OrderChange, Parcel
from channel_sync.domain.orders import ChannelOrder
from channel_sync.domain.runs import RunKind
from channel_sync.flows.order_changes.carriers import CarrierLists
from channel_sync.flows.order_changes.changeable import Changes
from channel_sync.flows.order_changes.dispatch import Dispatches, DispatchRequest
from channel_sync.flows.order_changes.refunds import Refunds

PARCEL = Parcel("Royal Mail", "RM001GB", "GB")
OTHER = Parcel("UPS", "1Z999", "GB")


def an_open_order(number: int = 1, **members) -> ChannelOrder:
    """One that waits to be shipped."""
    return a_channel_order(
        channel_order_id=f"co-{number}",
        updated_at=utcnow(),
        content=order_content(tracking=(), refunds=()),
        **members,
    )


async def a_shop_with(workshop: Workshop, *orders: ChannelOrder) -> Integration:
    """A shop that may dispatch, its orders downloaded."""
    workshop.channel.granted_scopes = (*SCOPES, "orders:write")
    workshop.channel.rules = replace(workshop.channel.rules, order_changes=RULES.order_changes)
    seller = await workshop.connect()
    workshop.shop().place(*orders)
    await workshop.run(seller)
    return seller


async def dispatch(workshop: Workshop, parcel: Parcel = PARCEL, number: int = 1) -> Changes:
    """What is known of the order's changes once the parcel was told."""
    carriers = CarrierLists(workshop.database, workshop.shops)
    dispatches = Dispatches(workshop.database, workshop.shops, carriers, workshop.nudge)
    return await dispatches.request(TENANT, DispatchRequest(await id_of(workshop, number), parcel))


async def refund(workshop: Workshop, reason: str = "UNABLE_TO_SHIP", number: int = 1) -> Changes:
    """What is known of the order's changes once the refund was asked for."""
    refunds = Refunds(workshop.database, workshop.shops, workshop.nudge)
    return await refunds.request(TENANT, await id_of(workshop, number), reason)


async def id_of(workshop: Workshop, number: int = 1) -> str:
    return next(order.id for order in await workshop.orders() if order.channel_order_id == f"co-{number}")


async def changes(workshop: Workshop, number: int = 1) -> list[OrderChange]:
    order_id = await id_of(workshop, number)
    async with workshop.database.read() as work:
        return (await work.order_changes.of_orders([order_id])).get(order_id, [])


async def stages(workshop: Workshop, number: int = 1) -> list[str]:
    return [change.stage.value for change in await changes(workshop, number)]


async def go_on(workshop: Workshop, seconds: float = 0) -> None:
    """Let the clock start what is due so many seconds from now."""
    with time_machine.travel(utcnow() + timedelta(seconds=seconds), tick=True):
        await workshop.runs.start_due(RunKind.ORDER_CHANGES)
        for run_id in await waiting(workshop.runs):
            await workshop.runs.execute(run_id)


def told(workshop: Workshop) -> list[str]:
    """The tracking numbers that the marketplace was told."""
    return [parcel.tracking_number for _, parcel in workshop.shop().book.parcels]


def shown(workshop: Workshop, number: int = 1) -> list[str | None]:
    """The tracking numbers that the marketplace shows."""
    order = workshop.shop().orders[f"co-{number}"]
    assert isinstance(order, ChannelOrder)
    return [one.tracking_number for one in order.content.tracking]
