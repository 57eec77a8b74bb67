"""Leases of jobs that several processes have a clock for, and only one does each time."""

from datetime import datetime, timedelta

from sqlalchemy import or_

from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.sql.run_tables import turns

_row = turns.c

# More than the clocks of two processes differ by.
_APART = timedelta(minutes=1)


class TurnRepository:
    """When each of these jobs is to be done next."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(self, name: str, now: datetime, next_at: datetime) -> bool:
        """Whether the job is to be done now, by the caller and nobody else; `next_at` is its turn after that.

        A turn still later than that one was given by a clock that has been set back since, and counts for nothing.
        """
        due = or_(_row.next_at <= now, _row.next_at > next_at + _APART)
        taken = (
            self._session.insert(turns)
            .values(name=name, next_at=next_at)
            .on_conflict_do_update(index_elements=["name"], set_={"next_at": next_at}, where=due)
        )
        return await self._session.change(taken) == 1
