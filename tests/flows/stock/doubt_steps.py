"""Calls without an outcome, and time that passes after them."""

from datetime import timedelta

import time_machine
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop, listing_of, push, state_of
from tests.flows.workshop import Workshop, waiting

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import NoAnswer
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import ListingStock, PushState
from channel_sync.domain.push_states import why
from channel_sync.domain.runs import Outcome, RunKind

TIMEOUT = NoAnswer("timeout", "No answer.")


def in_one_warehouse(number: int):
    return a_listing(number, quantities=(("wh1", 5),))


async def go_on(workshop: Workshop, seconds: float) -> None:
    """Let the clock start what is due so many seconds from now."""
    with time_machine.travel(utcnow() + timedelta(seconds=seconds), tick=True):
        await workshop.runs.start_due(RunKind.STOCK)
        for run_id in await waiting(workshop.runs):
            await workshop.runs.execute(run_id)


def lands(workshop: Workshop, units: int, number: int = 1, seconds: float = 0) -> None:
    """A call that we gave up takes effect so many seconds from now."""
    late = ListingStock(f"lst-{number}", f"var-{number}", 1, units, (("wh1", units),))
    with time_machine.travel(utcnow() + timedelta(seconds=seconds), tick=True):
        assert workshop.shop().write(late) is None


async def shown(workshop: Workshop) -> tuple[PushState, str | None]:
    listing = await listing_of(workshop, "sku-1")
    state = await state_of(workshop, "sku-1")
    return state, why(listing, state)[0]


async def lost(workshop: Workshop, units: int = 1) -> Integration:
    """A shop that was told so many units by a call without an answer."""
    seller = await a_shop(workshop, in_one_warehouse(1))
    await workshop.put(("sku-1", units))
    workshop.channel.fail("set_stock", TIMEOUT)
    run = await push(workshop, seller)
    assert run.outcome is Outcome.FAILED
    return seller
