"""Listings whose shop shows other units than were confirmed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import bindparam, null, select, update

from channel_sync.domain.listings import PushState, Quantities, units_in
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.column_types import Utc
from channel_sync.persistence.sql.trade_tables import listings

_row = listings.c
_SAME_AS_SEEN = (
    _row.id == bindparam("listing"),
    _row.settled_version == bindparam("of"),
    _row.push_state.in_([PushState.CONFIRMED, PushState.DRIFTED]),
    _row.call_of.is_(None),
    _row.doubted_at.is_(None),
)
_DIFFERS = update(listings).where(*_SAME_AS_SEEN).values(differs_since=bindparam("at", type_=Utc))
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
    off = [{"listing": one.listing_id, "of": one.version, "at": one.seen_at} for one in drifts if one.differs]
    right = [{"listing": one.listing_id, "of": one.version} for one in drifts if not one.differs]
    if off:
        await session.execute(_DIFFERS, off)
    if right:
        await session.execute(_IS_RIGHT_AGAIN, right)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A listing that differs and was not told of yet. `quantity` was confirmed, `seen` is what the shop shows."""

    listing_id: str
    variation_id: str
    version: int
    quantity: int
    warehouse_id: str
    seen: Quantities
    settled_at: datetime
    differs_since: datetime
    sent_quantities: Quantities | None = None

    @property
    def shown(self) -> int:
        """Units that the shop shows in our warehouses."""
        ours = self.sent_quantities or ((self.warehouse_id, self.quantity),)
        return units_in([place for place, _ in ours], self.seen)


_SUSPECT: list[Any] = [
    _row.id,
    _row.variation_id,
    _row.settled_version,
    _row.sent_quantity,
    _row.warehouse_id,
    _row.quantities,
    _row.settled_at,
    _row.differs_since,
    _row.sent_quantities,
]


class DriftRepository:
    """Drifts of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def suspects(self, account_id: str, after: str, limit: int) -> list[Suspect]:
        """Listings that differ and were not told of, so many behind an id."""
        mine = (_row.account_id == account_id, _row.differs_since.is_not(None), _row.id > after)
        untold = select(*_SUSPECT).where(*mine, _row.push_state == PushState.CONFIRMED)
        some = untold.order_by(_row.id).limit(limit)
        return [Suspect(*row) async for rows in self._session.parts(some) for row in rows]

    async def tell(self, listing_ids: Collection[str]) -> set[str]:
        """Call these drifted, if they still differ; which of them."""
        still = (
            any_of(_row.id, listing_ids),
            _row.differs_since.is_not(None),
            _row.push_state == PushState.CONFIRMED,
        )
        told = update(listings).where(*still).values(push_state=PushState.DRIFTED).returning(_row.id)
        return set(await self._session.column(told))
