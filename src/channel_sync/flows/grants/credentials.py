"""The stored credentials of one integration, read whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from channel_sync.domain.channel import App, ChannelDescription, ShopAccess
from channel_sync.domain.errors import GrantRejected, NotFound
from channel_sync.domain.integrations import Integration
from channel_sync.domain.platform_apps import PlatformAppMissing
from channel_sync.domain.secrets import MoreCredentials
from channel_sync.flows.grants.given_credentials import more_fields
from channel_sync.flows.status.rejections import UNREADABLE, Rejection
from channel_sync.persistence.credentials import HeldGrant
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.rows.encryption import Unreadable


@dataclass(frozen=True, slots=True)
class HeldCredentials:
    """An integration with the grant it holds and the application, unless that is the platform's and not set."""

    integration: Integration
    app: App | None
    held: HeldGrant

    def access(self) -> ShopAccess:
        """What a remote call needs."""
        token = self.held.grant.access_token
        return ShopAccess(self.integration.id, self.integration.environment, token, self.held.generation)

    def lease_of_another(self, now: datetime) -> bool:
        """Whether somebody is renewing right now."""
        return self.held.renewing_until is not None and self.held.renewing_until > now


async def read_credentials(database: Database, integration_id: str) -> HeldCredentials:
    """The credentials as stored now; `GrantRejected` when there are none, or none that we can read."""
    [found] = await read_all_credentials(database, [integration_id])
    if isinstance(found, Exception):
        raise found
    return found


async def read_all_credentials(
    database: Database, integration_ids: Sequence[str]
) -> list[HeldCredentials | Exception]:
    """The same of many; for each its credentials or what would be raised."""
    async with database.read() as work:
        integrations = await work.integrations.find_all(integration_ids)
        held = await work.credentials.held_by(integration_ids)
    found: list[HeldCredentials | Exception] = []
    for integration_id in integration_ids:
        integration = integrations.get(integration_id)
        if integration is None or integration.removed_at is not None or integration_id not in held:
            found.append(GrantRejected("not_connected", "The integration is not connected."))
        elif (pair := held[integration_id]) is None:
            await Rejection(integration_id, integration.generation, UNREADABLE).needs_reauth(database)
            found.append(GrantRejected(UNREADABLE, "The stored credentials cannot be read."))
        else:
            found.append(HeldCredentials(integration, *pair))
    return found


async def more_of(work: UnitOfWork, channel: ChannelDescription, integration_id: str) -> MoreCredentials:
    """What the marketplace wants to know of a seller's application beside id and secret, where it wants more."""
    if not more_fields(channel):
        return ()
    try:
        app = await work.credentials.app(integration_id)
    except (NotFound, Unreadable, PlatformAppMissing):
        return ()
    return () if app.of_platform else app.more
