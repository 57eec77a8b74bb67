import asyncio

import pytest
from tests.flows.goods import a_listing
from tests.flows.workshop import IMPATIENT, TENANT, Workshop

from channel_sync.domain.errors import ChannelRefused, ChannelUnavailable
from channel_sync.domain.integrations import Integration, Settings
from channel_sync.domain.listings import Listing, PushState, push_state
from channel_sync.domain.runs import Outcome, Run, RunKind, RunStatus
from channel_sync.domain.stock import StockSettings


@pytest.fixture
def workshop(sqlite_database) -> Workshop:
    return Workshop(sqlite_database)


async def a_shop(workshop: Workshop, *listings, **changes) -> Integration:
    """An integration whose listings are known."""
    seller = await workshop.connect(**changes)
    workshop.shop().put_up(*listings)
    await workshop.run(seller, RunKind.LISTINGS)
    return seller


async def push(workshop: Workshop, seller: Integration) -> Run:
    return await workshop.run(seller, RunKind.STOCK)


async def listing_of(workshop: Workshop, sku: str) -> Listing:
    async with workshop.database.read() as work:
        [listing] = await work.listings.by_sku(TENANT, sku)
    return listing


async def state_of(workshop: Workshop, sku: str) -> PushState:
    async with workshop.database.read() as work:
        level = await work.stock.get(TENANT, sku)
    return push_state(await listing_of(workshop, sku), level.version)


async def test_a_level_reaches_its_listing_and_other_warehouses_keep_theirs(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1, units=5))
    await workshop.put(("sku-1", 3))

    run = await push(workshop, seller)

    assert workshop.shop().units("var-1") == {"wh1": 3, "wh2": 7}
    assert (run.outcome, run.counts.updated) == (Outcome.SUCCESS, 1)
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED
    assert (await listing_of(workshop, "sku-1")).quantities == (("wh1", 3), ("wh2", 7))


async def test_the_sellers_settings_decide_units_and_warehouse(workshop: Workshop):
    rules = Settings(stock=StockSettings(buffer=2, maximum=5, warehouse_id="wh2"))
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


async def test_many_products_go_as_one_job(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number) for number in range(1, 101)))
    await workshop.put(*((f"sku-{number}", number) for number in range(1, 101)))

    run = await push(workshop, seller)

    assert run.counts.updated == 100
    assert (workshop.channel.calls["start_stock_job"], workshop.channel.calls["set_stock"]) == (1, 0)
    assert [workshop.shop().units(f"var-{number}")["wh1"] for number in range(1, 101)] == list(range(1, 101))


async def test_a_job_takes_250_products_and_one_is_open_at_a_time(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number) for number in range(1, 601)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 601)))

    await push(workshop, seller)

    assert workshop.channel.calls["start_stock_job"] == 3
    polled_before_next = [call for call, _ in workshop.channel.log if call in ("start_stock_job", "stock_job")]
    assert polled_before_next == ["start_stock_job", "stock_job"] * 3


async def test_decreases_go_first_the_steepest_before_all(workshop: Workshop):
    units = (5, 5, 50, 5)
    seller = await a_shop(workshop, *(a_listing(n, units=u) for n, u in enumerate(units, 1)))
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


async def test_refused_products_of_a_job_keep_the_reason_and_wait_for_a_change(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number) for number in range(1, 101)))
    workshop.shop().refusals = {"var-7": ("90001", "Not allowed."), "var-8": ("90001", "Not allowed.")}
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 101)))

    run = await push(workshop, seller)
    again = await push(workshop, seller)

    assert (run.counts.updated, run.counts.failed, run.outcome) == (98, 2, Outcome.PARTIAL)
    assert again.outcome is Outcome.NO_CHANGES
    refused = await listing_of(workshop, "sku-7")
    assert (refused.push_state, refused.push_code, refused.push_reason) == (
        PushState.REJECTED,
        "90001",
        "Not allowed.",
    )
    assert len(await workshop.events("stock.rejected")) == 2


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


async def test_a_refused_variation_does_not_hold_back_its_siblings(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(n, product=n // 2) for n in range(2, 12)))
    workshop.shop().refusals = {"var-4": ("90001", "Not allowed.")}
    await workshop.put(*((f"sku-{number}", 9) for number in range(2, 12)))

    await push(workshop, seller)

    assert await state_of(workshop, "sku-4") is PushState.REJECTED
    assert await state_of(workshop, "sku-5") is PushState.CONFIRMED


async def test_a_product_that_is_refused_as_a_whole_says_why(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await workshop.put(("sku-1", 1))
    workshop.channel.fail("set_stock", ChannelRefused("1004", "No such product."))

    await push(workshop, seller)

    assert (await listing_of(workshop, "sku-1")).push_code == "1004"


async def test_a_job_that_fails_is_halved_until_single_products_remain(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number) for number in range(1, 9)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 9)))
    workshop.shop().failing_jobs = {f"stock-{number}" for number in range(1, 10)}

    run = await push(workshop, seller)

    assert workshop.channel.calls["start_stock_job"] == 3
    assert run.counts.updated == 8
    assert {workshop.shop().units(f"var-{number}")["wh1"] for number in range(1, 9)} == {9}


async def test_a_job_that_is_refused_at_the_door_is_halved_too(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number) for number in range(1, 7)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 7)))
    workshop.channel.fail("start_stock_job", ChannelRefused("90001", "Too much."))

    run = await push(workshop, seller)

    assert (run.counts.updated, workshop.channel.calls["set_stock"]) == (6, 6)


async def test_a_job_that_never_ends_is_given_up_for_single_products(sqlite_database):
    workshop = Workshop(sqlite_database)
    seller = await a_shop(workshop, *(a_listing(number) for number in range(1, 6)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 6)))
    workshop.shop().polls_until_ready = 10_000

    run = await push(workshop.another(waits=IMPATIENT), seller)

    assert (run.counts.updated, workshop.channel.calls["set_stock"]) == (5, 5)


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


async def test_a_job_of_a_killed_process_is_followed_to_its_end(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number) for number in range(1, 11)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 11)))
    killed = await held_at(workshop, seller, "stock_job")
    await workshop.put(("sku-3", 4))

    later = workshop.another()
    await later.runs.take_over()
    run = await later.due(seller, RunKind.STOCK)

    assert workshop.channel.calls["start_stock_job"] == 1
    assert run is not None
    assert run.counts.updated == 11
    assert workshop.shop().units("var-3")["wh1"] == 4
    await let_go(killed)


async def test_a_job_of_a_killed_process_with_an_unknown_answer_is_sent_again(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number) for number in range(1, 11)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 11)))
    killed = await held_at(workshop, seller, "start_stock_job")

    later = workshop.another()
    await later.runs.take_over()
    await later.due(seller, RunKind.STOCK)

    assert {workshop.shop().units(f"var-{number}")["wh1"] for number in range(1, 11)} == {9}
    assert await state_of(workshop, "sku-1") is PushState.CONFIRMED
    await let_go(killed)


async def test_a_cancelled_push_stops_while_it_waits_for_a_job(sqlite_database):
    workshop = Workshop(sqlite_database)
    seller = await a_shop(workshop, *(a_listing(number) for number in range(1, 6)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 6)))
    workshop.shop().polls_until_ready = 10_000
    run = await workshop.queue(seller, RunKind.STOCK)
    running = asyncio.create_task(workshop.runs.execute(run.id))
    await asyncio.sleep(0.05)

    await workshop.runs.cancel(TENANT, run.id)
    await asyncio.wait_for(running, 1)

    assert (await workshop.look(run)).status is RunStatus.CANCELLED


Killed = tuple[asyncio.Task[Run], asyncio.Event]


async def held_at(workshop: Workshop, seller: Integration, operation: str) -> Killed:
    """A push stopped dead in the middle of a call, as far as the database can tell."""
    gate = workshop.channel.hold(operation)
    running = asyncio.create_task(push(workshop, seller))
    await gate.reached.wait()
    return running, gate.open


async def let_go(killed: Killed) -> None:
    """What the stopped push still does must not count."""
    running, gate = killed
    gate.set()
    await running
