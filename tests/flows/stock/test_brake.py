"""A push that would empty a shop stops before it sends anything, and waits for a person."""

from dataclasses import replace

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, push
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.integrations import IntegrationSettings
from channel_sync.domain.runs import Outcome, RunKind
from channel_sync.domain.stock import StockSettings
from channel_sync.flows.scheduling.due import next_stock_at
from channel_sync.flows.stock.brake import Brakes
from channel_sync.flows.stock.line import LineRules
from channel_sync.flows.stock.push import PushStock

ALL = range(1, 31)


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def a_full_shop(workshop: Workshop, numbers=ALL, **stock):
    """A shop all of whose listings were told 9 units, 5 at first."""
    settings = IntegrationSettings(stock=StockSettings(**stock))
    listings = [a_listing(number, quantities=(("wh1", 5),)) for number in numbers]
    seller = await a_shop(workshop, *listings, settings=settings)
    await put(workshop, numbers, 9)
    await push(workshop, seller)
    workshop.shop().stock_writes.clear()
    return seller


async def put(workshop: Workshop, numbers, units: int) -> None:
    await workshop.put(*((f"sku-{number}", units) for number in numbers))


async def incidents_of(workshop: Workshop, seller) -> list[str]:
    async with workshop.database.read() as work:
        return [one.kind for one in (await work.incidents.open_of([seller.id])).get(seller.id, [])]


async def release(workshop: Workshop, seller) -> None:
    await Brakes(workshop.database, workshop.nudge).release(TENANT, seller.id)


async def test_a_push_that_would_empty_most_of_a_shop_stops_before_the_first(workshop: Workshop):
    seller = await a_full_shop(workshop)
    await put(workshop, ALL, 0)

    run = await push(workshop, seller)

    assert (run.outcome, run.error and (run.error.code, run.error.kind, run.error.origin)) == (
        Outcome.FAILED,
        ("stock_braked", "data", "service"),
    )
    assert workshop.shop().stock_writes == []
    assert await incidents_of(workshop, seller) == ["stock_braked"]
    (event,) = await workshop.events("stock.braked")
    assert event.members == {"emptied": 30, "listings": 30, "percent": 50}


async def test_while_the_brake_is_on_nothing_is_sent_whoever_tries_and_however_often(workshop: Workshop):
    seller = await a_full_shop(workshop)
    await put(workshop, ALL, 0)
    await push(workshop, seller)
    await put(workshop, [1], 50)

    runs = [await push(workshop.another(), seller), await push(workshop, seller)]

    assert {run.error and run.error.code for run in runs} == {"stock_braked"}
    assert workshop.shop().stock_writes == []
    assert len(await workshop.events("stock.braked")) == 1


async def test_a_release_lets_everything_go(workshop: Workshop):
    seller = await a_full_shop(workshop)
    await put(workshop, ALL, 0)
    await push(workshop, seller)

    await release(workshop, seller)
    run = await push(workshop, seller)

    assert (run.outcome, run.counts.updated) == (Outcome.SUCCESS, 30)
    assert {workshop.shop().units(f"var-{number}")["wh1"] for number in ALL} == {0}
    assert await incidents_of(workshop, seller) == []
    assert len(await workshop.events("stock.brake_released")) == 1


async def test_what_was_corrected_before_the_release_is_sent_as_it_is_then(workshop: Workshop):
    seller = await a_full_shop(workshop)
    await put(workshop, ALL, 0)
    await push(workshop, seller)
    await put(workshop, ALL, 4)

    await release(workshop, seller)
    await push(workshop, seller)

    assert {units for _, units in workshop.shop().stock_writes} == {4}


async def test_a_released_push_that_is_cut_off_goes_on(workshop: Workshop):
    seller = await a_full_shop(workshop)
    await put(workshop, ALL, 0)
    await push(workshop, seller)
    await release(workshop, seller)
    workshop.channel.fail("start_stock_job", ChannelUnavailable("server_error", "Down.", did_nothing=True))
    await push(workshop, seller)

    run = await push(workshop, seller)

    assert (run.outcome, run.counts.updated) == (Outcome.SUCCESS, 30)


async def test_after_a_release_the_next_push_is_looked_at_again(workshop: Workshop):
    seller = await a_full_shop(workshop)
    await put(workshop, ALL, 0)
    await push(workshop, seller)
    await release(workshop, seller)
    await push(workshop, seller)
    await put(workshop, ALL, 9)
    await push(workshop, seller)
    await put(workshop, ALL, 0)

    run = await push(workshop, seller)

    assert (run.error and run.error.code, len(await workshop.events("stock.braked"))) == ("stock_braked", 2)


async def test_single_sales_never_trip_it(workshop: Workshop):
    seller = await a_full_shop(workshop, range(1, 23))
    outcomes = []
    for number in range(1, 23):
        await put(workshop, [number], 0)
        outcomes.append((await push(workshop, seller)).outcome)

    assert set(outcomes) == {Outcome.SUCCESS}


@pytest.mark.parametrize(
    ("shop_has", "emptied", "percent"), [(19, 19, 50), (44, 20, 50), (40, 20, 50), (30, 30, 100)]
)
async def test_few_listings_or_a_small_share_do_not_trip_it(workshop: Workshop, shop_has, emptied, percent):
    seller = await a_full_shop(workshop, range(1, shop_has + 1), brake_percent=percent)
    await put(workshop, range(1, emptied + 1), 0)

    assert (await push(workshop, seller)).outcome is Outcome.SUCCESS


async def test_what_is_empty_already_is_not_emptied(workshop: Workshop):
    listings = [a_listing(number, quantities=(("wh1", 0),)) for number in ALL]
    seller = await a_shop(workshop, *listings)
    await put(workshop, ALL, 0)

    assert (await push(workshop, seller)).outcome is Outcome.SUCCESS


async def test_rules_that_empty_a_shop_trip_it_as_levels_do(workshop: Workshop):
    seller = await a_full_shop(workshop)
    async with workshop.database.begin() as work:
        integration = await work.integrations.get(TENANT, seller.id)
        stock = replace(integration.settings.stock, end_when=10)
        await work.integrations.save(replace(integration, settings=IntegrationSettings(stock=stock)))
        await work.stock_rules.changed(seller.account_id or "")

    run = await push(workshop, seller)

    assert (run.error and run.error.code, workshop.shop().stock_writes) == ("stock_braked", [])


async def test_a_line_is_looked_through_before_its_first_is_told(database):
    workshop = Workshop(database, walks={RunKind.STOCK: PushStock(LineRules(at_once=8))})
    seller = await a_full_shop(workshop)
    await put(workshop, ALL, 0)

    run = await push(workshop, seller)

    assert (run.error and run.error.code, workshop.shop().stock_writes) == ("stock_braked", [])
    await release(workshop, seller)
    assert (await push(workshop, seller)).counts.updated == 30


async def test_a_braked_shop_is_not_due_for_its_stock(workshop: Workshop):
    seller = await a_full_shop(workshop)
    await put(workshop, ALL, 0)
    async with workshop.database.read() as work:
        assert await next_stock_at(work, [seller], utcnow())
    await push(workshop, seller)

    async with workshop.database.read() as work:
        assert await next_stock_at(work, [seller], utcnow()) == {}
        assert await work.stock.integrations_to_push(TENANT, ["sku-1"]) == []


async def test_a_release_without_a_brake_says_and_changes_nothing(workshop: Workshop):
    seller = await a_full_shop(workshop)

    _, account = await Brakes(workshop.database, workshop.nudge).release(TENANT, seller.id)

    assert (account.brake, account.brake_released_at) == (None, None)
    assert await workshop.events("stock.brake_released") == []
