"""The orders of a window: the first of them by page, the rest of a long history from files of the marketplace."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta

from channel_sync.domain.channel import Shop
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelRefused, ChannelUnavailable, ReplyNotUnderstood
from channel_sync.domain.order_files import HistoryDownload, OrderFilePart, OrderJob
from channel_sync.domain.orders import OrderQuery
from channel_sync.flows.one_ahead import one_ahead
from channel_sync.flows.orders.download import DownloadLimits, OrderDownload
from channel_sync.flows.orders.history import GOOD_FOR, ask, check_ready, followed, give_up, look, under_way
from channel_sync.flows.orders.keeping import CONTRACT_BROKEN_FROM, Note, PageKeeper, made_ready
from channel_sync.flows.orders.prepare import PageReader, ReadyPage
from channel_sync.flows.runs.session import RunSession
from channel_sync.persistence.database import UnitOfWork

# A file that breaks off or whose address has expired, one after the other without anything new.
_TRIES = 3
# Files may repeat orders. What has twice as many and some more has no end.
_MOST_REPEATED = 2
_SOME_MORE = 1000
# What ends a download: its orders come by page. A grant that is rejected ends the run.
_COMES_TO_NOTHING = (ChannelRefused, ChannelUnavailable, ReplyNotUnderstood)


class Backfill:
    """The walk through a window. What changes from `overlap` before files are asked for on comes by page."""

    def __init__(self, overlap: timedelta, limits: DownloadLimits) -> None:
        self._overlap = overlap
        self._limits = limits

    async def run(self, session: RunSession, query: OrderQuery) -> None:
        """Store every order of the query; the cursor stays where it is."""
        pages = OrderDownload(session, self._limits, PageKeeper(session))
        download = await under_way(session)
        if download is None:
            left = await pages.run(query, session.rules.order_jobs.after_pages)
            if left is None:
                return
            download, query = await _asked(session, left), left
        rest = await self._read_files(session, download, query)
        if rest is not None:
            await pages.run(rest)

    async def _read_files(
        self, session: RunSession, download: HistoryDownload | None, query: OrderQuery
    ) -> OrderQuery | None:
        """What is left for pages: nothing, what may have changed meanwhile, or all where files come to nothing."""
        if download is None or download.channel_job_id is None:
            return query
        try:
            await _FileReading(session, download, self._limits.reader).run()
        except _COMES_TO_NOTHING as error:
            await give_up(session, error)
            return query
        since = max(download.since, download.asked_at - self._overlap)
        is_over = query.until is not None and since > query.until
        await _note_end(session, query.until if is_over and query.until is not None else since)
        return None if is_over else replace(query, since=since)


async def _asked(session: RunSession, query: OrderQuery) -> HistoryDownload | None:
    try:
        return await ask(session, query)
    except _COMES_TO_NOTHING as error:
        await give_up(session, error)
        return None


async def _note_end(session: RunSession, walked_to: datetime) -> None:
    """With the files read to their end, everything up to there is stored and nothing is to be read again."""
    async with session.transaction() as page:
        await page.work.runs.walked(session.run.id, walked_to)
        await page.work.order_downloads.forget(session.run)
    session.run = replace(session.run, walked_to=walked_to)


class _FileReading:
    """The files of one download, read from where they were left."""

    def __init__(self, session: RunSession, download: HistoryDownload, reader: PageReader) -> None:
        self._session = session
        self._download = download
        self._reader = reader
        self._has_orders = download.seen > 0
        # They may be older than what is stored, and come in any order.
        self._keeper = PageKeeper(session, asks=False)

    async def run(self) -> None:
        """Store every order of every file; `_COMES_TO_NOTHING` where that does not do."""
        job, _ = await followed(self._session, self._download)
        check_ready(job)
        if not job.file_urls and job.orders:
            raise ReplyNotUnderstood("order_files_missing", "The order download names no files.")
        for number in range(self._download.file, len(job.file_urls)):
            job = await self._read(job, number)
            self._download = replace(self._download, file=number + 1, passed=0)
        if self._download.seen < job.orders:
            raise ReplyNotUnderstood("order_files_short", "The files have fewer orders than the marketplace says.")

    async def _read(self, job: OrderJob, number: int) -> OrderJob:
        """Store a file, asking for its address anew where that fails; the download as it was looked at last."""
        tries, passed = 0, -1
        while True:
            tries = 1 if self._download.passed > passed else tries + 1
            passed = self._download.passed
            try:
                await self._keep_all(job, number)
            except (ChannelRefused, ChannelUnavailable):
                if tries == _TRIES:
                    raise
            else:
                return job
            await self._session.context.sleep(self._session.rules.order_jobs.polls.first_s)
            job = await self._named_anew(job, number)

    async def _named_anew(self, job: OrderJob, number: int) -> OrderJob:
        anew = await look(self._session, self._download)
        return anew if number < len(anew.file_urls) else job

    async def _keep_all(self, job: OrderJob, number: int) -> None:
        async with aclosing(one_ahead(self._ready_parts(job, number))) as parts:
            async for page, values in parts:
                self._session.context.raise_if_cancelled()
                passed, seen = self._download.passed + values, self._download.seen + values
                further = replace(self._download, passed=passed, seen=seen)
                self._check(page, further, job)
                await self._keeper.keep(page, utcnow(), self._noting(further))
                self._download = further

    async def _ready_parts(self, job: OrderJob, number: int) -> AsyncIterator[tuple[ReadyPage, int]]:
        """The parts of a file that are not stored yet, ready to be, each with how many values it is."""
        passed = self._download.passed
        async for part in await self._session.call(lambda shop: _opened(shop, job, number, passed)):
            yield await made_ready(self._session, part.page, self._reader), part.values

    def _check(self, page: ReadyPage, further: HistoryDownload, job: OrderJob) -> None:
        self._has_orders = self._has_orders or bool(page.rows)
        if not self._has_orders and len(page.unreadable) >= CONTRACT_BROKEN_FROM:
            raise ReplyNotUnderstood("order_files_unreadable", "The files are not written as orders are.")
        if further.seen > job.orders * _MOST_REPEATED + _SOME_MORE:
            raise ReplyNotUnderstood("order_files_long", "The files have more orders than the marketplace says.")
        if utcnow() - further.asked_at > GOOD_FOR:
            raise ReplyNotUnderstood("order_files_late", "The files take too long to be read.")

    def _noting(self, further: HistoryDownload) -> Note:
        async def note(work: UnitOfWork) -> None:
            await work.order_downloads.change(self._session.run, further)

        return note


async def _opened(shop: Shop, job: OrderJob, number: int, passed: int) -> AsyncIterator[OrderFilePart]:
    return shop.order_file(job, number, passed)
