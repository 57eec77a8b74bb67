"""Where runs are handed out and come back. What many do at the same moment is done in one transaction."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import RunLost
from channel_sync.domain.integrations import Account, Integration
from channel_sync.domain.runs import Counts, Run, RunStatus
from channel_sync.flows.batching import Batcher
from channel_sync.flows.retries import until_stored
from channel_sync.flows.runs.closing import close_run, close_runs_without_changes, is_without_changes
from channel_sync.flows.runs.log import log_run
from channel_sync.flows.runs.session import RunSession
from channel_sync.flows.scheduling.intervals import RunPace
from channel_sync.flows.scheduling.result import RunResult
from channel_sync.persistence.database import Database, UnitOfWork

_STORE_PATIENCE_S = 120


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run that is ours to carry out, and whom it is for."""

    run: Run
    integration: Integration
    account: Account


class RunClaims:
    """Claims and closes the runs of one process; `owner` is its name."""

    def __init__(self, database: Database, owner: str, pace: RunPace) -> None:
        self._database = database
        self._owner = owner
        self._pace = pace
        self._claims: Batcher[str, Claimed | None] = Batcher(self._claim_all)
        self._closings_without_changes: Batcher[RunSession, None] = Batcher(self._close_without_changes)

    async def claim(self, run_id: str) -> Claimed | None:
        """A queued run, if it is still free to take and may be carried out."""
        return await self._claims.submit(run_id)

    async def close(self, session: RunSession, result: RunResult) -> None:
        """The run closed as it ended, once the store takes it: until then nobody may start the next one."""

        async def once() -> None:
            if is_without_changes(session, result):
                # It may have become a person's meanwhile, and then is told of.
                with suppress(RunLost):
                    return await self._closings_without_changes.submit(session)
            async with self._database.begin() as work:
                await close_run(work, session, result, self._pace, utcnow())

        with suppress(RunLost):
            await until_stored(once, _STORE_PATIENCE_S)
            log_run(session, result)

    async def _claim_all(self, run_ids: Sequence[str]) -> list[Claimed | None]:
        async def claim(work: UnitOfWork) -> dict[str, Claimed]:
            return await _claim(work, run_ids, self._owner, utcnow())

        # A crash that undoes a claim ends the only process there is; among several it would not.
        claimed = await self._database.run_transaction(claim, durable=not self._database.single_process)
        # One that was asked for twice is given to one of the two.
        return [claimed.pop(run_id, None) for run_id in run_ids]

    async def _close_without_changes(self, sessions: Sequence[RunSession]) -> list[Exception | None]:
        async def close(work: UnitOfWork) -> set[str]:
            return await close_runs_without_changes(work, sessions, self._pace, utcnow())

        # Where a crash undoes it the shop is asked once more.
        closed = await self._database.run_transaction(close, durable=False)
        return [None if session.run.id in closed else RunLost(session.run.id) for session in sessions]


async def _claim(work: UnitOfWork, run_ids: Sequence[str], owner: str, now: datetime) -> dict[str, Claimed]:
    """The runs that nobody else has; what must not be carried out any more is closed."""
    claimed: dict[str, Claimed] = {}
    runs = await work.run_batches.claim(run_ids, owner, now)
    integrations = await work.integrations.find_all([run.integration_id for run in runs])
    accounts = await work.accounts.find_all([run.account_id for run in runs])
    for run in runs:
        integration = integrations.get(run.integration_id)
        if run.cancel_requested or integration is None or not integration.runnable:
            await work.runs.finish(run.id, RunStatus.CANCELLED, None, Counts(), None, now)
        else:
            claimed[run.id] = Claimed(run, integration, accounts[run.account_id])
    return claimed
