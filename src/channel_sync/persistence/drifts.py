"""Listings whose shop shows other units than were confirmed, and what customers bought of them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, and_, bindparam, case, func, null, or_, select, text, update

from channel_sync.domain.drifts import QUIET_FOR, DriftAction, Suspect
from channel_sync.domain.listings import Mapping, PushState
from channel_sync.domain.push_states import CHANGED_REPEATEDLY, UNDER_REVIEW
from channel_sync.domain.stock import DriftPolicy
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.listing_rows import AGAIN
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.column_types import Utc
from channel_sync.persistence.sql.trade_tables import IS_CONTESTED, listings

_row = listings.c
_SAME_AS_SEEN = (
    _row.id == bindparam("listing"),
    _row.settled_version == bindparam("of"),
    # IN takes no list of parameters for many executions.
    or_(*(_row.push_state == state for state in (PushState.SENT, PushState.CONFIRMED, PushState.DRIFTED))),
    _row.wanted_version == bindparam("of"),
    _row.settled_at <= bindparam("at", type_=Utc),
    _row.call_of.is_(None),
    _row.doubted_at.is_(None),
)
_DIFFERS = update(listings).where(*_SAME_AS_SEEN).values(differs_since=bindparam("at", type_=Utc))
_EXPLAIN = (
    update(listings)
    .where(
        _row.id == bindparam("listing"),
        _row.settled_version == bindparam("of"),
        _row.seen_at <= bindparam("at", type_=Utc),
        _row.differs_since.is_not(None),
    )
    .values(
        left_quantities=bindparam("left", type_=_row.left_quantities.type),
        left_at=bindparam("at", type_=Utc),
        differs_since=None,
    )
)
_IS_RIGHT = (
    update(listings)
    .where(*_SAME_AS_SEEN)
    .values(
        differs_since=null(),
        push_state=PushState.CONFIRMED,
        # Of one that was confirmed before it says why; of any other why it was not.
        push_code=case((_row.push_state == PushState.CONFIRMED, _row.push_code), else_=null()),
        push_reason=case((_row.push_state == PushState.CONFIRMED, _row.push_reason), else_=null()),
    )
)


class Drift(Struct, frozen=True, gc=False):
    """What a shop shows of a listing that was told a version: it confirmed that, took it only, or has drifted."""

    listing_id: str
    version: int
    differs: bool
    seen_at: datetime


async def mark_drifts(session: Session, drifts: Sequence[Drift]) -> None:
    """Note since when listings differ from what was confirmed, or that they do no more; each told once."""
    off = [_seen(one) for one in drifts if one.differs]
    right = [_seen(one) for one in drifts if not one.differs]
    if off:
        await session.execute(_DIFFERS, off)
    if right:
        await session.execute(_IS_RIGHT, right)


def _seen(one: Drift) -> dict[str, Any]:
    return {"listing": one.listing_id, "of": one.version, "at": one.seen_at}


_SUSPECT: list[Any] = [
    _row.id,
    _row.product_id,
    _row.variation_id,
    _row.settled_version,
    func.coalesce(_row.sent_at, _row.settled_at),
    _row.quantities,
    func.coalesce(_row.seen_at, _row.differs_since),
    _row.differs_since,
    _row.left_quantities,
    _row.left_at,
    _row.drift_count,
    _row.drifted_at,
    _row.sent_quantities,
    _row.warehouse_id,
    _row.sent_quantity,
]


class DriftRepository:
    """Drifts of every tenant. Under a policy that corrects, nothing was done yet about what was only reported."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def oldest(self, account_id: str, policy: DriftPolicy) -> datetime | None:
        """Since when the first of the account's listings differs that nothing was done about, if there is one."""
        mine = (_row.account_id == account_id, *_undone(policy))
        at: datetime | None = await self._session.value(select(func.min(_row.differs_since)).where(*mine))
        return at

    async def suspects(self, account_id: str, policy: DriftPolicy, after: str, limit: int) -> list[Suspect]:
        """Listings that differ and nothing was done about, so many behind an id."""
        undone = select(*_SUSPECT).where(_row.account_id == account_id, _row.id > after, *_undone(policy))
        some = undone.order_by(_row.id).limit(limit)
        return [_suspect(row) async for rows in self._session.parts(some) for row in rows]

    async def suspects_of(self, listing_ids: Collection[str], policy: DriftPolicy) -> list[Suspect]:
        """The same of some listings."""
        undone = select(*_SUSPECT).where(any_of(_row.id, listing_ids), *_undone(policy))
        return [_suspect(row) for row in await self._session.rows(undone.order_by(_row.id))]

    async def explain(self, sold: Sequence[Suspect]) -> None:
        """Note that customers bought what is missing of these: what they show is what is left."""
        if sold:
            await self._session.execute(_EXPLAIN, [_left(one) for one in sold])

    async def settle(
        self, listing_ids: Collection[str], policy: DriftPolicy, action: DriftAction, now: datetime
    ) -> set[str]:
        """Do this about the drifts of listings, if they still differ; about which of them.

        What is corrected waits for its level again, and anything else is drifted.
        """
        still = update(listings).where(any_of(_row.id, listing_ids), *_undone(policy))
        done = still.values(_done(action, now)).returning(_row.id)
        return set(await self._session.column(done))

    async def are_any_contested(self, account_id: str, now: datetime) -> bool:
        """Whether somebody else kept writing listings of the account, less than `QUIET_FOR` ago."""
        lately = (_row.account_id == account_id, text(IS_CONTESTED), _row.drifted_at > now - QUIET_FOR)
        fed = select(_row.id).where(*lately, _row.mapping == Mapping.MAPPED).limit(1)
        return await self._session.value(fed) is not None


def _undone(policy: DriftPolicy) -> tuple[ColumnElement[bool], ...]:
    reported = and_(_row.push_state == PushState.DRIFTED, _row.push_code.is_(None))
    # What is reviewed need not show yet.
    is_reviewed = func.coalesce(_row.push_code, "") == UNDER_REVIEW
    taken = or_(_row.push_state == PushState.CONFIRMED, and_(_row.push_state == PushState.SENT, ~is_reviewed))
    is_undone = or_(taken, reported) if policy is DriftPolicy.CORRECT else taken
    return _row.differs_since.is_not(None), is_undone


def _done(action: DriftAction, now: datetime) -> dict[str, Any]:
    is_quiet = or_(_row.drifted_at.is_(None), _row.drifted_at <= now - QUIET_FOR)
    counted = {"drift_count": case((is_quiet, 1), else_=_row.drift_count + 1), "drifted_at": now}
    drifted = {"push_state": PushState.DRIFTED, "push_code": None, "push_reason": None}
    match action:
        case DriftAction.REPORTED:
            return drifted
        case DriftAction.CORRECTED:
            return AGAIN | counted | {"wanted_at": now}
        case DriftAction.GIVEN_UP:
            return drifted | counted | {"push_code": CHANGED_REPEATEDLY}


def _suspect(row: Row[*tuple[Any, ...]]) -> Suspect:
    *members, sent_quantities, warehouse_id, sent_quantity = row
    told = sent_quantities or ((warehouse_id, sent_quantity),)
    return Suspect(told, *members)


def _left(one: Suspect) -> dict[str, Any]:
    return {"listing": one.listing_id, "of": one.version, "left": one.shown, "at": one.seen_at}
