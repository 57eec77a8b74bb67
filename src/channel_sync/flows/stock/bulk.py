"""Stock of many products, sent as one job at the marketplace and followed to its end."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from channel_sync.domain.channel import StockJob
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelRefused, ChannelSyncError, RunLost, may_have_landed
from channel_sync.domain.ids import new_id
from channel_sync.domain.job_state import JobState
from channel_sync.domain.listings import ProductStock, StockOutcome
from channel_sync.flows.in_pieces import in_pieces
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.stock.doubt import doubt
from channel_sync.flows.stock.outcomes import STORED_AT_ONCE, accepted, listings_of, refused, settle
from channel_sync.flows.stock.read_back import read_back
from channel_sync.persistence.database import UnitOfWork
from channel_sync.persistence.stock_jobs import OpenStockJob

# One bad variation refuses its whole product, so each is sent alone to find it. More refusals than this are the
# shop's trouble, not a variation's: they are taken as they are.
_MOST_SENT_ALONE = 10


@dataclass(frozen=True, slots=True)
class SendAgain:
    """What a job that ended leaves to do, with the values of then: a part in two halves, a part one by one."""

    in_halves: Sequence[ProductStock] = ()
    one_by_one: Sequence[ProductStock] = ()


async def push_in_bulk(session: RunSession, products: Sequence[ProductStock]) -> SendAgain:
    """Send one job and follow it. The job is a row before it is sent: a kill leaves one to follow or to doubt."""
    job = await _record(session, products)
    try:
        channel_job_id = await session.call(lambda shop: shop.start_stock_job(products))
    except ChannelRefused:
        await _undo(session, job)
        return SendAgain(in_halves=products)
    except ChannelSyncError as error:
        await (_lose(session, job) if may_have_landed(error) else _undo(session, job))
        raise
    try:
        async with session.transaction() as page:
            await page.work.stock_jobs.submitted(job.id, channel_job_id, utcnow())
    except RunLost:
        # Whoever has our place knows nothing of a job that came after its own look.
        await doubt(session, [listing.listing_id for listing in listings_of(products)])
        raise
    return await follow(session, replace(job, channel_job_id=channel_job_id), products)


async def follow(session: RunSession, job: OpenStockJob, products: Sequence[ProductStock]) -> SendAgain:
    """Look at an open job until it ended, and store what became of each listing."""
    if job.channel_job_id is None:
        # Killed between row and answer.
        await _lose(session, job)
        return SendAgain()
    wait_s: float | None = 0
    while wait_s is not None:
        wait_s = session.rules.stock.polls.next_wait_s(job.submitted_at, utcnow())
        await session.context.sleep(wait_s or 0)
        status = await _look(session, job.channel_job_id)
        if status is None:
            await _lose(session, job)
            return SendAgain(in_halves=products)
        match status.state:
            case JobState.READY:
                return await _settle_job(session, job, products, status.refused)
            case JobState.FAILED:
                await _undo(session, job)
                return SendAgain(in_halves=products)
            case JobState.PENDING:
                continue
    await _lose(session, job)
    return SendAgain(one_by_one=products)


async def _record(session: RunSession, products: Sequence[ProductStock]) -> OpenStockJob:
    now = utcnow()
    job = OpenStockJob(new_id("sjb", now), session.account.id, None, now)
    async with session.transaction() as page:
        await page.work.stock_jobs.add(job)
    for part in in_pieces(listings_of(products), STORED_AT_ONCE):
        async with session.transaction() as page:
            await page.work.pushes.mark_sent(part, now, job_id=job.id)
    return job


async def _undo(session: RunSession, job: OpenStockJob) -> None:
    """The job did nothing, or nothing more: its listings wait again."""
    await _close(session, job, lambda work: work.pushes.unsend(job.id, STORED_AT_ONCE))


async def _lose(session: RunSession, job: OpenStockJob) -> None:
    """Nobody knows what the job does, or when: its listings wait again, and the shop is looked at."""
    await _close(session, job, lambda work: work.doubts.unanswered_job(job.id, utcnow(), STORED_AT_ONCE))


async def _close(
    session: RunSession, job: OpenStockJob, release: Callable[[UnitOfWork], Coroutine[Any, Any, int]]
) -> None:
    """End the job with the transaction that releases its last listings: a kill before leaves one to follow."""
    is_over = False
    while not is_over:
        async with session.transaction() as page:
            is_over = await release(page.work) < STORED_AT_ONCE
            if is_over:
                await page.work.stock_jobs.close(job.id, utcnow())


async def _look(session: RunSession, channel_job_id: str) -> StockJob | None:
    """How far the job is; nothing where the marketplace does not know it any more."""
    try:
        return await session.call(lambda shop: shop.stock_job(channel_job_id))
    except ChannelRefused:
        return None


async def _settle_job(
    session: RunSession, job: OpenStockJob, products: Sequence[ProductStock], refusals: dict[str, tuple[str, str]]
) -> SendAgain:
    apart = [product for product in products if product.product_id in refusals and len(product.listings) > 1]
    apart = apart if len(apart) <= _MOST_SENT_ALONE else []
    alone = {product.product_id for product in apart}
    whole = [product for product in products if product.product_id not in alone]
    outcomes = [outcome for product in whole for outcome in _outcomes(product, refusals)]
    for part in in_pieces(outcomes, STORED_AT_ONCE):
        async with session.transaction() as page:
            await settle(page, session, part)
    await _undo(session, job)
    await read_back(session, [product.product_id for product in whole if product.product_id not in refusals])
    return SendAgain(one_by_one=apart)


def _outcomes(product: ProductStock, refusals: dict[str, tuple[str, str]]) -> list[StockOutcome]:
    if product.product_id in refusals:
        return refused(product, *refusals[product.product_id])
    return accepted(product)
