import pytest
from tests.connecting import TENANT, Desk

from channel_sync.domain.channel import Warehouse
from channel_sync.domain.errors import ChannelUnavailable, Conflict, Invalid, NotFound
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.integrations.warehouses import Warehouses

AT_THE_SHOP = (Warehouse("w1", "Main", "standard"), Warehouse("w2", None, None))


@pytest.fixture
def desk(sqlite_database):
    return Desk(sqlite_database)


@pytest.fixture
def warehouses(desk):
    return Warehouses(desk.database, Shops(desk.grants, {"wish": desk.channel}))


async def a_shop(desk):
    """An integration with `wh1` chosen, whose shop has others by now."""
    integration = await desk.active()
    desk.channel.merchants["m1"].warehouses = AT_THE_SHOP
    desk.channel.calls.clear()
    return integration.id


def choosing(warehouse_id):
    return {"stock": {"warehouse_id": warehouse_id, "buffer": 3}, "orders": {"enabled": False}}


async def test_they_are_listed_as_the_marketplace_has_them(desk, warehouses):
    assert await warehouses.list(TENANT, await a_shop(desk)) == AT_THE_SHOP


async def test_those_of_another_tenant_are_not_found(desk, warehouses):
    with pytest.raises(NotFound):
        await warehouses.list("other", await a_shop(desk))


async def test_they_cannot_be_asked_for_before_the_shop_is_connected(desk, warehouses):
    draft, _ = await desk.draft()

    with pytest.raises(Conflict) as refused:
        await warehouses.list(TENANT, draft.id)

    assert (refused.value.code, desk.channel.calls.total()) == ("not_connected", 0)


async def test_a_removed_integration_is_not_asked_for(desk, warehouses):
    removed = await a_shop(desk)
    await desk.lifecycle.remove(TENANT, removed, "My shop")

    with pytest.raises(Conflict) as refused:
        await warehouses.list(TENANT, removed)

    assert refused.value.code == "integration_removed"


async def test_one_that_the_shop_has_is_settled_with_all_that_is_changed_beside_it(desk, warehouses):
    assert await warehouses.settled(TENANT, await a_shop(desk), choosing("w2")) == choosing("w2")


async def test_one_that_the_shop_has_not_is_refused(desk, warehouses):
    with pytest.raises(Invalid) as refused:
        await warehouses.settled(TENANT, await a_shop(desk), choosing("w9"))

    assert (refused.value.code, refused.value.pointer) == ("unknown_warehouse", "/settings/stock/warehouse_id")


@pytest.mark.parametrize(("at_the_shop", "first"), [(AT_THE_SHOP, "w1"), ((), None)])
async def test_null_is_the_first_one_of_the_shop(desk, warehouses, at_the_shop, first):
    integration_id = await a_shop(desk)
    desk.channel.merchants["m1"].warehouses = at_the_shop

    assert await warehouses.settled(TENANT, integration_id, choosing(None)) == choosing(first)


@pytest.mark.parametrize("patch", [{}, {"stock": None}, {"stock": {"buffer": 3}}, choosing("wh1")])
async def test_nothing_is_asked_unless_it_is_to_be_another(desk, warehouses, patch):
    assert await warehouses.settled(TENANT, await a_shop(desk), patch) == patch
    assert desk.channel.calls.total() == 0


async def test_before_the_shop_is_connected_there_is_none_to_choose(desk, warehouses):
    draft, _ = await desk.draft()

    assert await warehouses.settled(TENANT, draft.id, choosing(None)) == choosing(None)
    with pytest.raises(Conflict):
        await warehouses.settled(TENANT, draft.id, choosing("w1"))


async def test_null_for_a_shop_whose_consent_has_ended_is_left_to_the_next_one(desk, warehouses):
    integration = await desk.active()
    desk.channel.client_secrets["app1"] = "another"
    with pytest.raises(Exception, match="secret"):
        await desk.grants.prove(integration.id)

    assert await warehouses.settled(TENANT, integration.id, choosing(None)) == choosing(None)


async def test_a_marketplace_that_is_away_is_said_to_be(desk, warehouses):
    integration_id = await a_shop(desk)
    desk.channel.fail("warehouses", ChannelUnavailable("server_error", "Down."))

    with pytest.raises(ChannelUnavailable):
        await warehouses.settled(TENANT, integration_id, choosing("w2"))
