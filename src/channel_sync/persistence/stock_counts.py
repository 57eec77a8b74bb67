"""How much of many shops' goods and orders waits or is not as it should be, without looking through the rest."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.sql.any_of import GIVEN_VALUES, these
from channel_sync.persistence.sql.column_types import Utc
from channel_sync.persistence.sql.trade_tables import IS_CLOSED, IS_MARKED, IS_UNFED

# Nobody waits for a list of shops because hundreds of thousands of rows are counted for it.
MOST_WAITING = 10_000
MOST_COUNTED = 1_000

_LISTINGS = "listings WHERE account_id = given.value"
_WAITING = f"{_LISTINGS} AND wanted_version > settled_version"
_COUNTED = {
    "rejected": f"{_LISTINGS} AND {IS_MARKED} AND push_state = 'rejected'",
    "drifted": f"{_LISTINGS} AND {IS_MARKED} AND push_state = 'drifted'",
    "ambiguous": f"{_LISTINGS} AND {IS_UNFED} AND mapping = 'ambiguous'",
    "closed": f"{_LISTINGS} AND {IS_CLOSED}",
    "unmapped": f"{_LISTINGS} AND {IS_UNFED} AND mapping = 'unmapped'",
    "gone": f"{_LISTINGS} AND {IS_UNFED} AND mapping = 'gone'",
    "held": "held_orders WHERE account_id = given.value",
}


@dataclass(frozen=True, slots=True)
class StockCounts:
    """Numbers of one account: `waiting` is counted up to `MOST_WAITING`, the others up to `MOST_COUNTED`.

    `waiting_since` is when the first of those that wait began to. `skipped` are ambiguous or closed.
    """

    waiting: int = 0
    waiting_since: datetime | None = None
    rejected: int = 0
    drifted: int = 0
    skipped: int = 0
    unmapped: int = 0
    gone: int = 0
    held: int = 0
    ambiguous: int = 0


NOTHING = StockCounts()


def _counted(rows: str, most: int) -> str:
    return f"(SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT {most}) AS counted)"


_STATEMENTS = {
    postgres: text(
        f"SELECT given.value, {_counted(_WAITING, MOST_WAITING)} AS waiting,"
        f" (SELECT wanted_at FROM {_WAITING} ORDER BY wanted_at LIMIT 1) AS waiting_since, "
        + ", ".join(f"{_counted(rows, MOST_COUNTED)} AS {name}" for name, rows in _COUNTED.items())
        + f" FROM {source}"
    )
    .bindparams(these())
    .columns(waiting_since=Utc)
    for postgres, source in GIVEN_VALUES.items()
}


async def counts_of(session: Session, account_ids: Collection[str]) -> dict[str, StockCounts]:
    """The numbers of each account."""
    rows = await session.rows(_STATEMENTS[session.postgres], {"these": account_ids})
    found: dict[str, StockCounts] = {}
    # By their places: fifty shops by ten names would be the larger part of the list's time.
    for account_id, waiting, since, rejected, drifted, ambiguous, closed, unmapped, gone, held in rows:
        skipped = min(ambiguous + closed, MOST_COUNTED)
        found[account_id] = StockCounts(
            waiting, since, rejected, drifted, skipped, unmapped, gone, held, ambiguous
        )
    return found
