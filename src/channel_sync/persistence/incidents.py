"""Incidents of integrations: opened once, closed once."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select, update

from channel_sync.domain.incidents import Incident, IncidentKind
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.sql.any_of import any_of_given
from channel_sync.persistence.sql.tables import incidents

_row = incidents.c
_COLUMNS = columns_of(incidents, Incident)
_OPEN = (
    select(*_COLUMNS).where(any_of_given(_row.integration_id, "ids"), _row.closed_at.is_(None)).order_by(_row.id)
)


class IncidentRepository:
    """Incidents of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def open(self, incident: Incident) -> bool:
        """Store a new incident; false where one of its kind is open already."""
        fresh = self._session.insert(incidents).values(asdict(incident)).on_conflict_do_nothing()
        return await self._session.change(fresh) == 1

    async def close(self, integration_id: str, kind: IncidentKind, now: datetime) -> bool:
        """Note that it is over; false where none of the kind is open."""
        mine = (_row.integration_id == integration_id, _row.kind == kind, _row.closed_at.is_(None))
        return await self._session.change(update(incidents).where(*mine).values(closed_at=now)) == 1

    async def close_all(self, integration_id: str, now: datetime) -> None:
        """End what is open of an integration that is taken out of service."""
        mine = (_row.integration_id == integration_id, _row.closed_at.is_(None))
        await self._session.execute(update(incidents).where(*mine).values(closed_at=now))

    async def open_of(self, integration_ids: Collection[str]) -> dict[str, list[Incident]]:
        """The open incidents of these integrations, oldest first; one without any is missing."""
        found: dict[str, list[Incident]] = {}
        for row in await self._session.rows(_OPEN, {"ids": integration_ids}):
            found.setdefault(row.integration_id, []).append(Incident(*row))
        return found

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget incidents that ended before a moment, the oldest of many; how many."""
        return await self._session.delete_some(incidents, _row.closed_at < before, _row.closed_at, limit)
