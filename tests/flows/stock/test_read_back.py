"""A level is confirmed once the shop shows it, and not before."""

from datetime import timedelta

import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import (
    a_shop,
    drifts,
    let_orders_come,
    listing_of,
    look,
    push,
    set_by_hand,
    state_of,
    told,
)
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import PushState
from channel_sync.domain.push_states import push_state, why
from channel_sync.domain.runs import Outcome, RunKind
from channel_sync.persistence.sql.paging import PageRequest


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def shown(workshop: Workshop, sku: str = "sku-1") -> tuple[PushState, object]:
    """The state of the newest level of a SKU, and its code."""
    listing = await listing_of(workshop, sku)
    state = push_state(listing, listing.wanted_version)
    return state, why(listing, state).code


async def in_a_job(workshop: Workshop, products: int) -> Integration:
    """A shop of so many products, of which each was told 3 units by a job."""
    numbers = range(1, products + 1)
    seller = await a_shop(workshop, *(a_listing(n, quantities=(("wh1", 5),)) for n in numbers))
    await workshop.put(*((f"sku-{n}", 3) for n in numbers))
    run = await push(workshop, seller)
    assert (run.outcome, run.counts.updated) == (Outcome.SUCCESS, products)
    return seller


CONFIRMED = (PushState.CONFIRMED, None)
NOT_SHOWN = (PushState.SENT, "not_shown_yet")


async def test_what_a_small_job_did_is_read_back_and_confirmed(workshop: Workshop):
    await in_a_job(workshop, 5)

    assert {await shown(workshop, f"sku-{n}") for n in range(1, 6)} == {CONFIRMED}
    assert workshop.channel.calls["product"] == 5


async def test_what_a_large_job_did_is_sent_until_the_catalogue_shows_it(workshop: Workshop):
    seller = await in_a_job(workshop, 21)
    assert {await shown(workshop, f"sku-{n}") for n in range(1, 22)} == {NOT_SHOWN}
    assert workshop.channel.calls["product"] == 0

    await look(workshop, seller)

    assert {await shown(workshop, f"sku-{n}") for n in range(1, 22)} == {CONFIRMED}


async def test_what_is_confirmed_is_not_written_again_by_the_next_catalogue(workshop: Workshop):
    seller = await in_a_job(workshop, 21)
    await look(workshop, seller)
    before = await workshop.rows("listings")

    await look(workshop, seller)

    assert await workshop.rows("listings") == before


async def test_units_that_the_shop_had_all_along_are_confirmed_by_the_catalogue_too(workshop: Workshop):
    seller = await in_a_job(workshop, 21)
    await look(workshop, seller)
    await workshop.put_stock.push_again(TENANT, [f"sku-{n}" for n in range(1, 22)])
    await push(workshop, seller)
    assert await shown(workshop) == NOT_SHOWN

    await look(workshop, seller)

    assert await shown(workshop) == CONFIRMED


async def test_what_was_taken_and_not_shown_is_found_by_its_state(workshop: Workshop):
    await in_a_job(workshop, 21)

    async with workshop.database.read() as work:
        page = await work.stock.list(TENANT, PageRequest(50), state=PushState.SENT)

    assert len(page.items) == 21


async def test_a_job_that_did_not_do_what_it_said_is_told_as_a_drift(workshop: Workshop):
    workshop.channel.open_shop("m1").reviewing.add("var-2")
    seller = await in_a_job(workshop, 5)
    assert [await shown(workshop, f"sku-{n}") for n in (1, 2)] == [CONFIRMED, NOT_SHOWN]

    await look(workshop, seller)

    assert [members["at_channel"] for members in await drifts(workshop)] == [5]
    assert await state_of(workshop, "sku-2") is PushState.DRIFTED


async def test_a_shop_that_cannot_be_looked_at_does_not_fail_the_push(workshop: Workshop):
    workshop.channel.break_down("product", ChannelUnavailable("server_error", "Down."))

    await in_a_job(workshop, 5)

    assert await shown(workshop) == NOT_SHOWN


async def test_a_change_that_is_reviewed_is_sent_until_it_shows_and_no_drift_meanwhile(workshop: Workshop):
    workshop.channel.open_shop("m1").reviewing.add("var-1")
    seller = await told(workshop, 7)
    for _ in range(2):
        assert await shown(workshop) == (PushState.SENT, "under_review")
        await look(workshop, seller)
        await let_orders_come(workshop, seller)
    assert await drifts(workshop) == []

    set_by_hand(workshop, 7)
    await look(workshop, seller)

    assert await shown(workshop) == CONFIRMED


async def test_a_look_at_the_shop_for_a_lost_call_confirms_what_a_job_did(workshop: Workshop):
    seller = await in_a_job(workshop, 21)
    listing, long_ago = await listing_of(workshop, "sku-1"), utcnow() - timedelta(minutes=20)
    async with workshop.database.begin() as work:
        # A call of before that is given up only now.
        await work.doubts.unanswered("run_1", [listing.id], long_ago)

    await workshop.due(seller, RunKind.STOCK)

    assert [await shown(workshop, f"sku-{n}") for n in (1, 2)] == [CONFIRMED, NOT_SHOWN]
