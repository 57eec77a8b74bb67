"""A push looked at before it is made: every change is listed, and nothing is sent or stored of it."""

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, push
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.integrations import Integration
from channel_sync.domain.runs import Outcome, Run, RunKind
from channel_sync.domain.stock import UnitRules
from channel_sync.persistence.sql.paging import PageRequest


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def dry_run(workshop: Workshop, seller: Integration, **members) -> Run:
    return await workshop.run(seller, RunKind.STOCK, dry_run=True, **members)


async def changes_of(workshop: Workshop, run: Run) -> list[tuple[str, int, int]]:
    async with workshop.database.read() as work:
        page = await work.run_changes.list(run.id, PageRequest(5000, None))
    return sorted((change.sku, change.before, change.quantity) for change in page.items)


async def test_what_waits_is_listed_with_what_the_shop_shows_and_nothing_is_sent(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1, units=5), a_listing(2, units=5), a_listing(3, units=5))
    await workshop.put(("sku-1", 3), ("sku-2", 5))
    before = await workshop.rows("listings", "stock_levels", "integrations", "accounts")

    run = await dry_run(workshop, seller)

    assert (run.outcome, run.counts.updated, run.counts.unchanged) == (Outcome.SUCCESS, 1, 1)
    assert await changes_of(workshop, run) == [("sku-1", 5, 3)]
    assert workshop.shop().stock_writes == []
    assert await workshop.rows("listings", "stock_levels", "integrations", "accounts") == before


async def test_what_was_sent_would_not_be_sent_again(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    await workshop.put(("sku-1", 3))
    await push(workshop, seller)

    run = await dry_run(workshop, seller)

    assert (run.outcome, await changes_of(workshop, run)) == (Outcome.NO_CHANGES, [])


async def test_other_rules_are_tried_on_every_listing(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number) for number in (1, 2, 3)))
    await workshop.put(("sku-1", 3), ("sku-2", 9), ("sku-3", 12))
    await push(workshop, seller)
    async with workshop.database.begin() as work:
        await work.stock_rules.set_for_skus(TENANT, {"sku-3": UnitRules(maximum=500_000)})

    run = await dry_run(workshop, seller, rules=UnitRules(maximum=5))

    assert await changes_of(workshop, run) == [("sku-2", 9, 5)]
    assert run.rules == UnitRules(maximum=5)


async def test_dry_runs_of_different_rules_are_different_runs(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1))
    runs = [await workshop.queue(seller, RunKind.STOCK, dry_run=True, rules=UnitRules(buffer=n)) for n in (1, 2)]
    same = await workshop.queue(seller, RunKind.STOCK, dry_run=True, rules=UnitRules(buffer=2))
    ordinary = await workshop.queue(seller, RunKind.STOCK)

    assert len({run.id for run in (*runs, ordinary)}) == 3
    assert same.id == runs[1].id


async def test_many_listings_are_looked_through_in_pieces(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number, units=5) for number in range(1, 601)))
    await workshop.put(*((f"sku-{number}", 6) for number in range(1, 601)))

    run = await dry_run(workshop, seller)

    assert (run.counts.updated, len(await changes_of(workshop, run))) == (600, 600)


async def test_a_dry_run_says_where_the_brake_would_stop_the_push(workshop: Workshop):
    listings = [a_listing(number, quantities=(("wh1", 5),)) for number in range(1, 31)]
    seller = await a_shop(workshop, *listings)
    await workshop.put(*((f"sku-{number}", 5) for number in range(1, 31)))
    await push(workshop, seller)

    run = await dry_run(workshop, seller, rules=UnitRules(end_when=6))

    assert (run.outcome, run.error and run.error.code) == (Outcome.PARTIAL, "stock_braked")
    assert len(await changes_of(workshop, run)) == 30
    assert await workshop.events("stock.braked") == []
