"""Signs of life of a run that waits long between two pages, and why it waits."""

from contextlib import AbstractAsyncContextManager
from time import monotonic

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import RunLost, StorageUnavailable
from channel_sync.domain.runs import RunStatus
from channel_sync.flows.leases import kept_alive
from channel_sync.flows.runs.session import RunSession

# Pauses last seconds to half a minute; a shorter one than this is nobody's business.
_LOOK_EVERY_S = 1.0


def heartbeat(session: RunSession, every_s: float) -> AbstractAsyncContextManager[None]:
    """Beat every `every_s` seconds while the body runs; one closed elsewhere gets its context cancelled."""
    return kept_alive(_Heart(session, every_s).look, min(every_s, _LOOK_EVERY_S))


class _Heart:
    def __init__(self, session: RunSession, every_s: float) -> None:
        self._session = session
        self._every_s = every_s
        self._due_at = monotonic() + every_s
        self._told = RunStatus.RUNNING

    async def look(self) -> bool:
        """Tell what is to be told; whether the run is still ours."""
        status = RunStatus.WAITING_RATE_LIMIT if self._session.context.is_paused else RunStatus.RUNNING
        if status is self._told and monotonic() < self._due_at:
            return True
        try:
            await _tell(self._session, status)
        except StorageUnavailable:
            return True
        except RunLost:
            self._session.lost = True
            self._session.context.cancel()
            return False
        self._told, self._due_at = status, monotonic() + self._every_s
        return True


async def _tell(session: RunSession, status: RunStatus) -> None:
    async with session.database.begin() as work:
        await work.runs.beat(session.run.id, session.counts, utcnow())
        await work.runs.set_status(session.run.id, status)
