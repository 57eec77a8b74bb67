"""Whether an order that is given up had been shipped before: told with the event, from all that is known of it."""

import pytest
from msgspec import structs
from tests.flows.goods import an_order
from tests.flows.workshop import Workshop

from channel_sync.domain.orders import ChannelOrder, OrderState, Tracking

PARCEL = Tracking("Royal Mail", "RM1", "GB")


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


def in_state(state: OrderState, minute: int, *parcels: Tracking) -> ChannelOrder:
    order = an_order(1, minute, state=state, state_raw=state.upper())
    return structs.replace(order, content=structs.replace(order.content, tracking=parcels))


async def told(workshop: Workshop, *versions: ChannelOrder) -> list[tuple[str, str | int | bool | None]]:
    """What the last version of the order was told with, of those that it had one after the other."""
    seller = await workshop.connect()
    for version in versions:
        workshop.shop().place(version)
        await workshop.run(seller)
    events = await workshop.events("order.created", "order.updated", "order.refunded")
    last = [event for event in events if event.members["version"] == len(versions)]
    return [(event.type, event.members.get("shipped_before")) for event in last]


APPROVED, SHIPPED = in_state(OrderState.APPROVED, 1), in_state(OrderState.SHIPPED, 2)


async def test_a_refund_of_what_was_shipped_says_so(workshop: Workshop):
    refunded = in_state(OrderState.REFUNDED, 3)

    assert await told(workshop, APPROVED, SHIPPED, refunded) == [("order.updated", True), ("order.refunded", True)]


async def test_a_refund_of_what_was_never_shipped_says_so(workshop: Workshop):
    refunded = in_state(OrderState.REFUNDED, 3)

    assert await told(workshop, APPROVED, refunded) == [("order.updated", False), ("order.refunded", False)]


async def test_an_order_that_was_released_again_after_its_shipping_was_shipped_all_the_same(workshop: Workshop):
    again, declined = in_state(OrderState.APPROVED, 3), in_state(OrderState.DECLINED, 4)

    assert await told(workshop, APPROVED, SHIPPED, again, declined) == [("order.updated", True)]


async def test_an_order_that_comes_in_as_refunded_was_shipped_if_it_has_a_parcel(workshop: Workshop):
    assert await told(workshop, in_state(OrderState.REFUNDED, 1, PARCEL)) == [("order.created", True)]


async def test_an_order_that_comes_in_as_declined_without_a_parcel_was_not_shipped(workshop: Workshop):
    assert await told(workshop, in_state(OrderState.DECLINED, 1)) == [("order.created", False)]


async def test_of_an_order_that_may_still_be_shipped_nothing_of_the_kind_is_told(workshop: Workshop):
    assert await told(workshop, APPROVED, SHIPPED) == [("order.updated", None)]
