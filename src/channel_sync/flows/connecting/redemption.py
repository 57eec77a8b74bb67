"""A code exchanged for a grant."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from channel_sync.domain.addresses import PublicAddress
from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.channel import App, Channel, Consent, Grant, ShopAccess
from channel_sync.domain.errors import ClientRejected
from channel_sync.domain.platform_apps import platform_app
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.shop_facts import first_warehouse, shop_name
from channel_sync.flows.connecting.under_way import UnderWay
from channel_sync.flows.grants.credentials import more_of
from channel_sync.flows.integrations.activation import ObtainedGrant
from channel_sync.persistence.claims import Claim
from channel_sync.persistence.database import Database, UnitOfWork

log = logging.getLogger(__name__)


class Redeeming:
    """Asks the marketplace, with the application that an attempt was begun with."""

    def __init__(self, database: Database, channels: Mapping[str, Channel], public: PublicAddress) -> None:
        self._database = database
        self._channels = channels
        self._public = public

    async def app_of(self, one: UnderWay) -> App:
        """The application that the merchant was asked to consent to; `Unreadable` if its secret cannot be read.

        `PlatformAppMissing` where it was the platform's, and is not set any more.
        """
        attempt, integration = one.attempt, one.integration
        if attempt.platform_app:
            apps, place = self._database.platform_apps, (integration.channel, integration.environment)
            return platform_app(apps, *place, attempt.client_id or "")
        async with self._database.read() as work:
            secret = attempt.client_secret or await _secret_of_its_own(work, integration.id)
            more = await more_of(work, self._channels[integration.channel].description, integration.id)
        return App(attempt.client_id or integration.client_id, secret, integration.environment, more)

    async def redeem(self, one: UnderWay, app: App, code: Secret) -> ObtainedGrant:
        """What the code is good for. Any `ChannelError`; the code may be used up then, or not."""
        channel = one.integration.channel
        grant = await self._exchange(channel, app, code, one.attempt.code_verifier)
        access = ShopAccess(one.integration.id, app.environment, grant.access_token, generation=0)
        return replace(await self._described(channel, app, grant, access), app_is_new=app_is_new(one))

    async def redeem_added(self, claim: Claim, app: App, code: Secret) -> ObtainedGrant:
        """The same of a code that the platform's app was added with: nobody here asked for the consent."""
        grant = await self._exchange(claim.channel, app, code, None)
        access = ShopAccess(claim.id, app.environment, grant.access_token, generation=0, is_nobodys=True)
        return await self._described(claim.channel, app, grant, access)

    async def _exchange(self, channel: str, app: App, code: Secret, verifier: Secret | None) -> Grant:
        consent = Consent(code, verifier, self._public.callback(channel))
        try:
            return await self._channels[channel].redeem(app, consent)
        except ClientRejected:
            if app.of_platform:
                log.error("the platform's application at %s is refused: look at its secret", channel)
            raise

    async def _described(self, channel: str, app: App, grant: Grant, access: ShopAccess) -> ObtainedGrant:
        shop = self._channels[channel].shop(access, CallContext(Priority.INTERACTIVE))
        return ObtainedGrant(app, grant, await shop_name(shop), False, await first_warehouse(shop))

    def covers(self, one: UnderWay, grant: Grant) -> bool:
        """Whether the grant has every scope that the jobs need."""
        return self._channels[one.integration.channel].required_scopes <= set(grant.scopes or ())


def app_is_new(one: UnderWay) -> bool:
    """Whether success brings the integration another application."""
    attempt, integration = one.attempt, one.integration
    if attempt.platform_app:
        return not integration.platform_app or integration.client_id != attempt.client_id
    return attempt.client_id is not None or attempt.client_secret is not None


async def _secret_of_its_own(work: UnitOfWork, integration_id: str) -> Secret:
    """The stored secret. The platform's goes with no id but the platform's, whatever became of the integration."""
    app = await work.credentials.app(integration_id)
    if app.of_platform:
        raise ClientRejected("client_rejected", "The secret of this application is not stored.")
    return app.client_secret
