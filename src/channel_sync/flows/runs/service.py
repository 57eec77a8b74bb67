"""Runs from the outside: ask for one, cancel one, start what is due, carry one out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import (
    ChannelSyncError,
    RunLost,
    RunStopped,
)
from channel_sync.domain.quotas import Quotas
from channel_sync.domain.runs import PERSONS_TRIGGERS, Lane, Run, RunKind, RunRequest, RunStatus
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.leases import Lease
from channel_sync.flows.quotas import keep_quota
from channel_sync.flows.runs.claims import RunClaims
from channel_sync.flows.runs.heartbeat import heartbeat
from channel_sync.flows.runs.log import log_taken_over, named
from channel_sync.flows.runs.session import RunSession, Walk
from channel_sync.flows.scheduling.due import open_due_runs
from channel_sync.flows.scheduling.intervals import RunPace
from channel_sync.flows.scheduling.opening import check_request, opened_or_adopted, queued_run, work_again
from channel_sync.flows.scheduling.result import CANCELLED, CRASHED, INTERRUPTED, RunResult, failed, finished
from channel_sync.flows.scheduling.takeover import take_over
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_tenant

_SHOULD_HAVE_STARTED = timedelta(seconds=10)
# A run is known here a moment after it was claimed.
_FORGOTTEN_AFTER = timedelta(seconds=2)
_REMINDED_AT_ONCE = 200
# Due runs opened in one transaction. Where that is work for the event loop, callers of the API notice large ones.
_DUE_AT_ONCE = 25
_DUE_AT_ONCE_IN_A_THREAD = 200
_PRIORITIES = {
    RunKind.ORDERS: Priority.ORDERS,
    RunKind.RECONCILE: Priority.ORDERS,
    RunKind.ORDER_CHANGES: Priority.ORDERS,
    RunKind.STOCK: Priority.STOCK,
    RunKind.LISTINGS: Priority.CATALOGUE,
}


@dataclass(frozen=True, slots=True)
class RunRules:
    """Who runs here, at what pace, and how many runs a tenant may have asked for."""

    lease: Lease = field(default_factory=Lease)
    pace: RunPace = field(default_factory=RunPace)
    quotas: Quotas = field(default_factory=Quotas)


class Runs:
    """Every run of this process. `nudge` is called after each commit that queues one."""

    def __init__(
        self,
        database: Database,
        shops: Shops,
        walks: Mapping[RunKind, Walk],
        rules: RunRules,
        nudge: Callable[[], None],
    ) -> None:
        self._database = database
        self._shops = shops
        self._walks = walks
        self._rules = rules
        self._claims = RunClaims(database, rules.lease.owner, rules.pace)
        self._nudge = nudge
        self._sessions: dict[str, RunSession] = {}
        self._stopping = False

    async def request(self, tenant: str, request: RunRequest) -> tuple[Run, bool]:
        """A queued run, or with True the open one that is the same. `Conflict` unless the integration may run."""
        now = utcnow()
        async with self._database.begin() as work:
            integration = await work.integrations.get(tenant, request.integration_id)
            check_request(integration, request)
            run = queued_run(integration, request, now)
            theirs = await opened_or_adopted(work, run)
            if theirs is None:
                await keep_quota(work, tenant, "runs", self._rules.quotas.runs)
        if theirs is not None:
            return theirs, True
        self._nudge()
        return run, False

    async def cancel(self, tenant: str, run_id: str) -> Run:
        """The run, asked to stop at its next page; one that is closed already stays as it is."""
        async with self._database.begin() as work:
            run = await work.runs.request_cancel(tenant, run_id)
            if run.status is RunStatus.QUEUED:
                await work.runs.finish(run_id, RunStatus.CANCELLED, None, run.counts, None, utcnow())
        if run_id in self._sessions:
            self._sessions[run_id].context.cancel()
        return await self._get(tenant, run_id)

    async def start_due(self, kind: RunKind) -> None:
        """Queue the runs of a kind whose time has come."""
        async with self._database.read() as work:
            if not await work.schedules.due(kind, utcnow(), 1):
                return
        at_once = _DUE_AT_ONCE_IN_A_THREAD if self._database.single_process else _DUE_AT_ONCE
        more = True
        while more:
            # Where a crash undoes it they are due as before.
            async with self._database.begin(durable=False) as work:
                more = await open_due_runs(work, kind, self._rules.pace, at_once, utcnow())

    async def notice_clock(self) -> None:
        """Make due at once what was put off by a clock that has been set back since."""
        async with self._database.begin() as work:
            await work.schedules.hurry_misdated(utcnow())

    async def queued(self, lane: Lane, limit: int) -> list[str]:
        """Ids of runs that wait in a lane, the oldest first."""
        async with self._database.read() as work:
            return await work.runs.queued(lane, limit)

    async def remind(self) -> None:
        """Tell the queue of workers again of runs that have waited long; it may have been away, or new."""
        async with self._database.begin() as work:
            await work.runs.remind(utcnow() - _SHOULD_HAVE_STARTED, _REMINDED_AT_ONCE)

    async def execute(self, run_id: str) -> None:
        """Carry out a queued run, if it is still free to take."""
        session = await self._claim(run_id)
        if session is None:
            return
        self._sessions[run_id] = session
        with for_tenant(session.run.tenant), named(session.run):
            async with heartbeat(session, self._rules.lease.beat_s):
                result = await self._result(session)
            if result is not None:
                await self._claims.close(session, result)
        del self._sessions[run_id]

    async def crashed(self, run_id: str) -> None:
        """Close a run whose `execute` raised what no one expected."""
        session = self._sessions.get(run_id)
        if session is None:
            return
        try:
            await self._claims.close(session, CRASHED)
        finally:
            del self._sessions[run_id]

    async def stop_marked(self) -> None:
        """Let no further call start in runs that were cancelled, or whose integration was disabled or removed."""
        if not self._sessions:
            return
        async with self._database.read() as work:
            marked = await work.runs.to_stop(self._rules.lease.owner)
        for run_id in marked:
            if run_id in self._sessions:
                self._sessions[run_id].context.cancel()

    def stop_all(self) -> None:
        """Let every run stop at its next page, to be taken up again by the next start."""
        self._stopping = True
        for session in self._sessions.values():
            session.context.cancel()

    async def take_over(self) -> None:
        """At the start of a single process: what an earlier one left open is closed and due again."""
        if not self._database.single_process:
            return
        now = utcnow()
        async with self._database.begin() as work:
            left = await work.runs.interrupt_others(self._rules.lease.owner, now)
            await take_over(work, left, now)
        log_taken_over(left)

    async def take_over_silent(self) -> None:
        """Close what processes left open that show no life any more, and make it due again."""
        now = utcnow()
        before = now - self._rules.lease.length
        async with self._database.begin() as work:
            # A run at work here is alive, however long this process stood still; its page is fenced anyway.
            silent = await work.runs.interrupt_silent(before, self._sessions, now)
            await take_over(work, silent, now)
            # The end of a quiet run is not synced to disk: after a crash of the database nobody carries it out.
            # The work has killed no process: this one is alive.
            forgotten = await work.runs.interrupt_forgotten(
                self._rules.lease.owner, now - _FORGOTTEN_AFTER, self._sessions, now
            )
            for run in forgotten:
                await work_again(work, run, now)
        log_taken_over(silent)

    async def _claim(self, run_id: str) -> RunSession | None:
        claimed = await self._claims.claim(run_id)
        if claimed is None:
            return None
        priority = Priority.BACKFILL if claimed.run.is_backfill else _PRIORITIES[claimed.run.kind]
        context = CallContext(priority, by_person=claimed.run.trigger in PERSONS_TRIGGERS)
        if self._stopping:
            context.cancel()
        connection = self._shops.connect(claimed.integration, context)
        return RunSession(claimed.run, claimed.integration, claimed.account, connection, context, self._database)

    async def _result(self, session: RunSession) -> RunResult | None:
        """How the walk ended; nothing when the run is no longer ours to close."""
        try:
            await self._walks[session.run.kind].run(session)
        except RunLost:
            return None
        except RunStopped:
            return self._stopped(session)
        except ChannelSyncError as error:
            return failed(error, utcnow())
        return finished(session.counts, session.flaw, utcnow())

    def _stopped(self, session: RunSession) -> RunResult | None:
        if session.lost:
            return None
        return INTERRUPTED if self._stopping else CANCELLED

    async def _get(self, tenant: str, run_id: str) -> Run:
        async with self._database.read() as work:
            return await work.runs.get(tenant, run_id)
