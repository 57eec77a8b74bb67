from datetime import timedelta

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import listed, sync
from tests.flows.workshop import IMPATIENT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.listings import Mapping
from channel_sync.domain.runs import Outcome, RunKind, Trigger


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_the_first_run_downloads_the_whole_catalogue_and_maps_it(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(*(a_listing(number) for number in range(1, 451)), a_listing(500, sku=None))
    workshop.shop().polls_until_ready = 3

    run = await sync(workshop, seller)

    listings = await listed(workshop, seller)
    assert run.counts.created == len(listings) == 451
    assert listings["var-7"].mapping is Mapping.MAPPED
    assert listings["var-500"].mapping is Mapping.UNMAPPED


async def test_a_sku_on_two_listings_is_ambiguous(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1, sku="twin"), a_listing(2, sku="twin"), a_listing(3))

    await sync(workshop, seller)

    listings = await listed(workshop, seller)
    assert [listings[f"var-{n}"].mapping for n in (1, 2, 3)] == [
        Mapping.AMBIGUOUS,
        Mapping.AMBIGUOUS,
        Mapping.MAPPED,
    ]


async def test_a_second_download_of_an_unchanged_catalogue_writes_no_listing(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1), a_listing(2))
    await workshop.put(("sku-1", 3))
    await sync(workshop, seller)
    before = await workshop.rows("listings", "stock_levels")

    run = await sync(workshop, seller)

    assert run.outcome is Outcome.NO_CHANGES
    assert await workshop.rows("listings", "stock_levels") == before


async def test_between_downloads_only_changed_products_are_read(workshop: Workshop):
    seller = await workshop.connect()
    long_ago = utcnow() - timedelta(days=3)
    workshop.shop().put_up(*(a_listing(number) for number in range(1, 30)), changed_at=long_ago)
    await sync(workshop, seller)
    workshop.shop().put_up(a_listing(2, sku="renamed"), a_listing(31))

    run = await sync(workshop, seller, trigger=Trigger.SCHEDULE)

    assert (workshop.channel.calls["product"], workshop.channel.calls["start_catalogue"]) == (2, 1)
    assert (run.counts.created, run.counts.updated) == (1, 1)
    assert (await listed(workshop, seller))["var-2"].sku == "renamed"


async def test_too_many_changed_products_are_downloaded_instead(workshop: Workshop):
    seller = await workshop.connect()
    await sync(workshop, seller)
    workshop.shop().put_up(*(a_listing(number) for number in range(1, 202)))

    await sync(workshop, seller, trigger=Trigger.SCHEDULE)

    assert (workshop.channel.calls["product"], workshop.channel.calls["start_catalogue"]) == (0, 2)
    assert len(await listed(workshop, seller)) == 201


async def test_listings_stored_before_a_failure_are_mapped(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(99))
    await sync(workshop, seller)
    workshop.shop().put_up(*(a_listing(number) for number in range(1, 21)))
    workshop.shop().put_up(a_listing(99))
    workshop.channel.fail_after("product", 20, ChannelUnavailable("server_error", "Down."))

    broken_off = await sync(workshop, seller, trigger=Trigger.SCHEDULE)

    assert (broken_off.outcome, broken_off.counts.created) == (Outcome.FAILED, 20)
    assert {one.mapping for one in (await listed(workshop, seller)).values()} == {Mapping.MAPPED}


async def test_a_download_that_is_never_ready_is_given_up(database):
    workshop = Workshop(database, waits=IMPATIENT)
    seller = await workshop.connect()
    workshop.shop().polls_until_ready = 10_000

    run = await sync(workshop, seller)

    assert run.error is not None
    assert (run.error.code, run.error.retryable) == ("catalogue_overdue", True)


async def test_a_new_listing_of_a_known_sku_is_due_for_its_stock(workshop: Workshop):
    seller = await workshop.connect()
    await workshop.put(("sku-1", 3))
    workshop.shop().put_up(a_listing(1))

    await sync(workshop, seller)
    await workshop.due(seller, RunKind.STOCK)

    assert workshop.shop().units("var-1") == {"wh1": 3, "wh2": 7}


async def test_a_second_listing_with_the_sku_does_not_stop_the_first(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1))
    await sync(workshop, seller)
    await workshop.put(("sku-1", 9))
    await workshop.run(seller, RunKind.STOCK)
    workshop.shop().put_up(a_listing(2, sku="sku-1"))

    await sync(workshop, seller)
    await workshop.put(("sku-1", 1))
    await workshop.run(seller, RunKind.STOCK)

    assert workshop.shop().stock_writes == [("var-1", 9), ("var-1", 1)]
    assert (await listed(workshop, seller))["var-2"].mapping is Mapping.AMBIGUOUS


async def test_a_run_that_finds_nothing_new_writes_nothing_but_itself(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1), changed_at=utcnow() - timedelta(days=3))
    await sync(workshop, seller)
    before = await workshop.rows("listings", "accounts")

    run = await sync(workshop, seller, trigger=Trigger.SCHEDULE)

    assert run.outcome is Outcome.NO_CHANGES
    assert await workshop.rows("listings", "accounts") == before
