"""Turns: chores that several processes have a clock for, and only one does each time."""

from datetime import datetime

from channel_sync.persistence.run_tables import turns
from channel_sync.persistence.session import Session

_row = turns.c


class TurnRepository:
    """When each chore is to be done next."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(self, name: str, now: datetime, next_at: datetime) -> bool:
        """Whether the chore is to be done now, by the caller and nobody else."""
        taken = (
            self._session.insert(turns)
            .values(name=name, next_at=next_at)
            .on_conflict_do_update(index_elements=["name"], set_={"next_at": next_at}, where=_row.next_at <= now)
        )
        return await self._session.change(taken) == 1
