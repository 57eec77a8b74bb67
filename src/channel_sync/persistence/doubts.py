"""Listings of which nobody knows whether a call of ours took effect, or may yet do so."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, func, null, or_, select, update

from channel_sync.domain.doubts import Doubt, next_look
from channel_sync.domain.listings import PushState, Quantities
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.listing_rows import is_pending
from channel_sync.persistence.sql.any_of import any_of, any_of_given
from channel_sync.persistence.sql.column_types import Utc
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import listings

_row = listings.c
FIRST_LOOK = timedelta(seconds=5)
_NEXT = (
    select(_row.check_at)
    .where(_row.account_id == accounts.c.id, _row.check_at.is_not(None))
    .order_by(_row.check_at)
    .limit(1)
    .scalar_subquery()
)
_NEXT_LOOKS = select(accounts.c.id, _NEXT).where(any_of_given(accounts.c.id, "ids"))
_IS_ACCEPTED = _row.push_state.in_([PushState.CONFIRMED, PushState.SENT])
_IS_NEWEST = ~is_pending() & _IS_ACCEPTED
_DOUBT = [
    _row.id,
    _row.product_id,
    _row.variation_id,
    _row.sent_version,
    _row.sent_quantity,
    _row.warehouse_id,
    func.coalesce(_IS_NEWEST, False),
    _row.doubted_at,
    _row.quantities,
    _row.seen_at,
    _row.settled_at,
    _row.sent_quantities,
]
_SAW = (
    update(listings)
    .where(
        _row.id == bindparam("listing"), or_(_row.seen_at.is_(None), _row.seen_at <= bindparam("at", type_=Utc))
    )
    .values(quantities=bindparam("shown", type_=_row.quantities.type), seen_at=bindparam("at", type_=Utc))
)
_LOOKED = (
    update(listings)
    .where(_row.id == bindparam("listing"))
    .values(check_at=bindparam("next", type_=Utc), doubted_at=bindparam("doubted", type_=Utc))
)


class DoubtRepository:
    """Doubts of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def answered(self, run_id: str, listing_ids: Collection[str], **more: Any) -> None:
        """Note that a run's call has an outcome; a doubt from before stays."""
        check_at = case((_row.doubted_at.is_(None), null()), else_=_row.check_at)
        over = {"call_of": None, "check_at": check_at, **more}
        ours = (any_of(_row.id, listing_ids), _row.call_of == run_id)
        await self._session.execute(update(listings).where(*ours).values(over))

    async def not_made(self, run_id: str, listing_ids: Collection[str]) -> None:
        """Note that a run's call did nothing: what was about to be sent waits as before."""
        await self.answered(run_id, listing_ids, sent_version=_row.settled_version)

    async def unanswered(self, run_id: str, listing_ids: Collection[str], now: datetime) -> None:
        """Note that a run's call has no outcome. That of a run which came after it may be under way."""
        call_of = case((_row.call_of == run_id, null()), else_=_row.call_of)
        lost = {"call_of": call_of, "doubted_at": now, "check_at": now + FIRST_LOOK}
        await self._session.execute(update(listings).where(any_of(_row.id, listing_ids)).values(lost))

    async def unanswered_job(self, job_id: str, now: datetime, limit: int) -> int:
        """Note that nobody knows what became, or becomes, of a job, for so many of its listings; of how many."""
        lost = {"job_id": None, "doubted_at": now, "check_at": now + FIRST_LOOK}
        some = select(_row.id).where(_row.job_id == job_id).limit(limit)
        return await self._session.change(update(listings).where(_row.id.in_(some)).values(lost))

    async def are_calls_lost(self, account_id: str, run_id: str) -> bool:
        """Whether earlier runs left calls without an outcome: they are dead, or have lost their place to this."""
        theirs = select(_row.id).where(*_of_others(account_id, run_id)).limit(1)
        return await self._session.value(theirs) is not None

    async def notice_lost_calls(self, account_id: str, run_id: str, now: datetime) -> None:
        """Doubt what earlier runs left without an outcome."""
        lost = {"call_of": None, "doubted_at": now, "check_at": now + FIRST_LOOK}
        await self._session.execute(update(listings).where(*_of_others(account_id, run_id)).values(lost))

    async def due(self, account_id: str, now: datetime, limit: int) -> list[Doubt]:
        """Doubtful listings whose shop is to be looked at, the longest waiting first."""
        due = (_row.account_id == account_id, _row.check_at <= now, _row.doubted_at.is_not(None))
        rows = await self._session.rows(select(*_DOUBT).where(*due).order_by(_row.check_at).limit(limit))
        return [Doubt(*row) for row in rows]

    async def next_looks(self, account_ids: Collection[str]) -> dict[str, datetime]:
        """When to look next at each of the accounts' shops; one without doubt is missing."""
        rows = await self._session.rows(_NEXT_LOOKS, {"ids": account_ids})
        return {account_id: at for account_id, at in rows if at is not None}

    async def saw(self, shown: Collection[tuple[str, Quantities]], at: datetime) -> None:
        """Keep what the shop showed of listings at a moment, unless it was seen later."""
        if shown:
            seen = [{"listing": listing_id, "shown": quantities, "at": at} for listing_id, quantities in shown]
            await self._session.execute(_SAW, seen)

    async def looked(self, doubts: Sequence[Doubt], now: datetime) -> None:
        """Plan the next look at these; after the last one the doubt is over."""
        if doubts:
            plans = [(doubt, next_look(doubt.doubted_at, now)) for doubt in doubts]
            await self._session.execute(
                _LOOKED,
                [
                    {"listing": doubt.listing_id, "next": at, "doubted": None if at is None else doubt.doubted_at}
                    for doubt, at in plans
                ],
            )

    async def recall(self, listing_ids: Collection[str], now: datetime) -> None:
        """Let these wait again for the level that they were told, for their shop shows another."""
        again = {"settled_version": 0, "push_state": None, "wanted_at": now, "differs_since": None}
        accepted = (any_of(_row.id, listing_ids), _IS_ACCEPTED)
        await self._session.execute(update(listings).where(*accepted).values(again))

    async def confirm(self, listing_ids: Collection[str]) -> None:
        """Note that the shop shows what it had only accepted of these."""
        unseen = (any_of(_row.id, listing_ids), _row.push_state == PushState.SENT, ~is_pending())
        shown = {"push_state": PushState.CONFIRMED, "push_code": None, "push_reason": None}
        await self._session.execute(update(listings).where(*unseen).values(shown))


def _of_others(account_id: str, run_id: str) -> tuple[ColumnElement[bool], ...]:
    return _row.account_id == account_id, _row.check_at.is_not(None), _row.call_of != run_id
