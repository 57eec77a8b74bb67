"""Stale stock levels to the listings of one shop."""

from collections.abc import Sequence
from dataclasses import dataclass

from channel_sync.domain.clock import utcnow
from channel_sync.domain.listings import ProductStock
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.stock.brake import PushBrake
from channel_sync.flows.stock.bulk import SendAgain, follow, push_in_bulk
from channel_sync.flows.stock.checks import look_at_doubts, look_for_first_writes
from channel_sync.flows.stock.dry_run import list_changes
from channel_sync.flows.stock.line import USUAL, LineRules, StockLine
from channel_sync.flows.stock.plan import first_batch, halves, with_care
from channel_sync.flows.stock.rules import follow_changed_settings
from channel_sync.flows.stock.single import push_one_by_one

_MOST_ROUNDS = 1_000


class PushStock:
    """The stock walk: a level is read when it is sent, so the newest value wins and an older one never follows."""

    def __init__(self, rules: LineRules = USUAL) -> None:
        self._rules = rules

    async def run(self, session: RunSession) -> None:
        """Send until no listing lacks its newest value; a job left open by an earlier run is followed first.

        A dry run only lists what would be sent.
        """
        if session.run.dry_run:
            return await list_changes(session)
        push = _StockPush(session, StockLine(session, self._rules))
        brake = PushBrake(session)
        await push.resume()
        for _ in range(_MOST_ROUNDS):
            await follow_changed_settings(session)
            has_looked = await look_at_doubts(session)
            products = await push.line.next()
            if products:
                await brake.check(push.line.emptying)
                sent = await push.send(products)
                brake.note(sent, push.line.emptying)
            elif not has_looked:
                break
        session.flaw = session.commonest_refusal


@dataclass(slots=True)
class _StockPush:
    """The work of one run."""

    session: RunSession
    line: StockLine

    async def resume(self) -> None:
        """Take up what earlier runs left: calls without an outcome, and an open job, which is followed."""
        account_id, run_id = self.session.account.id, self.session.run.id
        async with self.session.database.read() as work:
            are_calls_lost = await work.doubts.are_calls_lost(account_id, run_id)
            job = await work.stock_jobs.open(account_id)
            products = await work.pushes.in_job(job.id) if job else []
        if are_calls_lost:
            async with self.session.transaction() as page:
                await page.work.doubts.notice_lost_calls(account_id, run_id, utcnow())
        await look_for_first_writes(self.session)
        if job is not None:
            rest = await follow(self.session, job, products)
            # What is left of it waits again; while the brake is on, for a person.
            if self.session.account.brake is None:
                await self._again(rest)

    async def send(self, products: Sequence[ProductStock]) -> Sequence[ProductStock]:
        """Send the first of these: few one by one, many as one job, apart those that need care; which."""
        if len(products) <= self.session.rules.stock.singly:
            await push_one_by_one(self.session, products)
            return products
        careful, others = with_care(first_batch(products, self.session.rules.stock), self.session.account.omitted)
        if others:
            await self._again(await push_in_bulk(self.session, others))
        await push_one_by_one(self.session, careful)
        return [*others, *careful]

    async def _again(self, rest: SendAgain) -> None:
        if rest.one_by_one:
            await push_one_by_one(self.session, await self.line.as_of_now(rest.one_by_one))
        for half in halves(rest.in_halves):
            if half:
                await self.send(await self.line.as_of_now(half))
