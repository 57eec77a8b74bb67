"""What each listing is to be told of its stock, what it was told, and what became of that."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    text,
    tuple_,
    update,
)

from channel_sync.domain.listings import (
    Listing,
    ListingStock,
    ProductStock,
    PushState,
    Quantities,
    StockOutcome,
    Waiting,
)
from channel_sync.domain.reservations import SOLD_HERE
from channel_sync.domain.stock import StockLevel
from channel_sync.persistence.doubts import FIRST_LOOK
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.listing_rows import AGAIN, LEVEL_OF_SKU, READ, RULES_OF_SKU, WAITING, is_pending
from channel_sync.persistence.sql.any_of import any_of, any_of_given
from channel_sync.persistence.sql.column_types import Utc
from channel_sync.persistence.sql.tables import accounts
from channel_sync.persistence.sql.trade_tables import IS_MARKED, listings, sku_rules, stock_jobs, stock_levels
from channel_sync.persistence.stock_counts import StockCounts, counts_of

_row = listings.c
_IN_OPEN_JOB = exists().where(stock_jobs.c.id == _row.job_id, stock_jobs.c.closed_at.is_(None))
_SENDABLE = (is_pending(), or_(_row.job_id.is_(None), ~_IN_OPEN_JOB))
# Not EXISTS, for which SQLite would rather look through all listings of the account than through those that wait.
_FIRST_STALE = (
    select(_row.id).where(_row.account_id == accounts.c.id, *_SENDABLE).order_by(_row.wanted_at).limit(1)
).scalar_subquery()
_WITH_STALE = select(accounts.c.id).where(
    any_of_given(accounts.c.id, "ids"),
    accounts.c.brake.is_(None),
    or_(accounts.c.resend_after.is_not(None), _FIRST_STALE.is_not(None)),
)


# Who was told anew since it was planned is not told by this.
_IS_AS_PLANNED = or_(bindparam("planned", type_=Utc).is_(None), _row.wanted_at == bindparam("planned", type_=Utc))


# Whoever asks for it takes it upon himself that somebody else may write there, too.
_ASKED_FOR = AGAIN | {"drift_count": 0, "drifted_at": None}
_IS_REFUSED = (text(IS_MARKED), _row.push_state == PushState.REJECTED)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Listings whose stock the marketplace refused with a code, and one of the reasons that it gave."""

    code: str | None
    listings: int
    reason: str | None


class PushRepository:
    """Pushes to listings of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def stale(self, account_id: str, limit: int) -> list[tuple[Listing, StockLevel]]:
        """Listings that lack the newest level, longest waiting first, and the level. Not those in an open job."""
        statement = _with_levels(*READ, *columns_of(stock_levels, StockLevel))
        longest = statement.where(_row.account_id == account_id).order_by(_row.wanted_at).limit(limit)
        return await self._stale(longest)

    async def stale_of(self, listing_ids: Collection[str]) -> list[tuple[Listing, StockLevel]]:
        """The same of some listings."""
        statement = _with_levels(*READ, *columns_of(stock_levels, StockLevel))
        return await self._stale(statement.where(any_of(_row.id, listing_ids)))

    async def _stale(self, statement: Select[*tuple[Any, ...]]) -> list[tuple[Listing, StockLevel]]:
        cut = len(READ)
        return [
            (Listing(*row[:cut]), StockLevel(*row[cut:]))
            async for rows in self._session.parts(statement)
            for row in rows
        ]

    async def waiting(self, account_id: str, after: Waiting | None, limit: int) -> list[Waiting]:
        """What the order takes in which many stale listings are told: the next so many, longest waiting first."""
        statement = _with_levels(*WAITING)
        place = tuple_(_row.wanted_at, _row.id)
        if after is not None:
            statement = statement.where(place > tuple_(literal(after.wanted_at, Utc()), after.listing_id))
        some = statement.where(_row.account_id == account_id).order_by(_row.wanted_at, _row.id).limit(limit)
        return [Waiting(*row) async for rows in self._session.parts(some) for row in rows]

    async def accounts_with_stale(self, account_ids: Collection[str]) -> set[str]:
        """Those of the accounts a listing of which lacks the newest level and is not in an open job.

        Not those whose brake is on.
        """
        return set(await self._session.column(_WITH_STALE, {"ids": account_ids}))

    async def mark_sent(
        self, items: Sequence[ListingStock], now: datetime, run_id: str | None = None, job_id: str | None = None
    ) -> None:
        """Write down what is about to be sent by a run's own call or as part of a job.

        With a call goes a look at the shop, which is due unless the call's outcome comes first. What is to be told
        anew since it was planned waits on: what was planned may be worth nothing by newer rules.
        """
        look = (
            {} if run_id is None else {"check_at": func.coalesce(_row.check_at, literal(now + FIRST_LOOK, Utc()))}
        )
        statement = (
            update(listings)
            .where(_row.id == bindparam("listing"))
            .values(
                sent_version=case((_IS_AS_PLANNED, bindparam("sent")), else_=0),
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
                differs_since=None,
                left_quantities=null(),
                left_at=None,
                push_state=bindparam("state"),
                push_code=bindparam("code"),
                push_reason=bindparam("why"),
                quantities=func.coalesce(bindparam("shown", type_=_row.quantities.type), _row.quantities),
                seen_at=func.coalesce(bindparam("shown_at", type_=Utc), _row.seen_at),
            )
        )
        if outcomes:
            await self._session.execute(settled, [_settled(outcome, now) for outcome in outcomes])

    async def follow_sale(self, listing_id: str, version: int, left: Quantities, now: datetime) -> None:
        """Note that a listing has a version of its level without being told: the shop took off what it sold."""
        still = (_row.wanted_version == _row.settled_version, _row.job_id.is_(None), _row.call_of.is_(None))
        versions = dict.fromkeys(("wanted_version", "sent_version", "settled_version"), version)
        units = sum(units for _, units in left)
        shown = {"sent_quantity": units, "sent_quantities": left, "left_quantities": left, "left_at": now}
        why = {"push_code": SOLD_HERE, "push_reason": None, "differs_since": None, "settled_at": now}
        followed = update(listings).where(_row.id == listing_id, *still)
        await self._session.execute(followed.values(versions | shown | why))

    async def unsend(self, job_id: str, limit: int) -> int:
        """Let listings wait again that were sent with a job and are not settled, so many of them; how many."""
        back = {"job_id": None, "sent_version": _row.settled_version}
        some = select(_row.id).where(_row.job_id == job_id).limit(limit)
        return await self._session.change(update(listings).where(_row.id.in_(some)).values(back))

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

    async def push_again(self, tenant: str, skus: Collection[str], now: datetime) -> dict[str, int]:
        """Let every listing that these SKUs feed be told its level once more; how many by SKU."""
        fed = (_row.tenant == tenant, any_of(_row.stock_sku, skus), _row.wanted_version > 0)
        again = update(listings).where(*fed).values(_ASKED_FOR | {"wanted_at": now}).returning(_row.stock_sku)
        return Counter(await self._session.column(again))

    async def retry(self, account_id: str, state: PushState, code: str | None, now: datetime, limit: int) -> int:
        """Let listings wait again that are `rejected` or `drifted` since before now, so many; how many.

        With a code only those that the marketplace refused with it.
        """
        with_it = () if code is None else (_row.push_code == code,)
        mine = (_row.account_id == account_id, text(IS_MARKED), _row.push_state == state)
        some = select(_row.id).where(*mine, _row.settled_at < now, *with_it).limit(limit)
        again = update(listings).where(_row.id.in_(some)).values(_ASKED_FOR | {"wanted_at": now})
        return await self._session.change(again)

    async def rejections(self, account_id: str) -> list[Rejection]:
        """How many of the account's listings the marketplace refused, by its code, the commonest first."""
        number = func.count()
        counted = select(_row.push_code, number, func.max(_row.push_reason)).where(
            _row.account_id == account_id, *_IS_REFUSED
        )
        rows = await self._session.rows(counted.group_by(_row.push_code).order_by(number.desc(), _row.push_code))
        return [Rejection(*row) for row in rows]

    async def counts(self, account_ids: Collection[str]) -> dict[str, StockCounts]:
        """How much of each account's stock waits, is refused or is passed over."""
        return await counts_of(self._session, account_ids)


def _with_levels(*columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Of stale listings, each with its level."""
    joined = select(*columns).join_from(listings, accounts, accounts.c.id == _row.account_id)
    return joined.join(stock_levels, LEVEL_OF_SKU).outerjoin(sku_rules, RULES_OF_SKU).where(*_SENDABLE)


def _sent(item: ListingStock) -> dict[str, Any]:
    return {
        "listing": item.listing_id,
        "sent": item.version,
        "units": item.quantity,
        "everywhere": item.quantities,
        "place": item.warehouse_id,
        "planned": item.wanted_at,
    }


def _settled(outcome: StockOutcome, now: datetime) -> dict[str, Any]:
    return {
        "listing": outcome.listing_id,
        "of": outcome.version,
        "state": outcome.state,
        "code": outcome.code,
        "why": outcome.reason,
        "shown": outcome.seen,
        "shown_at": None if outcome.seen is None else now,
    }
