"""Changed rules on their way to the shop: what they change is sent once, and by the newest of them."""

import asyncio
from dataclasses import replace

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, listing_of, push, state_of
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import IntegrationSettings
from channel_sync.domain.listings import PushState
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import StockSettings, UnitRules
from channel_sync.flows.scheduling.jobs import follow_settings
from channel_sync.flows.stock.rules import ChangeStockRules, ListingRules


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


def rules_of(workshop: Workshop) -> ChangeStockRules:
    return ChangeStockRules(workshop.database, {"wish": workshop.channel}, workshop.nudge)


async def change_settings(workshop: Workshop, seller, **stock) -> None:
    async with workshop.database.begin() as work:
        before = await work.integrations.get(TENANT, seller.id)
        settings = IntegrationSettings(stock=StockSettings(warehouse_id="wh1", **stock))
        await follow_settings(
            work, before, await work.integrations.save(replace(before, settings=settings)), utcnow()
        )


def told(workshop: Workshop, variation: str = "var-1") -> list[int]:
    return [units for written, units in workshop.shop().stock_writes if written == variation]


async def test_only_what_settings_change_is_sent_again(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), a_listing(2))
    await workshop.put(("sku-1", 3), ("sku-2", 9))
    await push(workshop, seller)

    await change_settings(workshop, seller, maximum=5)
    await push(workshop, seller)

    assert (told(workshop, "var-1"), told(workshop, "var-2")) == ([3], [9, 5])


async def test_settings_that_change_while_a_value_is_under_way_win(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await workshop.put(("sku-1", 9))
    gate = workshop.channel.hold("set_stock")
    running = asyncio.create_task(push(workshop, seller))
    await gate.reached.wait()

    await change_settings(workshop, seller, maximum=5)
    gate.open.set()
    await running

    assert told(workshop) == [9, 5]
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


async def test_rules_of_a_sku_that_change_between_plan_and_call_win(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await workshop.put(("sku-1", 9))
    gate = workshop.channel.hold("product")
    running = asyncio.create_task(push(workshop, seller))
    await gate.reached.wait()

    await rules_of(workshop).of_skus(TENANT, [("sku-1", UnitRules(buffer=2))], dry_run=False)
    gate.open.set()
    await running

    assert told(workshop)[-1] == 7
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


async def test_rules_of_a_sku_count_in_every_shop(workshop: Workshop):
    sellers = [await a_shop(workshop, a_listing(1))]
    sellers.append(await workshop.connect("m2"))
    workshop.shop("m2").put_up(a_listing(1))
    await workshop.run(sellers[1], RunKind.LISTINGS)
    await workshop.put(("sku-1", 9))
    await rules_of(workshop).of_skus(TENANT, [("sku-1", UnitRules(maximum=4))], dry_run=False)

    for seller in sellers:
        await push(workshop, seller)

    assert [workshop.shop(merchant).units("var-1")["wh1"] for merchant in ("m1", "m2")] == [4, 4]


async def test_rules_make_a_run_due_only_where_they_change_something(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await workshop.put(("sku-1", 9))
    await push(workshop, seller)

    (changes,) = await rules_of(workshop).of_skus(TENANT, [("sku-1", UnitRules(maximum=50))], dry_run=False)
    run = await push(workshop, seller)
    assert (changes, run.counts.seen) == ([], 0)

    (changes,) = await rules_of(workshop).of_skus(TENANT, [("sku-1", UnitRules(maximum=5))], dry_run=False)
    run = await push(workshop, seller)
    assert ([(one.before, one.quantity) for one in changes], run.counts.updated) == ([(9, 5)], 1)


async def test_an_excluded_listing_keeps_what_it_shows_and_catches_up_when_it_is_let_in(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await workshop.put(("sku-1", 9))
    await push(workshop, seller)
    listing_id = (await listing_of(workshop, "sku-1")).id
    await rules_of(workshop).of_listing(TENANT, listing_id, ListingRules(UnitRules(), True), dry_run=False)
    await workshop.put(("sku-1", 2))
    await push(workshop, seller)
    assert (told(workshop), await workshop.events("stock.skipped")) == ([9], [])

    await rules_of(workshop).of_listing(TENANT, listing_id, ListingRules(UnitRules(), False), dry_run=False)
    await push(workshop, seller)

    assert told(workshop) == [9, 2]
