"""Steps of the stock tests."""

from tests.flows.workshop import TENANT, Workshop
from tests.stored import fed_by

from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import Listing, PushState
from channel_sync.domain.push_states import push_state
from channel_sync.domain.runs import Run, RunKind


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
        [listing] = await fed_by(work, sku)
    return listing


async def state_of(workshop: Workshop, sku: str) -> PushState:
    async with workshop.database.read() as work:
        level = await work.stock.get(TENANT, sku)
    return push_state(await listing_of(workshop, sku), level.version)
