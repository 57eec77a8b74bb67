"""Looking at a shop in which a call of ours may have taken effect late, until its newest value has stood there."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from channel_sync.domain.clock import utcnow
from channel_sync.domain.doubts import LONGEST_DOUBT, Doubt
from channel_sync.domain.errors import ChannelRefused
from channel_sync.domain.listings import Omitted, ProductStock, Quantities, StockOutcome, omitted
from channel_sync.flows.in_pieces import in_pieces
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.side_by_side import to_their_ends
from channel_sync.flows.stock.outcomes import STORED_AT_ONCE
from channel_sync.flows.stock.shared import remember, set_restating
from channel_sync.flows.stock.single import send

_MOST_AT_ONCE = 2_000
_MOST_READ = 20
# The marketplace dates its changes by its own clock.
_CLOCKS_DIFFER = timedelta(seconds=30)

_Products = Mapping[str, Sequence[Doubt]]
_Shown = Mapping[str, Quantities]


async def look_for_first_writes(session: RunSession) -> None:
    """Look at once where the call in doubt was to show what becomes of other warehouses.

    If it emptied them, what they had is known only until they are seen anew.
    """
    if session.account.omitted is None:
        due = await _due(session, utcnow() + LONGEST_DOUBT)
        shared = [doubt for doubt in due if any(units for _, units in doubt.told.others)]
        await _read_all(session, list(_by_product(shared).values())[:_MOST_READ])


async def look_at_doubts(session: RunSession) -> bool:
    """Whether the shop was to be looked at; of many products some are. What is wrong there waits to be sent."""
    due = await _due(session, utcnow())
    products = _by_product(due)
    if len(products) > _MOST_READ:
        products = await _only_changed(session, products)
    ids = list(products)
    wrong = await _read_all(session, [products[id] for id in ids[:_MOST_READ]])
    if 2 * wrong >= _MOST_READ:
        # A late job has undone the others as well; to read them all would take longer than to send them again.
        rest = [doubt for id in ids[_MOST_READ:] for doubt in products[id]]
        await _note(session, rest, {}, utcnow(), {doubt.listing_id for doubt in rest})
    return bool(due)


async def _due(session: RunSession, by: datetime) -> list[Doubt]:
    async with session.database.read() as work:
        return await work.doubts.due(session.account.id, by, _MOST_AT_ONCE)


def _by_product(doubts: Sequence[Doubt]) -> _Products:
    products: dict[str, list[Doubt]] = {}
    for doubt in doubts:
        products.setdefault(doubt.product_id, []).append(doubt)
    return products


async def _only_changed(session: RunSession, products: _Products) -> _Products:
    """Those that changed since they were seen to be right, or never were; for the others this was the look."""
    right = {id: since for id, doubts in products.items() if (since := _right_since(doubts)) is not None}
    if not right:
        return products
    asked_at = utcnow()
    changed = await session.call(lambda shop: shop.changed_products(min(right.values()) - _CLOCKS_DIFFER))
    if not changed.complete:
        return products
    same = right.keys() - set(changed.product_ids)
    doubts = [doubt for id in same for doubt in products[id]]
    await _note(session, doubts, {doubt.variation_id: doubt.seen for doubt in doubts}, asked_at)
    return {id: doubts for id, doubts in products.items() if id not in same}


def _right_since(doubts: Sequence[Doubt]) -> datetime | None:
    """When all of these were seen to be right after all that we did to them."""
    seen = [doubt.seen_at for doubt in doubts if doubt.seen_at is not None and doubt.was_seen_since]
    return min(seen) if len(seen) == len(doubts) else None


async def _read_all(session: RunSession, products: Sequence[Sequence[Doubt]]) -> int:
    """How many of these products are wrong in the shop."""
    wrong = 0
    for together in in_pieces(products, session.rules.stock.singly):
        wrong += sum(await to_their_ends(_read(session, doubts) for doubts in together))
    return wrong


async def _read(session: RunSession, doubts: Sequence[Doubt]) -> bool:
    """Whether the product is wrong in the shop."""
    asked_at, product_id = utcnow(), doubts[0].product_id
    try:
        listings = (await session.call(lambda shop: shop.product(product_id))).listings
    except ChannelRefused:
        # It is gone, which the next catalogue says.
        listings = ()
    shown = {listing.variation_id: listing.quantities for listing in listings}
    await _see_to_others(session, doubts, shown)
    wrong = {doubt.listing_id for doubt in doubts if doubt.is_wrong(shown.get(doubt.variation_id))}
    await _note(session, doubts, shown, asked_at, wrong)
    return bool(wrong)


async def _see_to_others(session: RunSession, doubts: Sequence[Doubt], shown: _Shown) -> None:
    """Put the other warehouses right, if the call in doubt was the one that was to show what becomes of them."""
    landed = [doubt for doubt in doubts if doubt.is_there(shown.get(doubt.variation_id))]
    if session.account.omitted is not None or not landed:
        return
    product = ProductStock(doubts[0].product_id, tuple(doubt.told for doubt in landed))
    outcomes = [StockOutcome(one.listing_id, 0, True, seen=shown[one.variation_id]) for one in product.listings]
    became = omitted(product, outcomes)
    if became is Omitted.RESET:
        await send(session, product, set_restating)
    if became is not None:
        await remember(session, became)


async def _note(
    session: RunSession,
    doubts: Sequence[Doubt],
    shown: _Shown,
    asked_at: datetime,
    wrong: Collection[str] = (),
) -> None:
    for part in in_pieces(doubts, STORED_AT_ONCE):
        now = utcnow()
        async with session.transaction() as page:
            seen = [(doubt.listing_id, shown[doubt.variation_id]) for doubt in part if doubt.variation_id in shown]
            await page.work.doubts.saw(seen, asked_at)
            await page.work.doubts.looked(part, now)
            await page.work.doubts.recall([one.listing_id for one in part if one.listing_id in wrong], now)
            right = [one for one in part if one.is_newest and one.is_there(shown.get(one.variation_id))]
            await page.work.doubts.confirm([one.listing_id for one in right])
