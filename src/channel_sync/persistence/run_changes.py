"""What dry runs found that pushes would change."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import select

from channel_sync.domain.listings import StockChange
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.sql.paging import Page, PageRequest, page_of
from channel_sync.persistence.sql.run_tables import run_changes

_COLUMNS = columns_of(run_changes, StockChange)


class RunChangeRepository:
    """Changes of every run, kept as long as the run."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, run_id: str, changes: Sequence[StockChange]) -> None:
        """Keep what a run found; what it found before is kept once."""
        if changes:
            fresh = self._session.insert(run_changes).on_conflict_do_nothing()
            await self._session.execute(fresh, [{"run_id": run_id, **asdict(change)} for change in changes])

    async def list(self, run_id: str, page: PageRequest) -> Page[StockChange]:
        """A page of the run's changes, by listing."""
        statement = select(*_COLUMNS).where(run_changes.c.run_id == run_id)
        if page.after is not None:
            statement = statement.where(run_changes.c.listing_id > str(page.after[0]))
        rows = await self._session.rows(statement.order_by(run_changes.c.listing_id).limit(page.limit + 1))
        return page_of([StockChange(*row) for row in rows], page, lambda change: (change.listing_id,))
