"""Others are told before the day when a merchant has to authorise again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from channel_sync.domain.channel import Channel
from channel_sync.domain.clock import rfc3339
from channel_sync.domain.events import Event
from channel_sync.domain.integrations import CONSENT_ENDS_SOON, Integration, failing_long
from channel_sync.flows.status.events import integration_event
from channel_sync.persistence.database import Database, UnitOfWork

_AT_ONCE = 100


async def tell_of_ends(database: Database, channels: Mapping[str, Channel], now: datetime) -> None:
    """Tell of tokens that could not be renewed and of consents that end soon, once of each end."""
    for type_, channel in channels.items():
        overdue = channel.rules.renewal.overdue
        async with database.read() as work:
            ending = await work.renewals.ending(
                type_, now + overdue, now - failing_long(overdue), now + CONSENT_ENDS_SOON, _AT_ONCE
            )
        for integration_id in ending:
            async with database.begin() as work:
                integration = await work.integrations.find(integration_id)
                if integration is not None:
                    await _tell(work, integration, overdue, now)


async def _tell(work: UnitOfWork, integration: Integration, overdue: timedelta, now: datetime) -> None:
    end = integration.authorise_by(now, overdue)
    if end is not None and await work.renewals.note_told(integration.id, end):
        await work.events.add([_expiring(integration, end, now)])


def _expiring(integration: Integration, end: datetime, now: datetime) -> Event:
    event = integration_event(integration, "integration.expiring", now)
    return replace(event, members={**event.members, "authorise_by": rfc3339(end)})
