"""Downloads of long histories at the marketplace: one for each run aside, whatever processes carry that out."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, update

from channel_sync.domain.order_files import HistoryDownload
from channel_sync.domain.runs import Run
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.runs import slot_of
from channel_sync.persistence.sql.run_tables import order_downloads

_row = order_downloads.c
_COLUMNS = columns_of(order_downloads, HistoryDownload)


class OrderDownloadRepository:
    """Downloads of every account, by what its run is for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, run: Run) -> HistoryDownload | None:
        """The download for what the run is for."""
        row = await self._session.row(select(*_COLUMNS).where(_of(run)))
        return None if row is None else HistoryDownload(*row)

    async def add(self, run: Run, download: HistoryDownload) -> None:
        """Store a download before it is asked for; there is none for what the run is for."""
        whose = {"account_id": run.account_id, "slot": slot_of(run)}
        await self._session.execute(self._session.insert(order_downloads).values(whose | asdict(download)))

    async def change(self, run: Run, download: HistoryDownload) -> None:
        """Store how far it is."""
        await self._session.execute(update(order_downloads).where(_of(run)).values(asdict(download)))

    async def forget(self, run: Run) -> None:
        """Forget it: it is read to its end, or was never asked for."""
        await self._session.execute(delete(order_downloads).where(_of(run)))

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget those asked for before a moment, the oldest of many; how many."""
        return await self._session.delete_some(order_downloads, _row.asked_at < before, _row.asked_at, limit)


def _of(run: Run) -> ColumnElement[bool]:
    return and_(_row.account_id == run.account_id, _row.slot == slot_of(run))
