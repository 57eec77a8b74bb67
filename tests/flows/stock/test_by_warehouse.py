"""Levels by warehouse on their way to several warehouses of a shop."""

from dataclasses import replace

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, listing_of, push, state_of
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.channel import Warehouse
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import NoAnswer
from channel_sync.domain.integrations import IntegrationSettings
from channel_sync.domain.listings import Omitted, PushState
from channel_sync.domain.runs import Outcome, RunKind
from channel_sync.domain.stock import StockItem, StockSettings
from channel_sync.flows.scheduling.jobs import follow_settings

MAPPED = IntegrationSettings(stock=StockSettings(warehouse_id="wh1", warehouses={"london": "wh1", "leeds": "wh2"}))


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def put(workshop: Workshop, **units: int) -> None:
    items = [StockItem("sku-1", number, None, warehouse) for warehouse, number in units.items()]
    await workshop.put_stock.put(TENANT, items)


async def test_each_warehouse_shows_its_own_units(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), settings=MAPPED)
    await put(workshop, london=3, leeds=4)

    run = await push(workshop, seller)

    assert (run.outcome, workshop.shop().units("var-1")) == (Outcome.SUCCESS, {"wh1": 3, "wh2": 4})
    listing = await listing_of(workshop, "sku-1")
    assert (listing.sent_quantity, listing.units_seen) == (7, 7)


async def test_a_shop_without_a_map_shows_all_of_it_in_its_warehouse(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await put(workshop, london=3, leeds=4)

    await push(workshop, seller)

    assert workshop.shop().units("var-1") == {"wh1": 7, "wh2": 7}


async def test_units_that_move_from_one_warehouse_to_the_other_are_sent_though_their_sum_stays(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), settings=MAPPED)
    await put(workshop, london=3, leeds=4)
    await push(workshop, seller)
    await put(workshop, london=4, leeds=3)

    await push(workshop, seller)

    assert workshop.shop().units("var-1") == {"wh1": 4, "wh2": 3}


async def test_another_map_moves_what_was_sent(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), settings=MAPPED)
    await put(workshop, london=3, leeds=4)
    await push(workshop, seller)
    async with workshop.database.begin() as work:
        before = await work.integrations.get(TENANT, seller.id)
        stock = replace(before.settings.stock, warehouses={"london": "wh2", "leeds": "wh1"})
        after = await work.integrations.save(replace(before, settings=IntegrationSettings(stock=stock)))
        await follow_settings(work, before, after, utcnow())

    await push(workshop, seller)

    assert workshop.shop().units("var-1") == {"wh1": 4, "wh2": 3}


async def test_where_others_are_reset_those_that_are_not_mapped_keep_theirs(workshop: Workshop):
    workshop.channel.open_shop("m1").omitted = Omitted.RESET
    there = a_listing(1, quantities=(("wh1", 5), ("wh2", 7), ("wh3", 9)))
    seller = await a_shop(workshop, there, settings=MAPPED)
    await put(workshop, london=3, leeds=4)

    await push(workshop, seller)

    assert workshop.shop().units("var-1") == {"wh1": 3, "wh2": 4, "wh3": 9}


async def test_many_go_in_one_job_with_all_their_warehouses(workshop: Workshop):
    numbers = range(1, 31)
    seller = await a_shop(workshop, *(a_listing(number) for number in numbers), settings=MAPPED)
    items = [
        StockItem(f"sku-{n}", units, None, name) for n in numbers for name, units in (("london", 1), ("leeds", 2))
    ]
    await workshop.put_stock.put(TENANT, items)

    await push(workshop, seller)

    assert {tuple(workshop.shop().units(f"var-{n}").items()) for n in numbers} == {(("wh1", 1), ("wh2", 2))}


async def test_a_lost_answer_is_settled_only_once_every_warehouse_shows_its_units(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), settings=MAPPED)
    await put(workshop, london=3, leeds=4)
    workshop.channel.fail("set_stock", NoAnswer("timeout", "No answer."))
    await push(workshop, seller)
    async with workshop.database.read() as work:
        (doubt,) = await work.doubts.due(seller.account_id or "", utcnow().replace(year=2099), 9)

    assert not doubt.is_there((("wh1", 3), ("wh2", 7)))
    assert doubt.is_there((("wh1", 3), ("wh2", 4)))
    assert doubt.told.quantities == (("wh1", 3), ("wh2", 4))


async def test_a_drift_in_any_of_them_is_noticed(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), settings=MAPPED)
    await put(workshop, london=3, leeds=4)
    await push(workshop, seller)
    workshop.shop().put_up(replace(workshop.shop().listings["var-1"], quantities=(("wh1", 3), ("wh2", 9))))

    await workshop.run(seller, RunKind.LISTINGS)

    (event,) = await workshop.events("stock.drift_detected")
    assert (event.members["quantity"], event.members["at_channel"]) == (7, 12)
    assert await state_of(workshop, "sku-1") is PushState.DRIFTED


async def test_a_mapped_warehouse_that_is_gone_is_said_and_nothing_is_sent(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), settings=MAPPED)
    workshop.shop().warehouses = (Warehouse("wh1"),)
    await put(workshop, london=3, leeds=4)

    run = await push(workshop, seller)

    assert (run.error and run.error.code, workshop.shop().stock_writes) == ("warehouse_missing", [])
