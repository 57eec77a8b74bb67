"""Incidents opened and closed, each told once."""

from datetime import datetime

from channel_sync.domain.clock import utcnow
from channel_sync.domain.events import Event, EventType
from channel_sync.domain.ids import new_id
from channel_sync.domain.incidents import Incident, IncidentKind
from channel_sync.domain.integrations import Integration
from channel_sync.flows.runs.session import RunSession
from channel_sync.persistence.database import UnitOfWork


async def open_incident(work: UnitOfWork, integration: Integration, kind: IncidentKind, now: datetime) -> None:
    """Let the integration say so from now on; one that is open already stays as it is."""
    incident = Incident(new_id("inc", now), integration.tenant, integration.id, kind, now)
    if await work.incidents.open(incident):
        await work.events.add([_event(integration, "incident.opened", kind, now)])


async def close_incident(work: UnitOfWork, integration: Integration, kind: IncidentKind, now: datetime) -> None:
    """Let the integration say so no more, if it did."""
    if await work.incidents.close(integration.id, kind, now):
        await work.events.add([_event(integration, "incident.closed", kind, now)])


async def tell_whether(session: RunSession, kind: IncidentKind, is_so: bool) -> None:
    """Let the integration of a run say so from now on, or no more; nothing is written where it is as it was."""
    integration = session.integration
    async with session.database.read() as work:
        incidents = (await work.incidents.open_of([integration.id])).get(integration.id, [])
    if is_so is any(incident.kind is kind for incident in incidents):
        return
    async with session.transaction() as page:
        await (open_incident if is_so else close_incident)(page.work, integration, kind, utcnow())


def _event(integration: Integration, type_: EventType, kind: IncidentKind, now: datetime) -> Event:
    return Event(new_id("evt", now), integration.tenant, type_, integration.id, now, {"kind": kind.value})
