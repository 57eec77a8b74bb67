"""What is noted when only a person can help: the integration stops, and others are told once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from channel_sync.domain.clock import utcnow
from channel_sync.domain.codes import StatusReason
from channel_sync.domain.events import EventType
from channel_sync.domain.integrations import GRANT_REVOKED, Integration
from channel_sync.flows.retries import while_stale
from channel_sync.flows.scheduling.jobs import stop_jobs
from channel_sync.flows.status.events import integration_event
from channel_sync.flows.status.since import restated
from channel_sync.persistence.database import Database

CLIENT_REJECTED: Final = "client_rejected"
REFRESH_TOKEN_REJECTED: Final = "refresh_token_rejected"
OUTCOME_UNKNOWN: Final = "refresh_outcome_unknown"
MERCHANT_MISMATCH: Final = "merchant_mismatch"
UNREADABLE: Final = "credentials_unreadable"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an integration stops. `generation` is that of the credentials that were judged.

    `doubted_until` is when a verdict that may be mistaken is asked about once more.
    """

    integration_id: str
    generation: int
    reason: StatusReason
    doubted_until: datetime | None = None

    async def needs_reauth(self, database: Database) -> None:
        """The integration waits for its merchant, unless newer credentials came in the meantime."""
        await while_stale(lambda: _note(database, self, _rejected, "integration.needs_reauth"))

    async def paused(self, database: Database) -> None:
        """The integration waits for the marketplace, unless newer credentials came in the meantime."""
        await while_stale(lambda: _note(database, self, _paused, "integration.paused"))


def _rejected(integration: Integration, reason: StatusReason) -> Integration:
    return replace(integration, rejected_reason=_settled_reason(integration) or reason)


def _paused(integration: Integration, reason: StatusReason) -> Integration:
    settled = _settled_reason(integration)
    return replace(integration, paused_reason=integration.paused_reason or reason, rejected_reason=settled)


def _settled_reason(integration: Integration) -> StatusReason | None:
    """Why it was rejected, unless that is a verdict in doubt: the next one takes its place."""
    return None if integration.rejected_reason == GRANT_REVOKED else integration.rejected_reason


async def _note(
    database: Database,
    rejection: Rejection,
    change: Callable[[Integration, StatusReason], Integration],
    happened: EventType,
) -> None:
    now = utcnow()
    async with database.begin() as work:
        integration = await work.integrations.find(rejection.integration_id)
        if integration is None or integration.generation != rejection.generation:
            return
        stopped = change(integration, rejection.reason)
        if stopped == integration or integration.removed_at is not None:
            return
        stopped = await work.integrations.save(restated(integration, stopped, now))
        await work.renewals.doubt(stopped.id, stopped.generation, rejection.doubted_until)
        await stop_jobs(work, stopped)
        # Of a draft nobody has heard yet, and of a verdict that was in doubt everybody.
        is_news = integration.rejected_reason is None or stopped.status is not integration.status
        if stopped.activated_at is not None and is_news:
            await work.events.add([integration_event(stopped, happened, now)])
