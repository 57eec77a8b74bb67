"""Products read once more: whether the shop shows what it was told, or what was seen there before."""

from collections.abc import Sequence
from contextlib import suppress

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelError, ChannelRefused, ReplyNotUnderstood
from channel_sync.flows.in_pieces import in_pieces
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.side_by_side import to_their_ends

# To read many by themselves would hold up what waits to be sent.
_MOST_READ = 20


async def read_back(session: RunSession, product_ids: Sequence[str]) -> None:
    """Read products and keep what they show, which confirms it; of many the next read of the catalogue does so."""
    if len(product_ids) > _MOST_READ:
        return
    # What was sent is settled; whether it shows can be seen later as well.
    with suppress(ChannelError):
        await read_again(session, product_ids)


async def read_again(session: RunSession, product_ids: Sequence[str]) -> set[str]:
    """Read products and keep what they show, which the run does not count; which of them were shown."""
    shown: set[str] = set()
    for together in in_pieces(product_ids, session.rules.stock.singly):
        ids = await to_their_ends(_read(session, product_id) for product_id in together)
        shown.update(id for id in ids if id is not None)
    return shown


async def _read(session: RunSession, product_id: str) -> str | None:
    asked_at = utcnow()
    try:
        there = await session.call(lambda shop: shop.product(product_id))
    except (ChannelRefused, ReplyNotUnderstood):
        return None
    async with session.transaction() as page:
        await page.work.listings.replace(session.account.id, there.listings, utcnow(), asked_at)
    return product_id
