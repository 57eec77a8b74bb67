import asyncio

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, listing_of, push, state_of
from tests.flows.workshop import IMPATIENT, TENANT, Workshop
from tests.stores import ON_SQLITE

from channel_sync.domain.errors import ChannelRefused
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import ChannelListing, PushState
from channel_sync.domain.runs import Outcome, Run, RunKind, RunStatus


def in_one_warehouse(number: int, **changes) -> ChannelListing:
    """A listing that may go in a job at once."""
    return a_listing(number, quantities=(("wh1", 5),), **changes)


Killed = tuple[asyncio.Task[Run], asyncio.Event]


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_many_products_go_as_one_job(workshop: Workshop):
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in range(1, 101)))
    await workshop.put(*((f"sku-{number}", number) for number in range(1, 101)))

    run = await push(workshop, seller)

    assert run.counts.updated == 100
    assert (workshop.channel.calls["start_stock_job"], workshop.channel.calls["set_stock"]) == (1, 0)
    assert [workshop.shop().units(f"var-{number}")["wh1"] for number in range(1, 101)] == list(range(1, 101))


async def test_a_job_takes_250_products_and_one_is_open_at_a_time(workshop: Workshop):
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in range(1, 601)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 601)))

    await push(workshop, seller)

    assert workshop.channel.calls["start_stock_job"] == 3
    polled_before_next = [call for call, _ in workshop.channel.log if call in ("start_stock_job", "stock_job")]
    assert polled_before_next == ["start_stock_job", "stock_job"] * 3


async def test_refused_products_of_a_job_keep_the_reason_and_wait_for_a_change(workshop: Workshop):
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in range(1, 101)))
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


async def test_a_refused_variation_does_not_hold_back_its_siblings(workshop: Workshop):
    seller = await a_shop(workshop, *(in_one_warehouse(n, product=n // 2) for n in range(2, 12)))
    workshop.shop().refusals = {"var-4": ("90001", "Not allowed.")}
    await workshop.put(*((f"sku-{number}", 9) for number in range(2, 12)))

    await push(workshop, seller)

    assert await state_of(workshop, "sku-4") is PushState.REJECTED
    assert await state_of(workshop, "sku-5") is PushState.CONFIRMED


async def test_a_job_that_fails_is_halved_until_single_products_remain(workshop: Workshop):
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in range(1, 9)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 9)))
    workshop.shop().failing_jobs = {f"stock-{number}" for number in range(1, 10)}

    run = await push(workshop, seller)

    assert workshop.channel.calls["start_stock_job"] == 3
    assert run.counts.updated == 8
    assert {workshop.shop().units(f"var-{number}")["wh1"] for number in range(1, 9)} == {9}


@pytest.mark.parametrize("ends", ["failed", "never"])
async def test_a_job_of_many_listings_is_let_go_piece_by_piece(database, ends):
    workshop = Workshop(database)
    seller = await a_shop(workshop, *(in_one_warehouse(number, product=number % 5) for number in range(300)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(300)))
    if ends == "failed":
        workshop.shop().failing_jobs = {f"stock-{number}" for number in range(1, 10)}
    else:
        workshop.shop().polls_until_ready = 10_000

    run = await push(workshop.another(waits=IMPATIENT), seller)

    assert run.counts.updated == 300
    assert {workshop.shop().units(f"var-{number}")["wh1"] for number in range(300)} == {9}
    async with database.read() as work:
        assert await work.stock_jobs.open(seller.account_id or "") is None


async def test_a_job_that_is_refused_at_the_door_is_halved_too(workshop: Workshop):
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in range(1, 7)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 7)))
    workshop.channel.fail("start_stock_job", ChannelRefused("90001", "Too much."))

    run = await push(workshop, seller)

    assert (run.counts.updated, workshop.channel.calls["set_stock"]) == (6, 6)


async def test_a_job_that_never_ends_is_given_up_for_single_products(database):
    workshop = Workshop(database)
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in range(1, 6)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 6)))
    workshop.shop().polls_until_ready = 10_000

    run = await push(workshop.another(waits=IMPATIENT), seller)

    assert (run.counts.updated, workshop.channel.calls["set_stock"]) == (5, 5)


@ON_SQLITE
async def test_a_job_of_a_killed_process_is_followed_to_its_end(workshop: Workshop):
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in range(1, 11)))
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


@ON_SQLITE
async def test_a_job_of_a_killed_process_with_an_unknown_answer_is_sent_again(workshop: Workshop):
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in range(1, 11)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 11)))
    killed = await held_at(workshop, seller, "start_stock_job")

    later = workshop.another()
    await later.runs.take_over()
    await later.due(seller, RunKind.STOCK)

    assert {workshop.shop().units(f"var-{number}")["wh1"] for number in range(1, 11)} == {9}
    assert await state_of(workshop, "sku-1") is PushState.SENT
    await let_go(killed)


async def test_a_cancelled_push_stops_while_it_waits_for_a_job(database):
    workshop = Workshop(database)
    seller = await a_shop(workshop, *(in_one_warehouse(number) for number in range(1, 6)))
    await workshop.put(*((f"sku-{number}", 9) for number in range(1, 6)))
    workshop.shop().polls_until_ready = 10_000
    run = await workshop.queue(seller, RunKind.STOCK)
    running = asyncio.create_task(workshop.runs.execute(run.id))
    await asyncio.sleep(0.05)

    await workshop.runs.cancel(TENANT, run.id)
    await asyncio.wait_for(running, 1)

    assert (await workshop.look(run)).status is RunStatus.CANCELLED


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
