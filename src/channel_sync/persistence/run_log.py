"""The newest of what runs left behind, for whoever looks for what is wrong."""

from collections.abc import Sequence

from sqlalchemy import select

from channel_sync.domain.calls import Call
from channel_sync.domain.runs import Outcome, Run
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.sql.run_tables import run_calls, runs

_row = runs.c
_COLUMNS = columns_of(runs, Run)
_CALL_COLUMNS = columns_of(run_calls, Call)


class RunLogRepository:
    """Runs and calls of every tenant's integrations, newest first."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def failed(self, tenant: str, integration_id: str, limit: int, among: int) -> list[Run]:
        """Runs that failed among so many of the newest: a shop in order has none, however long its history."""
        mine = (_row.tenant == tenant, _row.integration_id == integration_id)
        newest = select(_row.id).where(*mine).order_by(_row.id.desc()).limit(among)
        wrong = select(*_COLUMNS).where(_row.id.in_(newest), _row.outcome == Outcome.FAILED)
        return [Run(*row) for row in await self._session.rows(wrong.order_by(_row.id.desc()).limit(limit))]

    async def calls(self, run_ids: Sequence[str], limit: int) -> list[tuple[str, Call]]:
        """The last calls of these runs, each with its run; the runs in the order given."""
        found: list[tuple[str, Call]] = []
        for run_id in run_ids:
            mine = select(*_CALL_COLUMNS).where(run_calls.c.run_id == run_id)
            last = mine.order_by(run_calls.c.number.desc()).limit(limit - len(found))
            found += [(run_id, Call(*row)) for row in await self._session.rows(last)]
            if len(found) == limit:
                break
        return found
