"""Orders that the marketplace dates in the future: what they must not move, and who is told of them."""

from collections.abc import Iterator
from datetime import datetime

from channel_sync.domain.clock import utcnow
from channel_sync.domain.clock_skew import CLOCK_SKEW
from channel_sync.domain.incidents import IncidentKind
from channel_sync.flows.incidents import close_incident, open_incident
from channel_sync.flows.orders.prepare import ReadyPage
from channel_sync.flows.runs.session import RunSession
from channel_sync.persistence.rows.timestamps import micros, moment

_KIND = IncidentKind.ORDERS_DATED_AHEAD


def has_dated_ahead(page: ReadyPage, came_at: datetime) -> bool:
    """Whether an order of the page, readable or not, is dated later than it can have been changed."""
    latest = micros(came_at + CLOCK_SKEW)
    return any(time > latest for time in _times(page))


def reached(page: ReadyPage, came_at: datetime) -> datetime | None:
    """The newest time of the page's orders that can be believed."""
    latest = micros(came_at + CLOCK_SKEW)
    newest = max((time for time in _times(page) if time <= latest), default=None)
    return None if newest is None else moment(newest)


def _times(page: ReadyPage) -> Iterator[int]:
    yield from (row.channel_updated_at for row in page.rows)
    yield from (micros(held.updated_at) for held in page.unreadable if held.updated_at is not None)


class DatedAhead:
    """Tells of orders dated ahead while there are any; a walk along the cursor, being open, meets all of them."""

    def __init__(self) -> None:
        # Integrations that this process has seen without an incident: their walks need not ask for one again.
        self._in_order: set[str] = set()

    async def note(self, session: RunSession, found: bool) -> None:
        """After a whole walk: begin the incident, or end it."""
        integration = session.integration
        if found:
            self._in_order.discard(integration.id)
            async with session.transaction() as page:
                await open_incident(page.work, integration, _KIND, utcnow())
        elif integration.id not in self._in_order:
            if await self._is_open(session):
                async with session.transaction() as page:
                    await close_incident(page.work, integration, _KIND, utcnow())
            self._in_order.add(integration.id)

    async def _is_open(self, session: RunSession) -> bool:
        async with session.database.read() as work:
            found = await work.incidents.open_of([session.integration.id])
        return any(incident.kind is _KIND for incident in found.get(session.integration.id, ()))
