"""What mapping a listing by hand means for what is sent to it."""

import pytest
from tests.flows.goods import a_listing
from tests.flows.workshop import TENANT, Workshop, waiting

from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import Listing, Mapping
from channel_sync.domain.runs import RunKind
from channel_sync.flows.stock.mapping import MapListings
from channel_sync.persistence.sql.paging import PageRequest


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def the_listing(workshop: Workshop, seller: Integration) -> Listing:
    async with workshop.database.read() as work:
        [listing] = (await work.listings.list(TENANT, seller.id, PageRequest(9))).items
    return listing


async def map_to(workshop: Workshop, seller: Integration, sku: str | None) -> dict[str, bool]:
    mapped = MapListings(workshop.database, workshop.nudge)
    return await mapped.map(TENANT, {(await the_listing(workshop, seller)).id: sku})


async def carry_out_what_is_due(workshop: Workshop) -> None:
    await workshop.runs.start_due(RunKind.STOCK)
    for run_id in await waiting(workshop.runs):
        await workshop.runs.execute(run_id)


@pytest.fixture
async def seller(workshop: Workshop) -> Integration:
    """A shop with one listing that has no SKU, and a level that nothing is fed by yet."""
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1, sku=None))
    await workshop.run(seller, RunKind.LISTINGS)
    await workshop.put(("OURS", 3))
    return seller


async def test_a_listing_that_is_mapped_is_due_for_its_level_at_once(workshop: Workshop, seller: Integration):
    nudges = workshop.nudges

    await map_to(workshop, seller, "OURS")
    await carry_out_what_is_due(workshop)

    assert workshop.nudges == nudges + 1
    assert workshop.shop().stock_writes == [("var-1", 3)]


async def test_mapping_it_the_same_way_again_makes_nothing_due(workshop: Workshop, seller: Integration):
    [first] = (await map_to(workshop, seller, "OURS")).values()
    await carry_out_what_is_due(workshop)
    nudges, before = workshop.nudges, await workshop.rows("listings", "schedules")

    [again] = (await map_to(workshop, seller, "OURS")).values()

    assert (first, again) == (True, False)
    assert (workshop.nudges, await workshop.rows("listings", "schedules")) == (nudges, before)


async def test_a_catalogue_read_leaves_what_was_mapped_by_hand(workshop: Workshop, seller: Integration):
    await map_to(workshop, seller, "OURS")
    workshop.shop().put_up(a_listing(1, sku="theirs"))

    await workshop.run(seller, RunKind.LISTINGS)

    listing = await the_listing(workshop, seller)
    assert (listing.sku, listing.mapped_sku, listing.stock_sku) == ("theirs", "OURS", "OURS")
    assert listing.mapping is Mapping.MAPPED
