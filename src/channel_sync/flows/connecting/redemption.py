"""A code exchanged for a grant."""

from collections.abc import Mapping

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
from channel_sync.persistence.database import Database, UnitOfWork


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
        channel = self._channels[one.integration.channel]
        redirect_url = self._public.callback(one.integration.channel)
        grant = await channel.redeem(app, Consent(code, one.attempt.code_verifier, redirect_url))
        access = ShopAccess(one.integration.id, one.integration.environment, grant.access_token, generation=0)
        shop = channel.shop(access, CallContext(Priority.INTERACTIVE))
        return ObtainedGrant(app, grant, await shop_name(shop), app_is_new(one), await first_warehouse(shop))

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
