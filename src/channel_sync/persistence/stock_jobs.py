"""Bulk stock updates at the marketplace, one open per account."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select, update

from channel_sync.domain.errors import Conflict
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.sql.any_of import any_of
from channel_sync.persistence.sql.trade_tables import stock_jobs

_row = stock_jobs.c


@dataclass(frozen=True, slots=True)
class OpenStockJob:
    """A job whose end was not seen yet. Without `channel_job_id` nobody knows whether the marketplace has it."""

    id: str
    account_id: str
    channel_job_id: str | None
    submitted_at: datetime


_COLUMNS = columns_of(stock_jobs, OpenStockJob)


class StockJobRepository:
    """Jobs of every account."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def open(self, account_id: str) -> OpenStockJob | None:
        """The account's open job."""
        mine = (_row.account_id == account_id, _row.closed_at.is_(None))
        row = await self._session.row(select(*_COLUMNS).where(*mine))
        return None if row is None else OpenStockJob(*row)

    async def accounts_with_open(self, account_ids: Collection[str]) -> set[str]:
        """Those of the accounts that have an open job."""
        mine = any_of(_row.account_id, account_ids)
        return set(await self._session.column(select(_row.account_id).where(mine, _row.closed_at.is_(None))))

    async def add(self, job: OpenStockJob) -> None:
        """Store a job before it is sent; `Conflict` if the account has an open one."""
        statement = self._session.insert(stock_jobs).values(asdict(job)).on_conflict_do_nothing()
        if await self._session.change(statement) == 0:
            raise Conflict("stock_job_open", "A stock job of this account is open.")

    async def submitted(self, job_id: str, channel_job_id: str, now: datetime) -> None:
        """Note the marketplace's id of a job that was sent."""
        sent = update(stock_jobs).where(_row.id == job_id)
        await self._session.execute(sent.values(channel_job_id=channel_job_id, submitted_at=now))

    async def close(self, job_id: str, now: datetime) -> None:
        """Note that the job has ended, whatever it came to."""
        await self._session.execute(update(stock_jobs).where(_row.id == job_id).values(closed_at=now))
