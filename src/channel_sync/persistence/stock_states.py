"""Which SKUs have a listing whose level is in a given state."""

from itertools import groupby

from sqlalchemy import TextClause, text

from channel_sync.domain.listings import Listing, PushState
from channel_sync.domain.push_states import push_state
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.listing_rows import read
from channel_sync.persistence.sql.trade_tables import IS_MARKED, IS_ON_ITS_WAY, IS_SKIPPED, listings

_row = listings.c
_LOOKED_THROUGH = 1_000
# What a listing in the state has in any case, in the words of the index that finds it.
_MAY_BE: dict[PushState, TextClause] = {
    PushState.PENDING: text(IS_ON_ITS_WAY),
    PushState.SENT: text(IS_ON_ITS_WAY),
    PushState.SUPERSEDED: text(IS_ON_ITS_WAY),
    PushState.CONFIRMED: text("push_state = 'confirmed'"),
    PushState.REJECTED: text(f"{IS_MARKED} AND push_state = 'rejected'"),
    PushState.DRIFTED: text(f"{IS_MARKED} AND push_state = 'drifted'"),
    PushState.SKIPPED: text(f"({IS_SKIPPED})"),
}


async def skus_in(
    session: Session, tenant: str, state: PushState, after: str, most: int, only: str | None = None
) -> tuple[list[str], str | None]:
    """SKUs behind another, or this one alone, and where to go on; None at the end.

    At most so many, and no more than are found among a thousand listings that may be in the state: to find a rare
    one among many others would take long.
    """
    window = _LOOKED_THROUGH
    while True:
        near = read(tenant).where(_MAY_BE[state], _row.stock_sku > after)
        mine = near if only is None else near.where(_row.stock_sku == only)
        rows = await session.rows(mine.order_by(_row.stock_sku).limit(window))
        found = (Listing(*row) for row in rows)
        groups = [(sku or "", [*same]) for sku, same in groupby(found, lambda listing: listing.stock_sku)]
        if len(rows) < window:
            return _first(groups, state, most, None)
        # The last SKU may have more listings than were read.
        groups.pop()
        if groups:
            return _first(groups, state, most, groups[-1][0])
        window *= 4


def _first(
    groups: list[tuple[str, list[Listing]]], state: PushState, most: int, looked_until: str | None
) -> tuple[list[str], str | None]:
    found = [sku for sku, fed in groups if any(push_state(one, one.wanted_version) is state for one in fed)]
    return (found, looked_until) if len(found) <= most else (found[:most], found[most - 1])
