"""What is at the marketplace no more: gone with the next read of the catalogue, and nothing else is."""

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import listed, sync
from tests.flows.workshop import Workshop

from channel_sync.domain.errors import ChannelRefused, ChannelUnavailable, ReplyNotUnderstood
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import Mapping
from channel_sync.domain.runs import Outcome, Trigger

MAPPED, GONE = Mapping.MAPPED, Mapping.GONE


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def known(workshop: Workshop) -> Integration:
    """A shop with a product of two listings and one of a single listing, read as a whole."""
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1), a_listing(2, product=1), a_listing(3))
    await sync(workshop, seller)
    return seller


async def mappings(workshop: Workshop, seller: Integration) -> list[Mapping]:
    listings = await listed(workshop, seller)
    return [listings[f"var-{n}"].mapping for n in (1, 2, 3)]


async def test_a_listing_that_is_not_there_any_more_is_gone(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1), a_listing(2))
    await sync(workshop, seller)
    workshop.shop().take_down("var-1")

    await sync(workshop, seller)

    listings = await listed(workshop, seller)
    assert listings["var-1"].mapping is Mapping.GONE
    assert listings["var-2"].mapping is Mapping.MAPPED


async def test_a_download_that_breaks_off_declares_nothing_gone(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1))
    await sync(workshop, seller)
    workshop.channel.fail("catalogue", ChannelUnavailable("server_error", "Down."))

    run = await sync(workshop, seller)

    assert run.outcome is Outcome.FAILED
    assert (await listed(workshop, seller))["var-1"].mapping is Mapping.MAPPED


async def test_a_listing_that_cannot_be_read_is_not_gone(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1), a_listing(2), a_listing(3))
    await sync(workshop, seller)
    workshop.shop().unreadable.add("var-1")
    workshop.shop().take_down("var-2")

    run = await sync(workshop, seller)

    listings = await listed(workshop, seller)
    assert [listings[f"var-{n}"].mapping for n in (1, 2, 3)] == [Mapping.MAPPED] * 3
    assert run.outcome is Outcome.PARTIAL
    assert run.error is not None
    assert run.error.code == "catalogue_partly_unreadable"


async def test_an_empty_catalogue_declares_nothing_gone(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1))
    await sync(workshop, seller)
    workshop.shop().take_down("var-1")

    await sync(workshop, seller)

    assert (await listed(workshop, seller))["var-1"].mapping is Mapping.MAPPED


async def test_a_catalogue_of_deleted_products_alone_declares_all_gone(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1))
    await sync(workshop, seller)
    workshop.shop().take_down("var-1")
    workshop.shop().deleted = 1

    await sync(workshop, seller)

    assert (await listed(workshop, seller))["var-1"].mapping is Mapping.GONE


async def test_a_deleted_product_is_gone_with_the_next_read_of_what_changed(workshop: Workshop):
    seller = await known(workshop)
    for variation_id in ("var-1", "var-2"):
        workshop.shop().take_down(variation_id)

    run = await sync(workshop, seller, trigger=Trigger.SCHEDULE)

    assert await mappings(workshop, seller) == [GONE, GONE, MAPPED]
    assert workshop.channel.calls["start_catalogue"] == 1
    assert run.counts.updated == 2
    assert (await sync(workshop, seller, trigger=Trigger.SCHEDULE)).outcome is Outcome.NO_CHANGES


async def test_a_listing_taken_out_of_its_product_is_gone_with_the_next_read_of_what_changed(workshop: Workshop):
    seller = await known(workshop)
    workshop.shop().take_down("var-2")

    await sync(workshop, seller, trigger=Trigger.SCHEDULE)

    assert await mappings(workshop, seller) == [MAPPED, GONE, MAPPED]


async def test_the_sku_of_a_deleted_product_feeds_the_other_listing_that_has_it(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1, sku="twin"), a_listing(2, sku="twin"), a_listing(3))
    await sync(workshop, seller)
    workshop.shop().take_down("var-1")

    await sync(workshop, seller, trigger=Trigger.SCHEDULE)

    assert await mappings(workshop, seller) == [GONE, MAPPED, MAPPED]


@pytest.mark.parametrize("refusal", [ChannelRefused("90002", "No."), ReplyNotUnderstood("not_json", "No.")])
async def test_a_product_that_is_not_shown_loses_no_listing(workshop: Workshop, refusal):
    seller = await known(workshop)
    workshop.shop().put_up(a_listing(1))
    workshop.channel.break_down("product", refusal)

    await sync(workshop, seller, trigger=Trigger.SCHEDULE)

    assert await mappings(workshop, seller) == [MAPPED] * 3


async def test_a_product_that_can_be_read_in_part_loses_no_listing(workshop: Workshop):
    seller = await known(workshop)
    workshop.shop().put_up(a_listing(1, units=9))
    workshop.shop().unreadable.add("var-2")

    run = await sync(workshop, seller, trigger=Trigger.SCHEDULE)

    assert await mappings(workshop, seller) == [MAPPED] * 3
    assert (run.outcome, run.counts.updated) == (Outcome.PARTIAL, 1)


async def test_a_product_that_comes_without_any_listing_loses_none(workshop: Workshop):
    seller = await known(workshop)
    workshop.shop().put_up(a_listing(3))
    workshop.shop().bare.add("pro-3")

    await sync(workshop, seller, trigger=Trigger.SCHEDULE)

    assert await mappings(workshop, seller) == [MAPPED] * 3
