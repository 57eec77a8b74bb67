"""The newest of what runs left behind, for whoever looks for what is wrong."""

from collections.abc import Sequence

from sqlalchemy import Integer, bindparam, select

from channel_sync.domain.calls import Call
from channel_sync.domain.runs import Outcome, Run
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.sql.run_tables import run_calls, runs

_row = runs.c
_COLUMNS = columns_of(runs, Run)
_CALL_COLUMNS = columns_of(run_calls, Call)

# Built once: building one takes as long as carrying it out, and an answer to support has a dozen of the last.
_NEWEST = (
    select(_row.id)
    .where(_row.tenant == bindparam("whose"), _row.integration_id == bindparam("of"))
    .order_by(_row.id.desc())
    .limit(bindparam("among", type_=Integer))
)
_FAILED = (
    select(*_COLUMNS)
    .where(_row.id.in_(_NEWEST), _row.outcome == Outcome.FAILED)
    .order_by(_row.id.desc())
    .limit(bindparam("most", type_=Integer))
)
_LAST_CALLS = (
    select(*_CALL_COLUMNS)
    .where(run_calls.c.run_id == bindparam("of"))
    .order_by(run_calls.c.number.desc())
    .limit(bindparam("most", type_=Integer))
)


class RunLogRepository:
    """Runs and calls of every tenant's integrations, newest first."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def failed(self, tenant: str, integration_id: str, limit: int, among: int) -> list[Run]:
        """Runs that failed among so many of the newest: a shop in order has none, however long its history."""
        asked = {"whose": tenant, "of": integration_id, "among": among, "most": limit}
        return [Run(*row) for row in await self._session.rows(_FAILED, asked)]

    async def calls(self, run_ids: Sequence[str], limit: int) -> list[tuple[str, Call]]:
        """The last calls of these runs, each with its run; the runs in the order given."""
        found: list[tuple[str, Call]] = []
        for run_id in run_ids:
            last = await self._session.rows(_LAST_CALLS, {"of": run_id, "most": limit - len(found)})
            found += [(run_id, Call(*row)) for row in last]
            if len(found) == limit:
                break
        return found
