"""What each listing is to be told of its stock, what it was told, and what became of that."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, func, literal, or_, select, text, update

from channel_sync.domain.listings import Listing, ListingStock, ProductStock, PushState, StockOutcome
from channel_sync.domain.stock import StockLevel
from channel_sync.persistence.among import GIVEN_VALUES, among, among_given, these
from channel_sync.persistence.column_types import Utc
from channel_sync.persistence.doubts import FIRST_LOOK
from channel_sync.persistence.listing_rows import READ, is_pending
from channel_sync.persistence.session import Session, columns_of
from channel_sync.persistence.tables import accounts
from channel_sync.persistence.trade_tables import listings, stock_jobs, stock_levels

_row = listings.c
# Nobody waits for a list of shops because hundreds of thousands of rows are counted for it.
MOST_COUNTED = 10_000
_RESENT_AT_ONCE = 500
_IN_OPEN_JOB = exists().where(stock_jobs.c.id == _row.job_id, stock_jobs.c.closed_at.is_(None))
_SENDABLE = (is_pending(), or_(_row.job_id.is_(None), ~_IN_OPEN_JOB))
# Not EXISTS, for which SQLite would rather look through all listings of the account than through those that wait.
_FIRST_STALE = (
    select(_row.id).where(_row.account_id == accounts.c.id, *_SENDABLE).order_by(_row.wanted_at).limit(1)
).scalar_subquery()
_WITH_STALE = select(accounts.c.id).where(
    among_given(accounts.c.id, "ids"), or_(accounts.c.resend_after.is_not(None), _FIRST_STALE.is_not(None))
)
_WAITING = "listings WHERE account_id = given.value AND wanted_version > settled_version"
_PENDING = {
    postgres: text(
        f"SELECT given.value, (SELECT count(*) FROM (SELECT 1 FROM {_WAITING} LIMIT {MOST_COUNTED}) AS counted),"
        f" (SELECT wanted_at FROM {_WAITING} ORDER BY wanted_at LIMIT 1) AS since FROM {source}"
    )
    .bindparams(these())
    .columns(since=Utc)
    for postgres, source in GIVEN_VALUES.items()
}


class PushRepository:
    """Pushes to listings of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def stale(self, account_id: str, limit: int) -> list[tuple[Listing, StockLevel]]:
        """Listings that lack the newest level, longest waiting first, and the level. Not those in an open job."""
        statement = (
            select(*READ, *columns_of(stock_levels, StockLevel))
            .join_from(listings, accounts, accounts.c.id == _row.account_id)
            .join(stock_levels, (stock_levels.c.tenant == _row.tenant) & (stock_levels.c.sku == _row.stock_sku))
            .where(_row.account_id == account_id, *_SENDABLE)
            .order_by(_row.wanted_at)
            .limit(limit)
        )
        cut = len(READ)
        return [
            (Listing(*row[:cut]), StockLevel(*row[cut:]))
            async for rows in self._session.parts(statement)
            for row in rows
        ]

    async def accounts_with_stale(self, account_ids: Collection[str]) -> set[str]:
        """Those of the accounts a listing of which lacks the newest level and is not in an open job."""
        return set(await self._session.column(_WITH_STALE, {"ids": account_ids}))

    async def mark_sent(
        self, items: Sequence[ListingStock], now: datetime, run_id: str | None = None, job_id: str | None = None
    ) -> None:
        """Write down what is about to be sent by a run's own call or as part of a job.

        With a call goes a look at the shop, which is due unless the call's outcome comes first.
        """
        look = (
            {} if run_id is None else {"check_at": func.coalesce(_row.check_at, literal(now + FIRST_LOOK, Utc()))}
        )
        statement = (
            update(listings)
            .where(_row.id == bindparam("listing"))
            .values(
                sent_version=bindparam("sent"),
                sent_quantity=bindparam("units"),
                sent_quantities=bindparam("everywhere"),
                warehouse_id=bindparam("place"),
                sent_at=now,
                job_id=job_id,
                call_of=run_id,
                **look,
            )
        )
        if items:
            await self._session.execute(statement, [_sent(item) for item in items])

    async def settle(self, outcomes: Sequence[StockOutcome], now: datetime) -> None:
        """Keep what became of what was sent; an outcome of what is not the last sent any more says nothing.

        A refused version is settled as well, so it is not sent again. What the shop showed is what it has now.
        """
        last_sent = (_row.id == bindparam("listing"), _row.sent_version == bindparam("of"))
        settled = (
            update(listings)
            .where(*last_sent)
            .values(
                settled_version=bindparam("of"),
                settled_at=now,
                job_id=None,
                push_state=bindparam("state"),
                push_code=bindparam("code"),
                push_reason=bindparam("why"),
                quantities=func.coalesce(bindparam("shown", type_=_row.quantities.type), _row.quantities),
                seen_at=func.coalesce(bindparam("shown_at", type_=Utc), _row.seen_at),
            )
        )
        if outcomes:
            await self._session.execute(settled, [_settled(outcome, now) for outcome in outcomes])

    async def unsend(self, job_id: str) -> None:
        """Take back what was sent with a job and is not settled: those listings wait again."""
        back = {"job_id": None, "sent_version": _row.settled_version}
        await self._session.execute(update(listings).where(_row.job_id == job_id).values(back))

    async def in_job(self, job_id: str) -> list[ProductStock]:
        """What was sent with a job and is not settled."""
        rows = await self._session.rows(
            select(
                _row.product_id,
                _row.id,
                _row.variation_id,
                _row.sent_version,
                _row.sent_quantity,
                _row.sent_quantities,
            )
            .where(_row.job_id == job_id)
            .order_by(_row.product_id, _row.id)
        )
        products: dict[str, list[ListingStock]] = {}
        for product_id, *rest in rows:
            products.setdefault(product_id, []).append(ListingStock(*rest))
        return [ProductStock(product_id, tuple(stocks)) for product_id, stocks in products.items()]

    async def resend(self, tenant: str, account_id: str, after: str, now: datetime) -> str | None:
        """Let the next few hundred listings behind an id wait again, for the same level means other units now.

        The last one's id, where there may be more; those that come after it show as waiting already.
        """
        mine = (_row.account_id == account_id, _row.tenant == tenant, _row.id > after)
        next_ones = select(_row.id).where(*mine).order_by(_row.id).limit(_RESENT_AT_ONCE)
        ids = await self._session.column(next_ones)
        again = {"sent_version": 0, "settled_version": 0, "push_state": None, "wanted_at": now}
        fed = (among(_row.id, ids), _row.wanted_version > 0)
        await self._session.execute(update(listings).where(*fed).values(again))
        rest = ids[-1] if len(ids) == _RESENT_AT_ONCE else None
        await self._session.execute(update(accounts).where(accounts.c.id == account_id).values(resend_after=rest))
        return rest

    async def pending(self, account_ids: Sequence[str]) -> dict[str, tuple[int, datetime]]:
        """Per account how many listings wait, counted up to `MOST_COUNTED`, and since when the first one does."""
        rows = await self._session.rows(_PENDING[self._session.postgres], {"these": account_ids})
        return {account_id: (count, since) for account_id, count, since in rows if count}


def _sent(item: ListingStock) -> dict[str, Any]:
    return {
        "listing": item.listing_id,
        "sent": item.version,
        "units": item.quantity,
        "everywhere": item.quantities,
        "place": item.warehouse_id,
    }


def _settled(outcome: StockOutcome, now: datetime) -> dict[str, Any]:
    return {
        "listing": outcome.listing_id,
        "of": outcome.version,
        "state": PushState.CONFIRMED if outcome.accepted else PushState.REJECTED,
        "code": outcome.code,
        "why": outcome.reason,
        "shown": outcome.seen,
        "shown_at": None if outcome.seen is None else now,
    }
