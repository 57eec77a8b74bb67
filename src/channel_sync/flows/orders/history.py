"""Downloads that a marketplace makes of a long history: asked for once, and followed to their files.

Each is a row before it is asked for, so that whoever takes the run up follows the same one. One that may have been
asked for, and nobody knows whether, is not asked for again: the orders come by page.
"""

from dataclasses import replace
from datetime import timedelta

import structlog

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelError, ChannelUnavailable, may_have_landed
from channel_sync.domain.job_state import JobState
from channel_sync.domain.order_files import HistoryDownload, OrderJob
from channel_sync.domain.orders import OrderEstimate, OrderQuery
from channel_sync.flows.runs.session import RunSession

log = structlog.get_logger("channel_sync.runs")

# What is older is not read any more: orders have changed since, and files are where they were for a while only.
GOOD_FOR = timedelta(hours=6)


async def under_way(session: RunSession) -> HistoryDownload | None:
    """The download for what the run is for, if one was asked for lately."""
    async with session.database.read() as work:
        download = await work.order_downloads.find(session.run)
    if download is None or abs(utcnow() - download.asked_at) < GOOD_FOR:
        return download
    await forget(session)
    return None


async def ask(session: RunSession, query: OrderQuery) -> HistoryDownload:
    """A newly queued download of a query's orders; any `ChannelError` where there is none."""
    download = HistoryDownload(query.since, utcnow())
    async with session.transaction() as page:
        await page.work.order_downloads.add(session.run, download)
    try:
        channel_job_id = await session.call(lambda shop: shop.start_order_job(query))
    except ChannelUnavailable as error:
        if not may_have_landed(error):
            await forget(session)
        raise
    download = replace(download, channel_job_id=channel_job_id)
    async with session.transaction() as page:
        await page.work.order_downloads.change(session.run, download)
    return download


async def give_up(session: RunSession, error: ChannelError) -> None:
    """Follow the run's download no more, and ask for no other while it is remembered."""
    log.warning("order_download_given_up", error_code=error.code, channel_request_id=error.request_id)
    async with session.transaction() as page:
        download = await page.work.order_downloads.find(session.run)
        if download is not None:
            await page.work.order_downloads.change(session.run, replace(download, channel_job_id=None))


async def forget(session: RunSession) -> None:
    """Let the next one be asked for."""
    async with session.transaction() as page:
        await page.work.order_downloads.forget(session.run)


async def followed(session: RunSession, download: HistoryDownload) -> tuple[OrderJob, int]:
    """The download once it is over, or has taken too long, and after how many looks.

    How long it took is told by its age, so that a new process goes on waiting where another stopped. What was
    asked for a while ago is looked at before there is any wait.
    """
    polls, looks = session.rules.order_jobs.polls, 0
    is_new = utcnow() - download.asked_at < timedelta(seconds=polls.first_s)
    while True:
        wait_s = polls.next_wait_s(download.asked_at, utcnow())
        if is_new or looks:
            await session.context.sleep(wait_s or 0)
        job, looks = await look(session, download), looks + 1
        if wait_s is None or job.state is not JobState.PENDING:
            return job, looks


def check_ready(job: OrderJob) -> None:
    """`ChannelUnavailable` for one that has no files, and will have none in time."""
    match job.state:
        case JobState.READY:
            return
        case JobState.FAILED:
            raise ChannelUnavailable("order_download_failed", "The marketplace gave up the order download.")
        case JobState.PENDING:
            raise ChannelUnavailable("order_download_late", "The order download was not ready in time.")


async def look(session: RunSession, download: HistoryDownload) -> OrderJob:
    """How far it is; still on its way where that cannot be asked now."""
    try:
        return await session.call(lambda shop: shop.order_job(download.channel_job_id or ""))
    except ChannelUnavailable:
        return OrderJob(JobState.PENDING)


async def estimate(session: RunSession, query: OrderQuery) -> None:
    """Note what a walk along a query would come to: the marketplace tells how many orders a download of it has."""
    download = await under_way(session)
    if download is not None and download.channel_job_id is None:
        raise ChannelUnavailable("order_download_lost", "An order download was asked for, and no answer came.")
    job, looks = await followed(session, download or await ask(session, query))
    if job.state is JobState.FAILED:
        await forget(session)
    check_ready(job)
    calls = session.rules.order_jobs.calls(job.orders, looks, len(job.file_urls))
    async with session.transaction() as page:
        await page.work.runs.estimated(session.run.id, OrderEstimate(job.orders, calls))
        await page.work.order_downloads.forget(session.run)
