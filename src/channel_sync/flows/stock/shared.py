"""Stock of a product whose units lie in several warehouses: one is ours, the others keep what they have.

No marketplace need say what becomes of warehouses that a write leaves out. So one write shows it; until then, and
where they are reset, the product is read right before.
"""

from collections.abc import Sequence
from dataclasses import replace

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelRefused, ChannelSyncError
from channel_sync.domain.listings import Omitted, ProductStock, StockOutcome, omitted
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.stock.doubt import doubt


async def beside_others(session: RunSession, product: ProductStock) -> ProductStock:
    """The product with what lies in its other warehouses now, which is kept, where a write may change that."""
    if not product.is_shared or session.account.omitted is Omitted.KEPT:
        return product
    asked_at = utcnow()
    try:
        there = await session.call(lambda shop: shop.product(product.product_id))
    except ChannelRefused:
        # Writing to it is refused then, too, and says why.
        return product
    shown = {listing.variation_id: listing.quantities for listing in there.listings}
    async with session.transaction() as page:
        seen = [(one.listing_id, shown[one.variation_id]) for one in product.listings if one.variation_id in shown]
        await page.work.doubts.saw(seen, asked_at)
    beside = tuple(one.beside(shown.get(one.variation_id, ())) for one in product.listings)
    return replace(product, listings=beside)


async def set_shared_stock(session: RunSession, product: ProductStock) -> Sequence[StockOutcome]:
    """The outcomes. The other warehouses have what they had a moment ago, or what was changed there since."""
    known = session.account.omitted
    if known is Omitted.RESET:
        return await set_restating(session, product)
    outcomes = await _set(session, product)
    shown = omitted(product, outcomes)
    if known is Omitted.KEPT:
        if shown is Omitted.RESET:
            # All may have been sold since they were last seen, or the marketplace does otherwise now.
            await remember(session, None)
        return outcomes
    if shown is Omitted.RESET:
        outcomes = await _put_right(session, product)
    if shown is not None:
        await remember(session, shown)
    return outcomes


async def _put_right(session: RunSession, product: ProductStock) -> Sequence[StockOutcome]:
    """Whatever comes between, the other warehouses are put right: if not now, by the next look at the shop."""
    try:
        return await set_restating(session, product)
    except ChannelSyncError:
        await doubt(session, [listing.listing_id for listing in product.listings])
        raise


async def remember(session: RunSession, shown: Omitted | None) -> None:
    """Go by this from now on, in this run and in those to come; without anything it has to show itself again."""
    async with session.transaction() as page:
        await page.work.accounts.set_omitted(session.account.id, shown)
    session.account = replace(session.account, omitted=shown)


async def set_restating(session: RunSession, product: ProductStock) -> Sequence[StockOutcome]:
    """The outcomes of a write that says of the other warehouses what they have."""
    return await _set(session, replace(product, listings=tuple(listing.restating for listing in product.listings)))


async def _set(session: RunSession, product: ProductStock) -> Sequence[StockOutcome]:
    return await session.call(lambda shop: shop.set_stock(product))
