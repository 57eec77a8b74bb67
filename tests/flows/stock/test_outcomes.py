import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, listing_of, push, state_of
from tests.flows.workshop import Workshop

from channel_sync.domain.listings import ListingStock, ProductStock, PushState, StockOutcome
from channel_sync.domain.runs import Counts, Outcome
from channel_sync.flows.stock.outcomes import accepted, listings_of, refused

STOCKS = tuple(ListingStock(f"lst-{n}", f"var-{n}", n, 5, (("wh1", 5),)) for n in (1, 2, 3))
PRODUCT, OTHER = ProductStock("pro-1", STOCKS[:2]), ProductStock("pro-2", STOCKS[2:])


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


def test_the_listings_of_products_are_in_their_order():
    assert listings_of([OTHER, PRODUCT]) == [STOCKS[2], *STOCKS[:2]]


def test_a_product_is_accepted_or_refused_with_all_its_listings_at_the_versions_that_were_sent():
    unseen = [StockOutcome(f"lst-{n}", n, True, shown=False) for n in (1, 2)]
    assert accepted(PRODUCT) == unseen
    assert refused(PRODUCT, "1004", "Gone.") == [
        StockOutcome("lst-1", 1, False, "1004", "Gone."),
        StockOutcome("lst-2", 2, False, "1004", "Gone."),
    ]


async def test_each_outcome_is_settled_and_counted_and_each_refusal_told(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number, quantities=(("wh1", 5),)) for number in (1, 2, 3)))
    workshop.shop().refusals = {"var-2": ("1004", "Blocked."), "var-3": ("1004", "Blocked.")}
    await workshop.put(("sku-1", 2), ("sku-2", 2), ("sku-3", 2))

    run = await push(workshop, seller)

    assert run.counts == Counts(updated=1, failed=2)
    listing = await listing_of(workshop, "sku-2")
    assert (listing.push_code, listing.push_reason) == ("1004", "Blocked.")
    assert [await state_of(workshop, f"sku-{n}") for n in (1, 2)] == [PushState.CONFIRMED, PushState.REJECTED]
    events = await workshop.events("stock.rejected")
    assert len(events) == 2
    [event] = [event for event in events if event.members["listing_id"] == listing.id]
    assert event.members == {"listing_id": listing.id, "version": 1, "code": "1004"}
    assert (event.integration_id, event.tenant) == (seller.id, seller.tenant)


async def test_a_run_says_what_was_refused_most_often(workshop: Workshop):
    seller = await a_shop(workshop, *(a_listing(number, quantities=(("wh1", 5),)) for number in (1, 2, 3)))
    workshop.shop().refusals = {"var-1": ("2001", "Odd."), "var-2": ("1004", "No."), "var-3": ("1004", "No.")}
    await workshop.put(("sku-1", 2), ("sku-2", 2), ("sku-3", 2))

    run = await push(workshop, seller)

    assert run.error is not None
    assert (run.outcome, run.error.code, run.error.message) == (Outcome.FAILED, "1004", "No.")


async def test_a_run_without_a_refusal_has_no_flaw_and_tells_nothing(workshop: Workshop):
    seller = await a_shop(workshop, a_listing(1, quantities=(("wh1", 5),)))
    await workshop.put(("sku-1", 2))

    run = await push(workshop, seller)

    assert (run.outcome, run.error) == (Outcome.SUCCESS, None)
    assert await workshop.events("stock.rejected") == []
