"""What each listing is to be told of its stock, what it was told, and what became of that."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select, update

from channel_sync.domain.listings import Listing, ListingStock, ProductStock, PushState, StockOutcome
from channel_sync.domain.stock import StockLevel
from channel_sync.persistence.among import among, among_given
from channel_sync.persistence.listing_rows import READ, is_pending, not_in
from channel_sync.persistence.session import Session, columns_of
from channel_sync.persistence.tables import accounts
from channel_sync.persistence.trade_tables import listings, stock_jobs, stock_levels

_row = listings.c
_PENDING = (
    select(_row.account_id, func.count(), func.min(_row.wanted_at))
    .where(among_given(_row.account_id, "ids"), is_pending())
    .group_by(_row.account_id)
)


class PushRepository:
    """Pushes to listings of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def stale(self, account_id: str, limit: int) -> list[tuple[Listing, StockLevel]]:
        """Listings that lack the newest level, longest waiting first, and the level. Not those in an open job."""
        open_jobs = select(stock_jobs.c.id).where(
            stock_jobs.c.account_id == account_id, stock_jobs.c.closed_at.is_(None)
        )
        statement = (
            select(*READ, *columns_of(stock_levels, StockLevel))
            .join_from(listings, accounts, accounts.c.id == _row.account_id)
            .join(stock_levels, (stock_levels.c.tenant == _row.tenant) & (stock_levels.c.sku == _row.stock_sku))
            .where(_row.account_id == account_id, is_pending(), not_in(open_jobs))
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
        open_jobs = select(stock_jobs.c.id).where(stock_jobs.c.closed_at.is_(None))
        statement = (
            select(_row.account_id)
            .distinct()
            .join(stock_levels, (stock_levels.c.tenant == _row.tenant) & (stock_levels.c.sku == _row.stock_sku))
            .where(among(_row.account_id, account_ids), is_pending(), not_in(open_jobs))
        )
        return set(await self._session.column(statement))

    async def mark_sent(self, items: Sequence[ListingStock], now: datetime, job_id: str | None) -> None:
        """Write down what is about to be sent, as part of a job or alone."""
        if not items:
            return
        statement = (
            update(listings)
            .where(_row.id == bindparam("listing"))
            .values(
                sent_version=bindparam("sent"),
                sent_quantity=bindparam("units"),
                sent_quantities=bindparam("everywhere"),
                sent_at=now,
                job_id=job_id,
            )
        )
        await self._session.execute(
            statement,
            [
                {
                    "listing": item.listing_id,
                    "sent": item.version,
                    "units": item.quantity,
                    "everywhere": item.quantities,
                }
                for item in items
            ],
        )

    async def settle(self, outcomes: Sequence[StockOutcome], now: datetime) -> None:
        """Keep what became of what was sent; an outcome of what is not the last sent any more says nothing.

        A refused version is settled as well, so it is not sent again; an accepted one is what the shop has now.
        """
        if not outcomes:
            return
        accepted = [
            {"listing": outcome.listing_id, "of": outcome.version} for outcome in outcomes if outcome.accepted
        ]
        refused = [
            {"listing": outcome.listing_id, "of": outcome.version, "code": outcome.code, "why": outcome.reason}
            for outcome in outcomes
            if not outcome.accepted
        ]
        last_sent = (_row.id == bindparam("listing"), _row.sent_version == bindparam("of"))
        settled = (
            update(listings)
            .where(*last_sent)
            .values(settled_version=bindparam("of"), settled_at=now, job_id=None, push_code=None, push_reason=None)
        )
        if accepted:
            confirmed = settled.values(push_state=PushState.CONFIRMED, quantities=_row.sent_quantities)
            await self._session.execute(confirmed, accepted)
        if refused:
            rejected = settled.values(
                push_state=PushState.REJECTED, push_code=bindparam("code"), push_reason=bindparam("why")
            )
            await self._session.execute(rejected, refused)

    async def unsend(self, job_id: str) -> None:
        """Take back what was sent with a job and is not settled: those listings wait again."""
        await self._session.execute(
            update(listings).where(_row.job_id == job_id).values(job_id=None, sent_version=_row.settled_version)
        )

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

    async def resend_all(self, account_id: str, now: datetime) -> None:
        """Let every fed listing wait again, for the same level means other units now."""
        again = {"sent_version": 0, "settled_version": 0, "push_state": None, "wanted_at": now}
        mine = (_row.account_id == account_id, _row.wanted_version > 0)
        await self._session.execute(update(listings).where(*mine).values(again))

    async def pending(self, account_ids: Sequence[str]) -> dict[str, tuple[int, datetime]]:
        """Per account how many listings wait for stock, and since when the first one does."""
        rows = await self._session.rows(_PENDING, {"ids": account_ids})
        return {account_id: (count, since) for account_id, count, since in rows}
