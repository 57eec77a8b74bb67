"""Invitations: an address that a merchant opens to connect a shop, or to consent again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from channel_sync.domain.addresses import PublicAddress
from channel_sync.domain.channel import App, Channel, Environment
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import Conflict, Invalid, NotFound
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import DRAFT_LIFETIME, AttemptKind, Integration, Status
from channel_sync.domain.secrets import MoreCredentials, Secret
from channel_sync.flows.connecting.consent import set_out
from channel_sync.flows.connecting.pkce import TICKET_LIFETIME, hash_of, new_token, new_verifier
from channel_sync.flows.connecting.return_urls import check_return_url
from channel_sync.flows.grants.given_credentials import check_more, check_name, check_pair, check_secret
from channel_sync.flows.integrations.currencies import check_currency
from channel_sync.flows.quotas import keep_quota
from channel_sync.flows.retries import while_stale
from channel_sync.persistence.attempts import Attempt
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.rows.encryption import Unreadable

FIRST_CURSOR_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class NewIntegration:
    """What a seller types in. `orders_from` is the first cursor, by the marketplace's own time of change.

    Without an app of the seller's own, the platform's is used.
    """

    channel: str
    name: str
    client_id: str | None = None
    client_secret: Secret | None = None
    more: MoreCredentials = ()
    environment: Environment = Environment.PRODUCTION
    return_url: str | None = None
    orders_from: datetime | None = None
    default_currency: str | None = None


@dataclass(frozen=True, slots=True)
class Reauthorisation:
    """Where the browser comes back to, and another application, stored only on success.

    An integration with the platform's stays with it, unless both credentials are given.
    """

    client_id: str | None = None
    client_secret: Secret | None = None
    return_url: str | None = None
    platform_app: bool = False


@dataclass(frozen=True, slots=True)
class Invitation:
    """An address to open in the merchant's browser; it works for one of them."""

    authorise_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the browser comes from and goes back to: none of it ever comes from a request."""

    public: PublicAddress
    return_origins: tuple[str, ...] = ()


class Authorise:
    """Invitations to connect by consent."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        addresses: Addresses,
        most_drafts: int,
    ) -> None:
        self._most_drafts = most_drafts
        self._database = database
        self._channels = channels
        self._addresses = addresses

    async def begin(self, tenant: str, wanted: NewIntegration) -> tuple[Integration, Invitation]:
        """A draft, gone 60 minutes after its last step, and the invitation to connect it."""
        self._check(wanted)
        now = utcnow()
        app = self._app_for(wanted)
        draft = new_draft(tenant, wanted, app, now)
        asked = Reauthorisation(return_url=wanted.return_url)
        if app.of_platform:
            asked = replace(asked, client_id=app.client_id, platform_app=True)
        async with self._database.begin() as work:
            await work.integrations.add(draft, None if app.of_platform else app.client_secret, app.more)
            invitation = await self._invite(work, draft, asked, now)
            await keep_quota(work, tenant, "drafts", self._most_drafts)
        return draft, invitation

    async def reauthorise(self, tenant: str, integration_id: str, wanted: Reauthorisation) -> Invitation:
        """A fresh invitation; only its success changes anything, and never whether the integration is enabled."""
        check_return_url(wanted.return_url, self._addresses.return_origins)
        check_name(wanted.client_id, "/client_id")
        check_secret(wanted.client_secret, "/client_secret")

        async def step() -> Invitation:
            now = utcnow()
            async with self._database.begin() as work:
                integration = await work.integrations.get(tenant, integration_id)
                if integration.status is Status.REMOVED:
                    raise Conflict("integration_removed", "Restore the integration first.")
                asked = self._asked_again(integration, wanted)
                if asked.client_secret is None and not asked.platform_app:
                    await _check_has_secret(work, integration)
                await work.attempts.close_all(integration.id)
                await set_out(work, integration, now)
                return await self._invite(work, integration, asked, now)

        return await while_stale(step)

    def _asked_again(self, integration: Integration, wanted: Reauthorisation) -> Reauthorisation:
        """The same with the application that consent is asked for."""
        names_own = wanted.client_id is not None or wanted.client_secret is not None
        if wanted.platform_app and names_own:
            raise Invalid(
                "not_for_this_kind", "Either the platform's application or another one.", "/platform_app"
            )
        if wanted.platform_app or (integration.platform_app and not names_own):
            app = self._platform_app(integration.channel, integration.environment)
            return replace(wanted, client_id=app.client_id, platform_app=True)
        if integration.platform_app:
            check_pair(wanted.client_id, wanted.client_secret)
        return wanted

    def _app_for(self, wanted: NewIntegration) -> App:
        """The application that the seller has, or without one the platform's."""
        if wanted.client_id is None and wanted.client_secret is None and not wanted.more:
            return self._platform_app(wanted.channel, wanted.environment)
        client_id, client_secret = check_pair(wanted.client_id, wanted.client_secret)
        check_more(wanted.more, self._channels[wanted.channel].description)
        return App(client_id, client_secret, wanted.environment, wanted.more)

    def _platform_app(self, channel: str, environment: Environment) -> App:
        app = self._database.platform_apps.find(channel, environment)
        if app is None:
            raise Invalid("client_id_needed", "The platform has no application of its own there.", "/client_id")
        return app

    async def _invite(
        self, work: UnitOfWork, integration: Integration, wanted: Reauthorisation, now: datetime
    ) -> Invitation:
        ticket, expires_at = new_token(), now + TICKET_LIFETIME
        connected_before = integration.activated_at is not None
        await work.attempts.add(
            Attempt(
                id=new_id("att", now),
                tenant=integration.tenant,
                integration_id=integration.id,
                kind=AttemptKind.REAUTHORISE if connected_before else AttemptKind.CONNECT,
                ticket_hash=hash_of(ticket),
                state_hash=None,
                cookie_hash=None,
                code_verifier=new_verifier(),
                client_id=wanted.client_id,
                client_secret=wanted.client_secret,
                platform_app=wanted.platform_app,
                return_url=wanted.return_url,
                created_at=now,
                expires_at=expires_at,
                continued_at=None,
                consumed_at=None,
                result=None,
            )
        )
        return Invitation(self._addresses.public.authorise(integration.channel, ticket), expires_at)

    def _check(self, wanted: NewIntegration) -> None:
        if wanted.channel not in self._channels:
            raise Invalid("unknown_channel", "There is no such channel.", "/channel")
        check_name(wanted.name, "/name")
        check_name(wanted.client_id, "/client_id")
        check_secret(wanted.client_secret, "/client_secret")
        check_currency(wanted.default_currency, self._channels[wanted.channel].description)
        check_return_url(wanted.return_url, self._addresses.return_origins)


async def _check_has_secret(work: UnitOfWork, integration: Integration) -> None:
    try:
        await work.credentials.app(integration.id)
    except (NotFound, Unreadable):
        raise Invalid("client_secret_needed", "The secret is not stored any more.", "/client_secret") from None


def new_draft(tenant: str, wanted: NewIntegration, app: App, now: datetime) -> Integration:
    """An integration that nothing was stored of yet."""
    return Integration(
        id=new_id("int", now),
        tenant=tenant,
        channel=wanted.channel,
        environment=wanted.environment,
        name=wanted.name,
        client_id=app.client_id,
        client_secret_last4="" if app.of_platform else app.client_secret.last4,
        client_secret_updated_at=now,
        platform_app=app.of_platform,
        created_at=now,
        updated_at=now,
        status_since=now,
        orders_from=wanted.orders_from or now - FIRST_CURSOR_BACK,
        default_currency=wanted.default_currency,
        draft_expires_at=now + DRAFT_LIFETIME,
        pending_until=now + TICKET_LIFETIME,
    )
