import pytest
from tests.fake_channel import FakeChannel

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.channel import Environment, ShopAccess
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.flows.connecting.shop_facts import first_warehouse, shop_name


@pytest.fixture
def channel():
    channel = FakeChannel()
    channel.open_shop("m1", "Mugs")
    return channel


@pytest.fixture
def shop(channel):
    token = channel.issue("m1").access_token
    return channel.shop(ShopAccess("int_1", Environment.PRODUCTION, token, 0), CallContext(Priority.INTERACTIVE))


async def test_a_shop_has_its_name_and_its_first_warehouse(shop):
    assert (await shop_name(shop), await first_warehouse(shop)) == ("Mugs", "wh1")


async def test_a_shop_without_warehouses_has_no_first_one(channel, shop):
    channel.merchants["m1"].warehouses = ()

    assert await first_warehouse(shop) is None


@pytest.mark.parametrize(("operation", "fact"), [("name", shop_name), ("warehouses", first_warehouse)])
async def test_what_the_marketplace_does_not_tell_fails_nothing(channel, shop, operation, fact):
    channel.fail(operation, ChannelUnavailable("server_error", "Down."))

    assert await fact(shop) is None
    assert await fact(shop) is not None
