"""Stock of a product whose units lie in several warehouses: one is ours, the others keep what they have.

Wish does not say what becomes of warehouses that a write leaves out. So one write shows it; until then, and where
they are reset, the product is read right before.
"""

from collections.abc import Sequence
from dataclasses import replace

from channel_sync.domain.listings import Omitted, ProductStock, StockOutcome, omitted
from channel_sync.flows.run_session import RunSession


async def set_shared_stock(session: RunSession, product: ProductStock) -> Sequence[StockOutcome]:
    """The outcomes. The other warehouses have what they had a moment ago, or what was changed there since."""
    if session.account.omitted is Omitted.KEPT:
        outcomes = await _set(session, product)
        if omitted(product, outcomes) is Omitted.RESET:
            # All may have been sold since they were last seen, or the marketplace does otherwise now.
            await remember(session, None)
        return outcomes
    beside = await _read(session, product)
    if session.account.omitted is Omitted.RESET:
        return await _set(session, _restating(beside))
    outcomes = await _set(session, beside)
    shown = omitted(beside, outcomes)
    if shown is not None:
        await remember(session, shown)
    if shown is not Omitted.RESET:
        return outcomes
    return await _set(session, _restating(beside))


async def remember(session: RunSession, shown: Omitted | None) -> None:
    """Go by this from now on, in this run and in those to come; without anything it has to show itself again."""
    async with session.page() as page:
        await page.work.accounts.set_omitted(session.account.id, shown)
    session.account = replace(session.account, omitted=shown)


async def _read(session: RunSession, product: ProductStock) -> ProductStock:
    listings = await session.call(lambda shop: shop.product(product.product_id))
    seen = {listing.variation_id: listing.quantities for listing in listings}
    return replace(product, listings=tuple(one.beside(seen.get(one.variation_id, ())) for one in product.listings))


def _restating(product: ProductStock) -> ProductStock:
    return replace(product, listings=tuple(listing.restating for listing in product.listings))


async def _set(session: RunSession, product: ProductStock) -> Sequence[StockOutcome]:
    return await session.call(lambda shop: shop.set_stock(product))
