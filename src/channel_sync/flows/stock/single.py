"""Stock sent product by product."""

from collections.abc import Awaitable, Callable, Sequence

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelRefused
from channel_sync.domain.listings import ProductStock, StockOutcome
from channel_sync.flows.in_pieces import in_pieces
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.side_by_side import to_their_ends
from channel_sync.flows.stock.doubt import in_doubt_without_outcome
from channel_sync.flows.stock.outcomes import refused, settle
from channel_sync.flows.stock.shared import beside_others, set_shared_stock


async def push_one_by_one(session: RunSession, products: Sequence[ProductStock]) -> None:
    """Set the stock of each product with a call of its own, a few at a time."""
    for together in in_pieces(products, session.rules.stock.singly):
        await to_their_ends(push(session, product) for product in together)


async def push(session: RunSession, planned: ProductStock) -> None:
    """Set the stock of one product."""
    session.context.raise_if_cancelled()
    product = await beside_others(session, planned)
    await send(session, product, _outcomes)


Send = Callable[[RunSession, ProductStock], Awaitable[Sequence[StockOutcome]]]


async def send(session: RunSession, product: ProductStock, ask: Send) -> None:
    """Let a call set the product's stock. What is about to be sent is a row before, its outcome one afterwards."""
    async with session.transaction() as page:
        await page.work.pushes.mark_sent(product.listings, utcnow(), run_id=session.run.id)
    ids = [listing.listing_id for listing in product.listings]
    async with in_doubt_without_outcome(session, ids):
        outcomes = await ask(session, product)
        async with session.transaction() as page:
            await settle(page, session, outcomes)
            await page.work.doubts.answered(session.run.id, ids)


async def _outcomes(session: RunSession, product: ProductStock) -> Sequence[StockOutcome]:
    try:
        if product.is_shared:
            return await set_shared_stock(session, product)
        return await session.call(lambda shop: shop.set_stock(product))
    except ChannelRefused as refusal:
        return refused(product, refusal.code, refusal.message)
