"""Whose turn it is: an exclusive job is done by one of the processes that have a clock for it."""

from datetime import timedelta

from channel_sync.domain.clock import utcnow
from channel_sync.persistence.database import Database

# The clocks of processes differ by a little; a turn that is given a moment early is not waited for a whole round.
_EARLY = 0.9


class JobLeases:
    """Gives out turns. On the store of a single process it is always that one's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, job: str, every_s: float) -> bool:
        """Whether a job done every so many seconds is to be done now, and here."""
        if self._database.single_process:
            return True
        now = utcnow()
        async with self._database.begin() as work:
            return await work.turns.take(job, now, now + timedelta(seconds=every_s * _EARLY))
