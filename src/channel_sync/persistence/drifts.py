"""Listings whose shop shows other units than were confirmed, and what customers bought of them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, bindparam, func, null, select, update

from channel_sync.domain.drifts import Suspect
from channel_sync.domain.listings import PushState
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.column_types import Utc
from channel_sync.persistence.sql.trade_tables import listings

_row = listings.c
_SAME_AS_SEEN = (
    _row.id == bindparam("listing"),
    _row.settled_version == bindparam("of"),
    _row.push_state.in_([PushState.CONFIRMED, PushState.DRIFTED]),
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
_IS_RIGHT_AGAIN = (
    update(listings).where(*_SAME_AS_SEEN).values(differs_since=null(), push_state=PushState.CONFIRMED)
)


class Drift(Struct, frozen=True, gc=False):
    """What a shop shows of a listing that was confirmed at a version, or has drifted since."""

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
        await session.execute(_IS_RIGHT_AGAIN, right)


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
    _row.sent_quantities,
    _row.warehouse_id,
    _row.sent_quantity,
]
_UNTOLD = (_row.differs_since.is_not(None), _row.push_state == PushState.CONFIRMED)


class DriftRepository:
    """Drifts of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def oldest(self, account_id: str) -> datetime | None:
        """Since when the first of the account's listings differs that was not told of, if there is one."""
        since = select(func.min(_row.differs_since)).where(_row.account_id == account_id, *_UNTOLD)
        at: datetime | None = await self._session.value(since)
        return at

    async def suspects(self, account_id: str, after: str, limit: int) -> list[Suspect]:
        """Listings that differ and were not told of, so many behind an id."""
        untold = select(*_SUSPECT).where(_row.account_id == account_id, _row.id > after, *_UNTOLD)
        some = untold.order_by(_row.id).limit(limit)
        return [_suspect(row) async for rows in self._session.parts(some) for row in rows]

    async def suspects_of(self, listing_ids: Collection[str]) -> list[Suspect]:
        """The same of some listings."""
        untold = select(*_SUSPECT).where(any_of(_row.id, listing_ids), *_UNTOLD)
        return [_suspect(row) for row in await self._session.rows(untold.order_by(_row.id))]

    async def explain(self, sold: Sequence[Suspect]) -> None:
        """Note that customers bought what is missing of these: what they show is what is left."""
        if sold:
            await self._session.execute(_EXPLAIN, [_left(one) for one in sold])

    async def tell(self, listing_ids: Collection[str]) -> set[str]:
        """Call these drifted, if they still differ; which of them."""
        still = update(listings).where(any_of(_row.id, listing_ids), *_UNTOLD)
        told = still.values(push_state=PushState.DRIFTED).returning(_row.id)
        return set(await self._session.column(told))


def _suspect(row: Row[*tuple[Any, ...]]) -> Suspect:
    *members, sent_quantities, warehouse_id, sent_quantity = row
    told = sent_quantities or ((warehouse_id, sent_quantity),)
    return Suspect(told, *members)


def _left(one: Suspect) -> dict[str, Any]:
    return {"listing": one.listing_id, "of": one.version, "left": one.shown, "at": one.seen_at}
