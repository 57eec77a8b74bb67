"""The stored credentials of one integration, read whole."""

from dataclasses import dataclass
from datetime import datetime

from channel_sync.domain.channel import Access, App
from channel_sync.domain.errors import GrantRejected
from channel_sync.domain.integrations import Integration
from channel_sync.flows.rejections import UNREADABLE, Rejection
from channel_sync.persistence.credentials import HeldGrant
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.encryption import Unreadable


@dataclass(frozen=True, slots=True)
class HeldCredentials:
    """An integration with the application and the grant it holds."""

    integration: Integration
    app: App
    held: HeldGrant

    def access(self) -> Access:
        """What a remote call needs."""
        token = self.held.grant.access_token
        return Access(self.integration.id, self.integration.environment, token, self.held.generation)

    def lease_of_another(self, now: datetime) -> bool:
        """Whether somebody is renewing right now."""
        return self.held.renewing_until is not None and self.held.renewing_until > now


async def read_credentials(database: Database, integration_id: str) -> HeldCredentials:
    """The credentials as stored now; `GrantRejected` when there are none, or none that we can read."""
    async with database.read() as work:
        integration = await work.integrations.find(integration_id)
        if integration is None or integration.removed_at is not None:
            raise GrantRejected("not_connected", "The integration is not connected.")
        credentials = await _open(work, integration)
    if credentials is None:
        await Rejection(integration_id, integration.generation, UNREADABLE).needs_reauth(database)
        raise GrantRejected(UNREADABLE, "The stored credentials cannot be read.")
    return credentials


async def _open(work: UnitOfWork, integration: Integration) -> HeldCredentials | None:
    try:
        held = await work.credentials.grant(integration.id)
        if held is None:
            raise GrantRejected("not_connected", "The integration is not connected.")
        return HeldCredentials(integration, await work.credentials.app(integration.id), held)
    except Unreadable:
        return None
