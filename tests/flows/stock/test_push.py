import asyncio
from dataclasses import replace

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, listing_of, push, state_of
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelRefused, ChannelUnavailable
from channel_sync.domain.integrations import IntegrationSettings
from channel_sync.domain.listings import PushState
from channel_sync.domain.runs import Outcome, RunKind
from channel_sync.domain.stock import StockSettings
from channel_sync.flows.scheduling.jobs import follow_settings


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_a_level_reaches_its_listing_and_other_warehouses_keep_theirs(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1, units=5))
    await workshop.put(("sku-1", 3))

    run = await push(workshop, seller)

    assert workshop.shop().units("var-1") == {"wh1": 3, "wh2": 7}
    assert (run.outcome, run.counts.updated) == (Outcome.SUCCESS, 1)
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED
    assert (await listing_of(workshop, "sku-1")).quantities == (("wh1", 3), ("wh2", 7))


async def test_the_sellers_settings_decide_units_and_warehouse(workshop: Workshop):
    rules = IntegrationSettings(stock=StockSettings(buffer=2, maximum=5, warehouse_id="wh2"))
    seller = await a_shop(workshop, a_listing(1), settings=rules)
    await workshop.put(("sku-1", 12))

    await push(workshop, seller)

    assert workshop.shop().units("var-1") == {"wh1": 5, "wh2": 5}


async def test_a_second_pass_sends_and_writes_nothing(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await workshop.put(("sku-1", 3))
    await push(workshop, seller)
    before = await workshop.rows("listings", "stock_levels", "stock_jobs")

    await workshop.put(("sku-1", 3))
    run = await push(workshop, seller)

    assert run.outcome is Outcome.NO_CHANGES
    assert workshop.channel.calls["set_stock"] == 1
    assert await workshop.rows("listings", "stock_levels", "stock_jobs") == before


async def test_decreases_go_first_the_steepest_before_all(workshop: Workshop):
    units = (5, 5, 50, 5)
    # Without units elsewhere they go in one job, which has an order; of calls side by side any may come first.
    goods = (a_listing(number, quantities=(("wh1", amount),)) for number, amount in enumerate(units, 1))
    seller = await a_shop(workshop, *goods)
    await workshop.put(("sku-1", 100), ("sku-2", 4), ("sku-3", 10), ("sku-4", 6))

    await push(workshop, seller)

    assert [variation for variation, _ in workshop.shop().stock_writes] == ["var-3", "var-2", "var-4", "var-1"]


async def test_a_thousand_changes_during_a_push_are_one_more_push(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await workshop.put(("sku-1", 1))
    gate = workshop.channel.hold("set_stock")
    running = asyncio.create_task(push(workshop, seller))
    await gate.reached.wait()
    for units in range(2, 1001):
        await workshop.put(("sku-1", units))
    assert await state_of(workshop, "sku-1") is PushState.SUPERSEDED

    gate.open.set()
    await running

    assert workshop.shop().stock_writes == [("var-1", 1), ("var-1", 1000)]
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


async def test_stock_tells_the_truth_while_it_is_on_its_way(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await workshop.put(("sku-1", 1))
    states = [await state_of(workshop, "sku-1")]
    gate = workshop.channel.hold("set_stock")
    running = asyncio.create_task(push(workshop, seller))
    await gate.reached.wait()
    states.append(await state_of(workshop, "sku-1"))
    gate.open.set()
    await running
    states.append(await state_of(workshop, "sku-1"))

    assert states == [PushState.PENDING, PushState.SENT, PushState.CONFIRMED]


async def test_a_refused_listing_is_tried_again_with_its_next_value(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    workshop.shop().refusals = {"var-1": ("90001", "Not allowed.")}
    await workshop.put(("sku-1", 1))
    await push(workshop, seller)
    workshop.shop().refusals = {}
    await workshop.put(("sku-1", 2))

    await push(workshop, seller)

    assert workshop.shop().units("var-1")["wh1"] == 2
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED


async def test_a_product_that_is_refused_as_a_whole_says_why(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await workshop.put(("sku-1", 1))
    workshop.channel.fail("set_stock", ChannelRefused("1004", "No such product."))

    await push(workshop, seller)

    assert (await listing_of(workshop, "sku-1")).push_code == "1004"


async def test_an_ambiguous_sku_is_not_sent(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1, sku="twin"), a_listing(2, sku="twin"), a_listing(3))
    await workshop.put(("twin", 1), ("sku-3", 1))

    await push(workshop, seller)

    assert workshop.shop().stock_writes == [("var-3", 1)]


async def test_an_outage_leaves_the_value_waiting_and_the_next_run_sends_the_newest(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await workshop.put(("sku-1", 1))
    workshop.channel.lose_answer("set_stock")
    failed = await push(workshop, seller)
    await workshop.put(("sku-1", 2))

    await push(workshop, seller)

    assert (failed.outcome, failed.error and failed.error.kind) == (Outcome.FAILED, "network")
    assert workshop.shop().stock_writes == [("var-1", 1), ("var-1", 2)]


async def test_one_product_that_fails_does_not_undo_its_neighbours(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), a_listing(2), a_listing(3))
    await workshop.put(("sku-1", 1), ("sku-2", 1), ("sku-3", 1))
    workshop.channel.fail("set_stock", ChannelUnavailable("server_error", "Down."))

    run = await push(workshop, seller)

    assert (run.outcome, run.counts.updated) == (Outcome.FAILED, 2)


async def test_changed_settings_reach_every_listing_of_a_large_shop(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number) for number in range(1, 601)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 601)))
    await push(workshop, seller)
    async with workshop.database.begin() as work:
        before = await work.integrations.get(TENANT, seller.id)
        after = replace(before, settings=IntegrationSettings(stock=StockSettings(buffer=2, warehouse_id="wh1")))
        await follow_settings(work, before, await work.integrations.save(after), utcnow())

    await push(workshop, seller)

    assert {workshop.shop().units(f"var-{number}")["wh1"] for number in range(1, 601)} == {7}


async def test_a_run_all_of_whose_stock_is_refused_has_failed_for_the_commonest_reason(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number) for number in (1, 2, 3)))
    refused = ("90001", "unknown warehouse")
    workshop.shop().refusals = {"var-1": refused, "var-2": ("7", "Closed."), "var-3": refused}
    await workshop.put(("sku-1", 1), ("sku-2", 1), ("sku-3", 1))

    run = await push(workshop, seller)

    async with workshop.database.read() as work:
        schedule = (await work.schedules.of([seller.id]))[seller.id][RunKind.STOCK]
    assert (run.outcome, run.counts.failed) == (Outcome.FAILED, 3)
    assert run.error is not None
    assert (run.error.code, run.error.message) == refused
    assert (schedule.last_success_at, schedule.failures, schedule.last_error_code) == (None, 1, "90001")


async def test_a_run_some_of_whose_stock_is_refused_is_partial_and_says_why(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1), a_listing(2))
    workshop.shop().refusals = {"var-1": ("90001", "Not allowed.")}
    await workshop.put(("sku-1", 1), ("sku-2", 1))

    run = await push(workshop, seller)

    assert (run.outcome, run.error and run.error.message) == (Outcome.PARTIAL, "Not allowed.")
