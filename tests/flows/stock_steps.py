"""Steps of the stock tests."""

from dataclasses import replace

from sqlalchemy import Connection, text
from tests.flows.goods import a_listing, an_order
from tests.flows.workshop import TENANT, Workshop
from tests.stored import fed_by

from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import Listing, PushState
from channel_sync.domain.orders import OrderContent, OrderLine
from channel_sync.domain.push_states import push_state
from channel_sync.domain.runs import Run, RunKind
from channel_sync.persistence.sql.paging import PageRequest


async def a_shop(workshop: Workshop, *listings, **changes) -> Integration:
    """An integration whose listings are known."""
    seller = await workshop.connect(**changes)
    workshop.shop().put_up(*listings)
    await workshop.run(seller, RunKind.LISTINGS)
    return seller


async def listed(workshop: Workshop, seller: Integration) -> dict[str, Listing]:
    async with workshop.database.read() as work:
        page = await work.listings.list(TENANT, seller.id, PageRequest(1000, None))
    return {listing.variation_id: listing for listing in page.items}


async def sync(workshop: Workshop, seller: Integration, **members) -> Run:
    return await workshop.run(seller, RunKind.LISTINGS, **members)


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


async def told(workshop: Workshop, units: int = 7) -> Integration:
    """A shop whose only listing shows what it was told."""
    seller = await a_shop(workshop, a_listing(1, quantities=(("wh1", 5),)))
    await workshop.put(("sku-1", units))
    await push(workshop, seller)
    return seller


def set_by_hand(workshop: Workshop, units: int) -> None:
    """What a person does at the marketplace; a customer's purchase shows no differently."""
    listing = workshop.shop().listings["var-1"]
    workshop.shop().put_up(replace(listing, quantities=(("wh1", units),)))


async def look(workshop: Workshop, seller: Integration) -> None:
    """Read the catalogue."""
    await workshop.run(seller, RunKind.LISTINGS)


async def drifts(workshop: Workshop) -> list[dict[str, str | int | bool | None]]:
    """What was told of drifts."""
    return [event.members for event in await workshop.events("stock.drift_detected")]


async def sell(workshop: Workshop, seller: Integration, quantity: int, number: int = 1) -> None:
    """An order for the listing, bought now and downloaded."""
    line = OrderLine("sku-1", "var-1", "pro-1", "Cup", {}, quantity, None, None)
    content = OrderContent((line,), None, "merchant", (), ())
    workshop.shop().place(an_order(number, updated_at=utcnow(), content=content))
    run = await workshop.due(seller, RunKind.ORDERS)
    assert run is not None
    assert run.counts.created == 1


async def let_orders_come(workshop: Workshop, seller: Integration) -> None:
    """Let what is shown have been seen long ago, so that orders of before have come with the download of now."""
    async with workshop.database.session() as session:
        await session.run(_see_earlier)
    await workshop.due(seller, RunKind.ORDERS)


def _see_earlier(plain: Connection) -> None:
    earlier = "seen_at = seen_at - :by, differs_since = differs_since - :by"
    plain.execute(text(f"UPDATE listings SET {earlier}"), {"by": 15 * 60 * 1_000_000})
    plain.commit()
