"""Stock sent product by product."""

import asyncio
from collections.abc import Sequence

from channel_sync.domain.errors import ChannelRefused
from channel_sync.domain.listings import ProductStock, StockOutcome
from channel_sync.flows.clock import utcnow
from channel_sync.flows.in_pieces import in_pieces
from channel_sync.flows.run_session import RunSession
from channel_sync.flows.shared_stock import set_shared_stock
from channel_sync.flows.stock_outcomes import refused, settle
from channel_sync.flows.stock_plan import SINGLE_PRODUCTS


async def push_one_by_one(session: RunSession, products: Sequence[ProductStock]) -> None:
    """Set the stock of each product with a call of its own, a few at a time."""
    for together in in_pieces(products, SINGLE_PRODUCTS):
        # Every call is awaited to its end: the others count, whatever happened to one.
        results = await asyncio.gather(*(_push(session, product) for product in together), return_exceptions=True)
        for result in results:
            if result is not None:
                raise result


async def _push(session: RunSession, product: ProductStock) -> None:
    session.wire.check()
    async with session.page() as page:
        await page.work.pushes.mark_sent(product.listings, utcnow(), None)
    outcomes = await _outcomes(session, product)
    async with session.page() as page:
        await settle(page, session, outcomes)


async def _outcomes(session: RunSession, product: ProductStock) -> Sequence[StockOutcome]:
    try:
        if product.is_shared:
            return await set_shared_stock(session, product)
        return await session.call(lambda shop: shop.set_stock(product))
    except ChannelRefused as refusal:
        return refused(product, refusal.code, refusal.message)
