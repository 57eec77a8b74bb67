import pytest
from tests.flows.goods import an_order
from tests.flows.workshop import Workshop

from channel_sync.domain.orders import OrderState
from channel_sync.domain.runs import RunKind

TRADE = ("orders", "held_orders", "listings", "events", "accounts")


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_reconciliation_finds_an_open_order_that_the_cursor_passed(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(100))
    await workshop.run(seller)
    cursor = await workshop.cursor(seller)
    late = an_order(1)
    workshop.shop().place(late, an_order(2, state=OrderState.SHIPPED))

    await workshop.run(seller, RunKind.RECONCILE)

    assert {order.channel_order_id for order in await workshop.orders()} == {"o-100", "o-1"}
    assert await workshop.cursor(seller) == cursor
