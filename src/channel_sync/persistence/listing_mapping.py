"""Which listings a SKU feeds. Worked out for the SKUs that a change touches, however many listings a shop has."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, select, text, update

from channel_sync.domain.listings import Mapping
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.listing_rows import NEVER_PUSHED, want_anew
from channel_sync.persistence.sql.any_of import GIVEN_VALUES, any_of, these
from channel_sync.persistence.sql.trade_tables import listings

_row = listings.c
WRITERS_OF_STOCK = 0x57_0C

# Those that a SKU would feed by itself, as in the index `ix_listings_rivals`: there the first one found is enough.
_RIVALS = (
    "SELECT id FROM listings WHERE account_id = :account AND stock_sku = given.value"
    " AND mapped_sku IS NULL AND writable AND mapping <> 'gone'"
)
_CONTESTS = {
    postgres: text(
        f"SELECT given.value, ({_RIVALS} ORDER BY mapping, id LIMIT 1),"
        f" ({_RIVALS} ORDER BY mapping DESC, id DESC LIMIT 1), ({_RIVALS} AND mapping = 'mapped' LIMIT 1)"
        f" FROM {source}"
    ).bindparams(these())
    for postgres, source in GIVEN_VALUES.items()
}


class Newcomer(Struct, frozen=True, gc=False):
    """A listing whose mapping is open. `is_rival`: it would be fed by its own SKU and can be written."""

    id: str
    sku: str | None
    is_rival: bool


@dataclass(frozen=True, slots=True)
class _Contest:
    """The rivals for a SKU in a shop: two of them, which are one where there is only one, and the one it feeds."""

    one: str
    other: str
    fed: str | None

    @property
    def winner(self) -> str | None:
        """The only one or else the one that was fed before; of several that came at once none."""
        return self.one if self.one == self.other else self.fed


async def lock_stock_of(session: Session, tenant: str) -> None:
    """Let nobody else write the tenant's levels, or what they feed, until the transaction ends.

    A level and a listing of its SKU that are stored at once would not see each other. First in its transaction.
    """
    if session.postgres:
        # On SQLite there is only one writer anyway.
        lock = func.pg_advisory_xact_lock(WRITERS_OF_STOCK, func.hashtext(tenant))
        # A catalogue makes a small table large within seconds, and plans of the small one read all of the large.
        plans = func.set_config("plan_cache_mode", "force_custom_plan", True)
        await session.execute(select(plans, lock))


async def map_anew(
    session: Session, account_id: str, newcomers: Collection[Newcomer], left: Collection[str], now: datetime
) -> None:
    """Map the newcomers, and whom the SKUs feed that others have left; each is told what it should be told.

    Whoever a SKU feeds goes on being fed when a rival appears.
    """
    skus = {newcomer.sku for newcomer in newcomers if newcomer.is_rival and newcomer.sku} | set(left)
    contests = await _contests(session, account_id, skus)
    mapped: dict[Mapping, set[str]] = defaultdict(set)
    for newcomer in newcomers:
        mapped[_mapping_of(newcomer, contests)].add(newcomer.id)
    mapped[Mapping.MAPPED] |= {contest.one for contest in contests.values() if contest.one == contest.other}
    for mapping, ids in mapped.items():
        # Fed again after a time it was not, a listing shows whatever was sold or set meanwhile.
        fresh = NEVER_PUSHED if mapping is Mapping.MAPPED else {"push_state": None, "differs_since": None}
        another = (any_of(_row.id, ids), _row.mapping != mapping)
        await session.execute(update(listings).where(*another).values(mapping=mapping, **fresh))
    await want_of(session, set().union(*mapped.values()), now)


async def want_of(session: Session, ids: Collection[str], now: datetime) -> None:
    """Write down which level these listings should be told, if any."""
    if ids:
        await session.execute(want_anew(now, any_of(_row.id, ids)))


async def _contests(session: Session, account_id: str, skus: Collection[str]) -> dict[str, _Contest]:
    if not skus:
        return {}
    rows = await session.rows(_CONTESTS[session.postgres], {"account": account_id, "these": skus})
    return {sku: _Contest(one, other, fed) for sku, one, other, fed in rows if one is not None}


def _mapping_of(newcomer: Newcomer, contests: dict[str, _Contest]) -> Mapping:
    if newcomer.sku is None:
        return Mapping.UNMAPPED
    contest = contests.get(newcomer.sku)
    if not newcomer.is_rival or contest is None or contest.winner == newcomer.id:
        return Mapping.MAPPED
    return Mapping.AMBIGUOUS
