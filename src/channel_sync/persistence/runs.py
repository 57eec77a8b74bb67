"""Runs: one open run of a kind per integration, fenced by being open."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Integer, Select, Update, bindparam, case, func, literal, or_, select, update

from channel_sync.domain.calls import Call
from channel_sync.domain.errors import AlreadyRunning, Conflict, NotFound, RunLost
from channel_sync.domain.integrations import Status
from channel_sync.domain.orders import OrderEstimate
from channel_sync.domain.runs import (
    ORDER_KINDS,
    PERSONS_TRIGGERS,
    URGENT_TRIGGERS,
    Counts,
    Lane,
    Outcome,
    Run,
    RunError,
    RunKind,
    RunStatus,
    Trigger,
)
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.integrations import has_status
from channel_sync.persistence.rows.timestamps import micros
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.paging import Page, PageRequest, as_position, page_of
from channel_sync.persistence.sql.run_tables import run_calls, runs
from channel_sync.persistence.sql.tables import integrations

_row = runs.c
_COLUMNS = columns_of(runs, Run)
_CALL_COLUMNS = columns_of(run_calls, Call)
_CALL_FIELDS = [field.name for field in fields(Call)]


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs."""

    integration_id: str | None = None
    kind: RunKind | None = None
    status: RunStatus | None = None


class RunRepository:
    """Runs. A run is open until it has `finished_at`; every write of its work needs it open.

    `queued_now` are those that this transaction has queued, or queued anew.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.queued_now: list[Run] = []

    async def open(self, run: Run) -> None:
        """Store a new run; `AlreadyRunning` names the open one that is the same, if there is one.

        That is the one of its kind, or aside the one of its window.
        """
        values = {field.name: getattr(run, field.name) for field in fields(Run)} | {"slot": slot_of(run)}
        if await self._session.change(self._session.insert(runs).values(values).on_conflict_do_nothing()) == 1:
            self.queued_now.append(run)
            return
        other = await self._session.value(
            select(_row.id).where(
                _row.integration_id == run.integration_id,
                _row.kind == run.kind,
                _row.slot == values["slot"],
                _is_open(),
            )
        )
        if other is None:
            raise Conflict("conflict", "There is a run of this id.")
        raise AlreadyRunning(other)

    async def count_aside(self, integration_id: str) -> int:
        """How many runs of the integration are open aside."""
        mine = (_row.integration_id == integration_id, _row.slot != "", _is_open())
        return int(await self._session.value(select(func.count()).select_from(runs).where(*mine)))

    async def queued(self, lane: Lane, limit: int) -> list[str]:
        """Ids of runs that wait in a lane to be started, the oldest first."""
        return await self._session.column(_queued_in(lane), {"most": limit})

    async def remind(self, queued_before: datetime, limit: int) -> None:
        """Queue anew the oldest runs that have been waiting, for a queue that may have lost them."""
        waiting = select(*_COLUMNS).where(
            _row.status == RunStatus.QUEUED, _is_open(), _row.created_at < queued_before
        )
        rows = await self._session.rows(waiting.order_by(_row.id).limit(limit))
        self.queued_now += [Run(*row) for row in rows]

    async def beat(self, run_id: str, counts: Counts, now: datetime) -> None:
        """Show that the run lives, in the transaction of its work; `RunLost` if it was closed."""
        await self._fenced(run_id, counts=counts, heartbeat_at=now)

    async def estimated(self, run_id: str, estimate: OrderEstimate) -> None:
        """Note what a dry run found out."""
        await self._session.execute(_change(run_id).where(_is_open()).values(estimate=estimate))

    async def walked(self, run_id: str, to: datetime) -> None:
        """Note how far a backfill is, in the transaction of its page."""
        await self._session.execute(_change(run_id).where(_is_open()).values(walked_to=to))

    async def set_status(self, run_id: str, status: RunStatus) -> None:
        """Change the status of an open run."""
        await self._session.execute(_change(run_id).where(_is_open()).values(status=status))

    async def finish(
        self,
        run_id: str,
        status: RunStatus,
        outcome: Outcome | None,
        counts: Counts,
        error: RunError | None,
        now: datetime,
    ) -> Trigger:
        """Close the run; `RunLost` if it was closed before. Its trigger, which `adopt` may have changed."""
        ending = {"status": status, "outcome": outcome, "counts": counts, "error": error}
        return await self._fenced(run_id, **ending, finished_at=now, heartbeat_at=now)

    async def _fenced(self, run_id: str, **changes: Any) -> Trigger:
        """The trigger of an open run that was changed; `RunLost` where it is closed."""
        changed = _change(run_id).where(_is_open()).values(changes)
        trigger: Trigger | None = await self._session.value(changed.returning(_row.trigger))
        if trigger is None:
            raise RunLost(run_id)
        return trigger

    async def adopt(self, tenant: str, run_id: str) -> Run | None:
        """An open run, given to a person who asked for one: it counts as theirs. None once it is closed."""
        theirs = case(
            (_row.trigger.in_(PERSONS_TRIGGERS), _row.trigger), else_=literal(Trigger.MANUAL, _row.trigger.type)
        )
        mine = _change(run_id).where(_row.tenant == tenant, _is_open())
        row = await self._session.row(mine.values(trigger=theirs).returning(*_COLUMNS))
        if row is None:
            return None
        run = Run(*row)
        if run.status is RunStatus.QUEUED:
            # It changes lanes: whoever waits for it does not wait behind the schedule.
            self.queued_now.append(run)
        return run

    async def request_cancel(self, tenant: str, run_id: str) -> Run:
        """Ask an open run to stop; a closed one stays as it is."""
        mine = _change(run_id).where(_row.tenant == tenant, _is_open())
        await self._session.execute(mine.values(cancel_requested=True))
        return await self.get(tenant, run_id)

    async def cancel_for(self, integration_id: str, kinds: Collection[RunKind] | None = None) -> None:
        """Ask the integration's open runs to stop, of these kinds or of all."""
        statement = update(runs).where(_row.integration_id == integration_id, _is_open())
        if kinds is not None:
            statement = statement.where(_row.kind.in_(kinds))
        await self._session.execute(statement.values(cancel_requested=True))

    async def to_stop(self, owner: str) -> list[str]:
        """Ids of the owner's open runs that were cancelled, or whose integration shall not be worked for."""
        works = or_(has_status(Status.ACTIVE), has_status(Status.PAUSED))
        return await self._session.column(
            select(_row.id)
            .join(integrations, integrations.c.id == _row.integration_id)
            .where(_is_open(), _row.owner == owner, or_(_row.cancel_requested, ~works))
        )

    async def interrupt_silent(
        self, heartbeat_before: datetime, spared: Collection[str], now: datetime
    ) -> list[Run]:
        """Close the runs that were started and show no life, but for those spared; each for one caller only."""
        return await self._interrupt_free(now, _row.heartbeat_at < heartbeat_before, ~any_of(_row.id, spared))

    async def interrupt_forgotten(
        self, owner: str, started_before: datetime, known: Collection[str], now: datetime
    ) -> list[Run]:
        """Close runs of a process that it does not know of: a crash of the database has undone their end."""
        forgotten = (_row.owner == owner, _row.started_at < started_before, ~any_of(_row.id, known))
        return await self._interrupt_free(now, *forgotten)

    async def interrupt_others(self, owner: str, now: datetime) -> list[Run]:
        """Close the runs of processes that are gone; for the start of the only process there is."""
        return await self._interrupt(now, _row.owner != owner)

    async def _interrupt_free(self, now: datetime, *conditions: ColumnElement[bool]) -> list[Run]:
        """Those that no other transaction is busy with."""
        free = select(_row.id).where(_is_open(), _row.status != RunStatus.QUEUED, *conditions)
        return await self._interrupt(now, _row.id.in_(free.with_for_update(skip_locked=True)))

    async def _interrupt(self, now: datetime, *conditions: ColumnElement[bool]) -> list[Run]:
        rows = await self._session.rows(
            update(runs)
            .where(*conditions, _is_open(), _row.status != RunStatus.QUEUED)
            .values(status=RunStatus.INTERRUPTED, finished_at=now)
            .returning(*_COLUMNS)
        )
        return [Run(*row) for row in rows]

    async def explain(self, run_id: str, error: RunError) -> None:
        """Say why a closed run ended as it did."""
        await self._session.execute(_change(run_id).values(error=error))

    async def get(self, tenant: str, run_id: str) -> Run:
        """The run, or `NotFound`."""
        found = await self._one(_row.id == run_id, _row.tenant == tenant)
        if found is None:
            raise NotFound("run")
        return found

    async def _one(self, *conditions: ColumnElement[bool]) -> Run | None:
        row = await self._session.row(select(*_COLUMNS).where(*conditions).order_by(_row.id.desc()).limit(1))
        return None if row is None else Run(*row)

    async def calls(self, tenant: str, run_id: str, page: PageRequest) -> Page[Call]:
        """A page of the run's calls in their order."""
        await self.get(tenant, run_id)
        after = 0 if page.after is None else as_position(page.after[0])
        rows = await self._session.rows(
            select(run_calls.c.number, *_CALL_COLUMNS)
            .where(run_calls.c.run_id == run_id, run_calls.c.number > after)
            .order_by(run_calls.c.number)
            .limit(page.limit + 1)
        )
        numbered = page_of(rows, page, lambda row: (row.number,))
        return Page([Call(*row[1:]) for row in numbered.items], numbered.next)

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget closed runs last heard of before a moment, with their calls, the oldest of many; how many."""
        old = (_row.heartbeat_at < before) & _row.finished_at.is_not(None)
        return await self._session.delete_some(runs, old, _row.heartbeat_at, limit)

    async def list(self, tenant: str, query: RunQuery, page: PageRequest) -> Page[Run]:
        """A page of the tenant's runs, newest first."""
        statement = select(*_COLUMNS).where(_row.tenant == tenant)
        wanted = {
            _row.integration_id: query.integration_id,
            _row.kind: query.kind,
            _row.status: query.status,
        }
        statement = statement.where(*(column == value for column, value in wanted.items() if value is not None))
        if page.after is not None:
            statement = statement.where(_row.id < page.after[0])
        rows = await self._session.rows(statement.order_by(_row.id.desc()).limit(page.limit + 1))
        return page_of([Run(*row) for row in rows], page, lambda run: (run.id,))


def _in_lane(lane: Lane) -> tuple[ColumnElement[bool], ...]:
    """As `Run.lane`, in SQL."""
    of_a_window, of_orders = _row.window_from.is_not(None), _row.kind.in_(ORDER_KINDS)
    is_urgent = _row.trigger.in_(URGENT_TRIGGERS)
    match lane:
        case Lane.BACKFILL:
            return (of_a_window,)
        case Lane.URGENT:
            return ~of_a_window, is_urgent
        case Lane.ORDERS:
            return ~of_a_window, ~is_urgent, of_orders
        case Lane.GOODS:
            return ~of_a_window, ~is_urgent, ~of_orders


@cache
def _queued_in(lane: Lane) -> Select[str]:
    waiting = select(_row.id).where(_row.status == RunStatus.QUEUED, _is_open(), *_in_lane(lane))
    return waiting.order_by(_row.id).limit(bindparam("most", type_=Integer))


def slot_of(run: Run) -> str:
    """What tells runs aside apart; the ordinary one of a kind has none."""
    if not run.is_aside:
        return ""
    start, end = ("" if moment is None else str(micros(moment)) for moment in (run.window_from, run.window_to))
    rules = "" if run.rules is None else msgspec.json.encode(run.rules).decode()
    return f"{start}/{end}/{'dry' if run.dry_run else ''}{rules}"


def _is_open() -> ColumnElement[bool]:
    return _row.finished_at.is_(None)


def _change(run_id: str) -> Update:
    return update(runs).where(_row.id == run_id)
