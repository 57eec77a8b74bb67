"""What other services are told about an integration."""

from datetime import datetime

from channel_sync.domain.events import Event, EventType
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import Integration


def integration_event(integration: Integration, happened: EventType, now: datetime) -> Event:
    """The event with the status the integration has now, and why."""
    members: dict[str, str | int | None] = {
        "status": integration.status.value,
        "status_reason": integration.status_reason,
    }
    return Event(new_id("evt", now), integration.tenant, happened, integration.id, now, members)
