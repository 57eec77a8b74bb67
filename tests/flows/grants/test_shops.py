import pytest
from tests.connecting import Desk
from tests.fake_channel import FakeChannel

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.errors import RunStopped
from channel_sync.flows.grants.shops import Shops


async def test_an_integration_leads_to_its_shop_and_nothing_is_called_on_the_way(sqlite_database):
    desk = Desk(sqlite_database)
    integration = await desk.active("m2")
    shops = Shops(desk.grants, {"wish": desk.channel, "other": FakeChannel()})
    calls = desk.channel.calls.total()

    connection = shops.connect(integration, CallContext(Priority.ORDERS))

    assert desk.channel.calls.total() == calls
    assert (connection.rules, await connection.call(lambda shop: shop.name())) == (
        desk.channel.rules,
        "Second shop",
    )


async def test_calls_are_those_of_the_context(sqlite_database):
    desk = Desk(sqlite_database)
    context = CallContext(Priority.ORDERS)
    connection = Shops(desk.grants, {"wish": desk.channel}).connect(await desk.active(), context)

    await connection.call(lambda shop: shop.name())
    context.cancel()

    assert len(context.calls) == 1
    with pytest.raises(RunStopped):
        await connection.call(lambda shop: shop.name())
