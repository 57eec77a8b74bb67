"""Steps of many runs in a few statements; the same steps of one run are in `runs`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update

from channel_sync.domain.calls import Call
from channel_sync.domain.runs import Outcome, Run, RunStatus, Trigger
from channel_sync.domain.texts import storable
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.rows.timestamps import micros
from channel_sync.persistence.sql.any_of import any_of_given
from channel_sync.persistence.sql.bulk import BulkInsert
from channel_sync.persistence.sql.run_tables import run_calls, runs

_row = runs.c
_COLUMNS = columns_of(runs, Run)
_QUIET = (_row.outcome == Outcome.NO_CHANGES, _row.trigger == Trigger.SCHEDULE, _row.finished_at.is_not(None))
_RUN_FIELDS = [field.name for field in fields(Run)]
_LONGEST_TEXT = 500
_CALL_FIELDS = [field.name for field in fields(Call)]
_INSERT_CALLS = BulkInsert(run_calls, ("run_id", "number", *_CALL_FIELDS), "")

_THESE = any_of_given(_row.id, "ids")
_CLAIM = (
    update(runs)
    .where(_THESE, _row.status == RunStatus.QUEUED, _row.finished_at.is_(None))
    .values(
        status=RunStatus.RUNNING, owner=bindparam("by"), started_at=bindparam("now"), heartbeat_at=bindparam("now")
    )
    .returning(*_COLUMNS)
)
_FINISH_QUIET = (
    update(runs)
    .where(_THESE, _row.trigger == Trigger.SCHEDULE, _row.finished_at.is_(None))
    .values(
        status=RunStatus.FINISHED,
        outcome=Outcome.NO_CHANGES,
        error=None,
        finished_at=bindparam("now"),
        heartbeat_at=bindparam("now"),
    )
    .returning(_row.id)
)
_earlier = runs.alias("earlier")
_ONE_BEFORE = (
    select(_earlier.c.id)
    .where(
        _earlier.c.integration_id == _row.integration_id,
        _earlier.c.kind == _row.kind,
        _earlier.c.id < _row.id,
    )
    .order_by(_earlier.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_BEFORE = select(_row.id, _ONE_BEFORE, _row.repeats, _row.heartbeat_at).where(_THESE, *_QUIET)
_ARE_QUIET = select(_row.id).where(_THESE, *_QUIET)
_DELETE = delete(runs).where(_THESE)
_REPEAT = (
    update(runs)
    .where(_row.id == bindparam("earlier"))
    .values(repeats=_row.repeats + bindparam("more"), heartbeat_at=bindparam("heard_of"))
)
_LAST_NUMBERS = (
    select(run_calls.c.run_id, func.max(run_calls.c.number))
    .where(any_of_given(run_calls.c.run_id, "ids"))
    .group_by(run_calls.c.run_id)
)


class RunBatches:
    """Many runs at once. `queued_now` is that of the transaction's `RunRepository`."""

    def __init__(self, session: Session, queued_now: list[Run]) -> None:
        self._session = session
        self._queued_now = queued_now

    async def open(self, fresh: Sequence[Run]) -> set[str]:
        """Store new runs; ids of those that were, for one of the kind may be open already."""
        if not fresh:
            return set()
        values = [{name: getattr(run, name) for name in _RUN_FIELDS} for run in fresh]
        statement = self._session.insert(runs).on_conflict_do_nothing().returning(_row.id)
        opened = set(await self._session.column(statement, values))
        self._queued_now += [run for run in fresh if run.id in opened]
        return opened

    async def claim(self, run_ids: Collection[str], owner: str, now: datetime) -> list[Run]:
        """Start queued runs; the ones that nobody else has. Some may have been cancelled while they waited."""
        rows = await self._session.rows(_CLAIM, {"ids": run_ids, "by": owner, "now": now})
        return [Run(*row) for row in rows]

    async def finish_quiet(self, run_ids: Collection[str], now: datetime) -> set[str]:
        """Close scheduled runs that found nothing new, their counts being stored; ids of those still open.

        One that a person has asked for meanwhile is not scheduled any more.
        """
        return set(await self._session.column(_FINISH_QUIET, {"ids": run_ids, "now": now}))

    async def compact(self, run_ids: Collection[str]) -> set[str]:
        """Count closed scheduled runs without news in the ones before them that were such, too; those are gone."""
        before = await self._before(run_ids)
        quiet = await self._quiet([earlier for earlier, _, _ in before.values()])
        folded = {run_id: row for run_id, row in before.items() if row[0] in quiet}
        if not folded:
            return set()
        await self._session.execute(_DELETE, {"ids": folded})
        await self._session.execute(
            _REPEAT,
            [
                {"earlier": earlier, "more": repeats + 1, "heard_of": heard_of}
                for earlier, repeats, heard_of in folded.values()
            ],
        )
        return set(folded)

    async def _before(self, run_ids: Collection[str]) -> dict[str, tuple[str, int, datetime]]:
        """Of each run the id of the one before, and what is counted there if it is folded."""
        rows = await self._session.rows(_BEFORE, {"ids": run_ids})
        return {run_id: (before, repeats, at) for run_id, before, repeats, at in rows if before is not None}

    async def _quiet(self, run_ids: Collection[str]) -> set[str]:
        return set(await self._session.column(_ARE_QUIET, {"ids": run_ids}))

    async def add_calls(self, calls: Mapping[str, Sequence[Call]]) -> None:
        """Append to the journals of runs."""
        if not any(calls.values()):
            return
        last = await self._session.rows(_LAST_NUMBERS, {"ids": calls})
        next_number = {run_id: number + 1 for run_id, number in last}
        rows = [
            (run_id, number, *_journaled(call))
            for run_id, made in calls.items()
            for number, call in enumerate(made, start=next_number.get(run_id, 1))
        ]
        await _INSERT_CALLS.write(self._session, rows)


def _journaled(call: Call) -> Iterator[str | int | None]:
    """The call's columns. Its texts come from outside, and must never be why a run cannot end."""
    for name in _CALL_FIELDS:
        value = getattr(call, name)
        if name == "at":
            yield micros(value)
        else:
            yield storable(value, _LONGEST_TEXT) if isinstance(value, str) else value
