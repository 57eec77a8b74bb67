import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, push, state_of
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.channel import Warehouse
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.integrations import Integration, IntegrationSettings
from channel_sync.domain.listings import PushState
from channel_sync.domain.runs import Outcome, RunKind
from channel_sync.domain.stock import StockSettings

FIRST, SECOND = Warehouse("wh1"), Warehouse("wh2")
IN_SECOND = IntegrationSettings(stock=StockSettings(warehouse_id="wh2"))


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def warehouse_of(workshop: Workshop, seller: Integration) -> str | None:
    async with workshop.database.read() as work:
        return (await work.integrations.get(TENANT, seller.id)).settings.stock.warehouse_id


async def incidents_of(workshop: Workshop, seller: Integration) -> list[str]:
    async with workshop.database.read() as work:
        return [one.kind for one in (await work.incidents.open_of([seller.id])).get(seller.id, [])]


async def test_the_first_push_chooses_the_first_warehouse_and_later_ones_keep_it(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1, units=5))
    await workshop.put(("sku-1", 10))
    await push(workshop, seller)
    workshop.shop().warehouses = (Warehouse("new"), SECOND, FIRST)
    await workshop.put(("sku-1", 2))

    await push(workshop, seller)

    assert workshop.shop().units("var-1") == {"wh1": 2, "wh2": 7}
    assert await warehouse_of(workshop, seller) == "wh1"


async def test_choosing_the_first_sends_nothing_twice(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), a_listing(2))
    await workshop.put(("sku-1", 1), ("sku-2", 2))

    await push(workshop, seller)
    await push(workshop, seller)

    assert sorted(workshop.shop().stock_writes) == [("var-1", 1), ("var-2", 2)]


async def test_without_its_warehouse_nothing_is_sent_and_the_integration_says_so_once(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), settings=IN_SECOND)
    workshop.shop().warehouses = (FIRST,)
    await workshop.put(("sku-1", 3))

    runs = [await push(workshop, seller) for _ in range(2)]

    assert workshop.shop().stock_writes == []
    assert await state_of(workshop, "sku-1") is PushState.PENDING
    assert {(run.outcome, run.error and run.error.code) for run in runs} == {(Outcome.FAILED, "warehouse_missing")}
    assert await incidents_of(workshop, seller) == ["warehouse_missing"]
    assert len(await workshop.events("incident.opened")) == 1


async def test_a_warehouse_that_is_back_gets_what_waited(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), settings=IN_SECOND)
    workshop.shop().warehouses = (FIRST,)
    await workshop.put(("sku-1", 3))
    await push(workshop, seller)
    workshop.shop().warehouses = (FIRST, SECOND)

    await push(workshop, seller)

    assert workshop.shop().units("var-1")["wh2"] == 3
    assert await incidents_of(workshop, seller) == []


async def test_a_shop_without_warehouses_is_told_why(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    workshop.shop().warehouses = ()
    await workshop.put(("sku-1", 3))

    run = await push(workshop, seller)

    assert (run.outcome, run.error and run.error.code) == (Outcome.FAILED, "no_warehouse")


async def test_while_warehouses_cannot_be_asked_for_stock_waits(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), settings=IN_SECOND)
    workshop.channel.fail("warehouses", ChannelUnavailable("server_error", "Down."))
    await workshop.put(("sku-1", 3))

    run = await push(workshop, seller)

    assert (run.outcome, workshop.shop().stock_writes) == (Outcome.FAILED, [])
    assert await incidents_of(workshop, seller) == []


async def test_a_whole_catalogue_notices_a_missing_warehouse_though_nothing_waits(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), settings=IN_SECOND)
    assert await incidents_of(workshop, seller) == []
    workshop.shop().warehouses = (FIRST,)

    await workshop.run(seller, RunKind.LISTINGS)
    assert await incidents_of(workshop, seller) == ["warehouse_missing"]

    workshop.shop().warehouses = (FIRST, SECOND)
    await workshop.run(seller, RunKind.LISTINGS)
    assert await incidents_of(workshop, seller) == []


async def test_where_none_is_chosen_none_is_missing(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    workshop.shop().warehouses = ()

    await workshop.run(seller, RunKind.LISTINGS)

    assert await incidents_of(workshop, seller) == []
