"""When each job of an integration is due, and how it went. What is due is a column."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, bindparam, func, or_, select, update

from channel_sync.domain.fast_dataclass import fast_dataclass
from channel_sync.domain.runs import CRASHES_ALLOWED, RunKind
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.sql.any_of import any_of_given
from channel_sync.persistence.sql.column_types import Utc
from channel_sync.persistence.sql.run_tables import schedules

_row = schedules.c

# Clocks of processes beside each other may differ by this much.
_CLOCKS_DIFFER = timedelta(minutes=1)


@fast_dataclass
class Schedule:
    """The schedule of one job of one integration. Without `next_at` it is not due at all.

    `seen_until` is of orders: when the last look began that came to the end of what the marketplace has.
    """

    next_at: datetime | None
    last_attempt_at: datetime | None
    last_success_at: datetime | None
    failures: int
    last_error_code: str | None
    seen_until: datetime | None = None


_COLUMNS = columns_of(schedules, Schedule)
_DUE = (
    select(_row.integration_id)
    .where(_row.kind == bindparam("what"), _row.next_at <= bindparam("now"))
    .order_by(_row.next_at)
    .limit(bindparam("most", type_=Integer))
)
_TAKE_DUE = _DUE.with_for_update(skip_locked=True)
_THIS = and_(_row.integration_id == bindparam("of"), _row.kind == bindparam("what"))
_FOLLOW = (
    update(schedules)
    .where(_THIS)
    .values(
        next_at=bindparam("next"),
        last_attempt_at=func.coalesce(bindparam("started", type_=Utc), _row.last_attempt_at),
    )
)
_SUCCEEDED = (
    update(schedules)
    .where(_THIS)
    .values(
        next_at=bindparam("next"),
        last_success_at=bindparam("now"),
        seen_until=func.coalesce(bindparam("seen", type_=Utc), _row.seen_until),
        failures=0,
        crashes=0,
        last_error_code=None,
    )
)
_OF_THESE = and_(any_of_given(_row.integration_id, "ids"), _row.kind.in_(bindparam("kinds", expanding=True)))
_LOCKED = select(_row.integration_id).where(_OF_THESE).order_by(_row.integration_id, _row.kind).with_for_update()
_OF_MANY = select(_row.integration_id, _row.kind, *_COLUMNS).where(_OF_THESE)


@dataclass(frozen=True, slots=True)
class Plan:
    """When a job is due next, or not at all; when it was started if it was, and up to when it saw everything."""

    integration_id: str
    kind: RunKind
    next_at: datetime | None
    started_at: datetime | None = None
    seen_until: datetime | None = None


class ScheduleRepository:
    """Schedules; a row is made when it is first written."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def due(self, kind: RunKind, now: datetime, limit: int) -> list[str]:
        """Ids of the integrations whose job is due, the longest waiting first."""
        return await self._session.column(_DUE, {"what": kind, "now": now, "most": limit})

    async def take_due(self, kind: RunKind, now: datetime, limit: int) -> list[str]:
        """The same, theirs to be planned in this transaction; those that another one has taken are left out."""
        return await self._session.column(_TAKE_DUE, {"what": kind, "now": now, "most": limit})

    async def apply(self, plans: Sequence[Plan]) -> None:
        """Write down when these jobs are due next."""
        if not plans:
            return
        await self._session.execute(
            _FOLLOW,
            [
                {"of": plan.integration_id, "what": plan.kind, "next": plan.next_at, "started": plan.started_at}
                for plan in plans
            ],
        )

    async def lock(self, jobs: Collection[tuple[str, RunKind]]) -> None:
        """Keep others from planning these jobs until the transaction ends.

        Whoever changes schedules and runs does it in this order, so that no two wait for each other.
        """
        if self._session.postgres:
            ids, kinds = {integration_id for integration_id, _ in jobs}, {kind for _, kind in jobs}
            await self._session.rows(_LOCKED, {"ids": ids, "kinds": kinds})

    async def succeeded_all(self, plans: Sequence[Plan], now: datetime) -> None:
        """Note that runs came to their end; earlier failures are over."""
        if not plans:
            return
        await self._session.execute(
            _SUCCEEDED,
            [
                {
                    "of": plan.integration_id,
                    "what": plan.kind,
                    "next": plan.next_at,
                    "now": now,
                    "seen": plan.seen_until,
                }
                for plan in plans
            ],
        )

    async def of(
        self, integration_ids: Sequence[str], kinds: Collection[RunKind] = tuple(RunKind)
    ) -> dict[str, dict[RunKind, Schedule]]:
        """The schedules of these integrations; a job that never had one is missing."""
        found: dict[str, dict[RunKind, Schedule]] = {integration_id: {} for integration_id in integration_ids}
        rows = await self._session.rows(_OF_MANY, {"ids": integration_ids, "kinds": kinds})
        for integration_id, kind, *rest in rows:
            found[integration_id][kind] = Schedule(*rest)
        return found

    async def set_next(self, integration_id: str, kind: RunKind, at: datetime | None) -> None:
        """Make the job due at a moment, or not at all."""
        await self._put(integration_id, kind, next_at=at)

    async def hurry(self, integration_id: str, kind: RunKind, now: datetime) -> None:
        """Make the job due by a moment, if it is not due earlier, and not put aside for its crashes."""
        later = and_(or_(_row.next_at.is_(None), _row.next_at > now), _row.crashes < CRASHES_ALLOWED)
        await self._session.execute(
            self._session.insert(schedules)
            .values(integration_id=integration_id, kind=kind, next_at=now, failures=0, crashes=0)
            .on_conflict_do_update(index_elements=["integration_id", "kind"], set_={"next_at": now}, where=later)
        )

    async def hurry_misdated(self, now: datetime) -> None:
        """Make due what was last attempted after now: the clock that planned the next time was set back since."""
        ahead = (_row.next_at > now, _row.last_attempt_at > now + _CLOCKS_DIFFER)
        await self._session.execute(update(schedules).where(*ahead).values(next_at=now))

    async def succeeded(self, plan: Plan, now: datetime) -> None:
        """Note that a run came to its end; earlier failures are over."""
        seen = {} if plan.seen_until is None else {"seen_until": plan.seen_until}
        fine = {"last_success_at": now, "failures": 0, "crashes": 0, "last_error_code": None, **seen}
        await self._put(plan.integration_id, plan.kind, next_at=plan.next_at, **fine)

    async def failed(
        self, integration_id: str, kind: RunKind, now: datetime, next_at: datetime | None, code: str
    ) -> None:
        """Note that a run failed, and why."""
        await self._put(integration_id, kind, last_attempt_at=now, next_at=next_at, last_error_code=code)
        await self._session.execute(
            update(schedules).where(*_of(integration_id, kind)).values(failures=_row.failures + 1)
        )

    async def _put(self, integration_id: str, kind: RunKind, **changes: Any) -> None:
        await self._session.execute(
            self._session.insert(schedules)
            .values({"integration_id": integration_id, "kind": kind, "failures": 0, "crashes": 0} | changes)
            .on_conflict_do_update(index_elements=["integration_id", "kind"], set_=changes)
        )

    async def crashed(self, integration_id: str, kind: RunKind) -> int:
        """Count a process that died during the job; how many did in a row."""
        mine = _of(integration_id, kind)
        counted = update(schedules).where(*mine).values(crashes=_row.crashes + 1).returning(_row.crashes)
        return await self._session.value(counted) or 0

    async def forgive(self, integration_id: str, *kinds: RunKind) -> None:
        """Forget the crashes of these jobs, or of all."""
        mine = _row.kind.in_(kinds or tuple(RunKind))
        forgiven = update(schedules).where(_row.integration_id == integration_id, mine, _row.crashes > 0)
        await self._session.execute(forgiven.values(crashes=0))

    async def stop_all(self, integration_id: str) -> None:
        """Make no job of the integration due."""
        await self._session.execute(
            update(schedules).where(_row.integration_id == integration_id).values(next_at=None)
        )


def _of(integration_id: str, kind: RunKind) -> tuple[ColumnElement[bool], ...]:
    return _row.integration_id == integration_id, _row.kind == kind
