"""The catalogue of one shop into our map of SKUs."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

from channel_sync.domain.channel import CatalogueBatch, ChangedProducts, Shop
from channel_sync.domain.clock import utcnow
from channel_sync.domain.clock_skew import is_ahead
from channel_sync.domain.errors import ChannelRefused, ChannelUnavailable, NotAtChannel, ReplyNotUnderstood
from channel_sync.domain.integrations import Account
from channel_sync.domain.job_state import JobState
from channel_sync.domain.listings import ChannelListing
from channel_sync.domain.runs import Counts, RunKind, Trigger
from channel_sync.domain.seen_ids import SeenIds
from channel_sync.flows.in_halves import store_in_halves
from channel_sync.flows.in_pieces import in_pieces
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.scheduling.due import next_stock_at
from channel_sync.flows.stock.drift import settle_drifts
from channel_sync.flows.stock.skips import tell_skips
from channel_sync.flows.stock.warehouse import look_for_warehouse
from channel_sync.persistence.database import UnitOfWork

_WHOLE_EVERY = timedelta(days=1)
_OVERLAP = timedelta(minutes=10)
_MOST_SINGLE_READS = 200
_PRODUCTS_A_PAGE = 20
# Listings stored in one transaction, for which on SQLite everybody else waits: about 15 ms.
_STORED_AT_ONCE = 100
_LOOKED_THROUGH_AT_ONCE = 2_000
_PARTLY_UNREADABLE = ReplyNotUnderstood(
    "catalogue_partly_unreadable", "Some listings of the catalogue cannot be read and stay as they were."
)


class SyncListings:
    """The listing walk: the whole catalogue once a day, else only the products that changed.

    An order may show so much later than it was made: until then it may explain what a listing shows.
    """

    def __init__(self, orders_come_late: timedelta) -> None:
        self._orders_come_late = orders_come_late
        self._read_until: dict[str, datetime] = {}

    async def run(self, session: RunSession) -> None:
        """Store new and changed listings, mark those that are gone, and map SKUs anew."""
        whole_at = session.account.listings_at
        # One from the future was written before a clock was set back: what changed since is not known.
        if whole_at is None or is_ahead(whole_at, utcnow()) or self._wants_all(session, whole_at):
            return await self._download(session)
        changed = await self._changed(session, whole_at)
        if not changed.complete or len(changed.product_ids) > _MOST_SINGLE_READS:
            return await self._download(session)
        await self._read(session, changed.product_ids)
        if changed.until is not None and not is_ahead(changed.until, utcnow()):
            self._read_until[session.account.id] = changed.until

    def _wants_all(self, session: RunSession, whole_at: datetime) -> bool:
        return session.run.trigger is Trigger.MANUAL or utcnow() - whole_at >= _WHOLE_EVERY

    async def _changed(self, session: RunSession, whole_at: datetime) -> ChangedProducts:
        # What this process read since is skipped; a new process reads it once more, which changes nothing.
        since = max(whole_at, self._read_until.get(session.account.id, whole_at)) - _OVERLAP
        return await session.call(lambda shop: shop.changed_products(since))

    async def _read(self, session: RunSession, product_ids: Sequence[str]) -> None:
        for part in in_pieces(product_ids, _PRODUCTS_A_PAGE):
            await self._read_part(session, part)
        await self._follow(session)

    async def _read_part(self, session: RunSession, product_ids: Sequence[str]) -> None:
        asked_at, fresh, known = utcnow(), list[ChannelListing](), set[str]()
        for product_id in product_ids:
            batch = await _product(session, product_id)
            fresh += batch.listings if batch else ()
            if batch is not None and not batch.left_out:
                known.add(product_id)
        await self._keep(session, fresh, asked_at)
        await self._mark_gone_of(session, known, {listing.variation_id for listing in fresh})

    async def _download(self, session: RunSession) -> None:
        started_at = utcnow()
        job_id = await session.call(lambda shop: shop.start_catalogue())
        file_urls = await self._file_urls(session, job_id, started_at)
        seen, deleted = SeenIds(), 0
        async for batch in await session.call(lambda shop: _catalogue(shop, file_urls)):
            await self._keep(session, batch.listings, started_at)
            seen.add_all(listing.variation_id for listing in batch.listings)
            deleted += batch.deleted
            if batch.left_out:
                session.flaw = _PARTLY_UNREADABLE
            session.context.raise_if_cancelled()
        # What could not be read may be any of those not seen, and is still for sale. A catalogue without a single
        # product is a missing file sooner than an emptied shop, whose listings refuse stock anyway.
        if session.flaw is None and (seen or deleted):
            await self._mark_gone(session, seen)
        # Last, so that a run that is cut off before is done again from the start.
        async with session.transaction() as page:
            is_whole = session.flaw is None
            await page.work.accounts.set_listings_at(session.account.id, started_at, is_whole)
        await self._follow(session)
        await look_for_warehouse(session)

    async def _file_urls(self, session: RunSession, job_id: str, started_at: datetime) -> tuple[str, ...]:
        while (wait_s := session.rules.catalogue_polls.next_wait_s(started_at, utcnow())) is not None:
            await session.context.sleep(wait_s)
            job = await session.call(lambda shop: shop.catalogue_job(job_id))
            match job.state:
                case JobState.READY:
                    return job.file_urls
                case JobState.FAILED:
                    raise ChannelUnavailable("catalogue_failed", "The marketplace gave up the catalogue download.")
                case JobState.PENDING:
                    continue
        raise ChannelUnavailable("catalogue_overdue", "The catalogue download was not ready in time.")

    async def _keep(self, session: RunSession, listings: Sequence[ChannelListing], seen_at: datetime) -> None:
        async def store(part: Sequence[ChannelListing]) -> None:
            # A crash of the machine that undoes it also undoes that the catalogue was read to its end.
            await session.keep(partial(_store, session.account.id, part, seen_at), durable=False)

        for part in in_pieces(listings, _STORED_AT_ONCE):
            if await store_in_halves(part, store):
                session.flaw = _PARTLY_UNREADABLE

    async def _mark_gone(self, session: RunSession, seen: SeenIds) -> None:
        account, after = session.account, ""
        while True:
            async with session.database.read() as work:
                there = await work.listings.there(account, after, _LOOKED_THROUGH_AT_ONCE)
            if not there:
                return
            after = there[-1][0]
            gone = [listing_id for listing_id, variation_id in there if variation_id not in seen]
            for part in in_pieces(gone, _STORED_AT_ONCE):
                await session.keep(partial(_store_gone, account, part), durable=False)

    async def _mark_gone_of(self, session: RunSession, product_ids: Collection[str], seen: set[str]) -> None:
        """Note what products have no more of which everything was seen."""
        account = session.account
        async with session.database.read() as work:
            there = await work.listings.there_of(account, product_ids)
        gone = [listing_id for listing_id, variation_id in there if variation_id not in seen]
        for part in in_pieces(gone, _STORED_AT_ONCE):
            await session.keep(partial(_store_gone, account, part), durable=False)

    async def _follow(self, session: RunSession) -> None:
        """What is to be done once the listings are known."""
        await settle_drifts(session, self._orders_come_late)
        await tell_skips(session)
        async with session.database.read() as work:
            due = await next_stock_at(work, [session.integration], utcnow())
        for at in due.values():
            async with session.transaction() as page:
                await page.work.schedules.hurry(session.integration.id, RunKind.STOCK, at)


async def _store(
    account_id: str, listings: Sequence[ChannelListing], seen_at: datetime, work: UnitOfWork
) -> Counts:
    return await work.listings.replace(account_id, listings, utcnow(), seen_at)


async def _store_gone(account: Account, ids: Sequence[str], work: UnitOfWork) -> Counts:
    return Counts(updated=await work.listings.mark_gone(account, ids, utcnow()))


async def _catalogue(shop: Shop, file_urls: Sequence[str]) -> AsyncIterator[CatalogueBatch]:
    return shop.catalogue(file_urls)


async def _product(session: RunSession, product_id: str) -> CatalogueBatch | None:
    """What the product has, which is nothing once it is deleted; None where nobody knows."""
    try:
        batch = await session.call(lambda shop: shop.product(product_id))
    except NotAtChannel:
        return CatalogueBatch(())
    except ReplyNotUnderstood:
        session.flaw = _PARTLY_UNREADABLE
        return None
    except ChannelRefused:
        return None
    if batch.left_out:
        session.flaw = _PARTLY_UNREADABLE
    # One without a single listing is half a reply sooner than an emptied product.
    return batch if batch.listings or batch.left_out else None
