"""The way of a browser to the marketplace and back: invitation, page, departure, callback."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from channel_sync.domain.addresses import PublicAddress
from channel_sync.domain.channel import App, Channel, Environment
from channel_sync.domain.errors import Conflict, Invalid, NotFound
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import DRAFT_LIFETIME, AttemptKind, Integration, Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.arrivals import NOWHERE, Arrival, Arrivals, Callback
from channel_sync.flows.clock import utcnow
from channel_sync.flows.currencies import check_currency
from channel_sync.flows.given_secrets import check_name, check_secret
from channel_sync.flows.retries import while_stale
from channel_sync.flows.return_urls import check_return_url, origin_of
from channel_sync.flows.tickets import challenge_of, hash_of, new_token, new_verifier
from channel_sync.persistence.attempts import Attempt
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.encryption import Unreadable
from channel_sync.persistence.tenancy import for_tenant

TICKET_LIFETIME = timedelta(minutes=10)
FIRST_CURSOR_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class NewIntegration:
    """What a seller types in. `orders_from` is the first cursor, by the marketplace's own time of change."""

    channel: str
    name: str
    client_id: str
    client_secret: Secret
    environment: Environment = Environment.PRODUCTION
    return_url: str | None = None
    orders_from: datetime | None = None
    default_currency: str | None = None


@dataclass(frozen=True, slots=True)
class Reauthorisation:
    """Where the browser comes back to, and new application credentials, stored only on success."""

    client_id: str | None = None
    client_secret: Secret | None = None
    return_url: str | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """An address to open in the merchant's browser; it works once."""

    authorise_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AttemptView:
    """What a person should see before leaving: which account and integration are about to be connected."""

    channel_name: str
    integration_name: str
    client_id: str
    shop_name: str | None
    merchant_id: str | None
    kind: AttemptKind


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the cookie it must bring back."""

    consent_url: str
    cookie: str
    max_age_s: int


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the browser comes from and goes back to: none of it ever comes from a request."""

    public: PublicAddress
    return_origins: tuple[str, ...] = ()


class Authorise:
    """Connections by consent. `nudge` is called when a connection made jobs due."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        addresses: Addresses,
        nudge: Callable[[], None],
    ) -> None:
        self._database = database
        self._channels = channels
        self._addresses = addresses
        self._arrivals = Arrivals(database, channels, addresses.public.callback("wish"), nudge)

    async def begin(self, tenant: str, wanted: NewIntegration) -> tuple[Integration, Invitation]:
        """A draft, gone 60 minutes after its last step, and the invitation to connect it."""
        self._check(wanted)
        now = utcnow()
        draft = _draft(tenant, wanted, now)
        async with self._database.begin() as work:
            await work.integrations.add(draft, wanted.client_secret)
            invitation = await self._invite(work, draft, Reauthorisation(return_url=wanted.return_url), now)
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
                if wanted.client_secret is None:
                    await _check_has_secret(work, integration)
                await work.attempts.close_all(integration.id)
                await self._touch(work, integration, now)
                return await self._invite(work, integration, wanted, now)

        return await while_stale(step)

    async def recognised(self, ticket: str, cookie: str) -> str | None:
        """The id of the attempt that the ticket or the cookie is of, if it is one that has not expired."""
        async with self._database.read() as work:
            return await work.attempts.live(hash_of(ticket), [hash_of(cookie)], utcnow())

    async def look(self, ticket: str) -> AttemptView:
        """What the ticket is for; `Invalid` when it was used or is too old. Looking uses nothing up."""
        async with self._database.read() as work:
            attempt, integration = await self._open_attempt(work, ticket, utcnow())
        return AttemptView(
            channel_name=self._channels[integration.channel].description.name,
            integration_name=integration.name,
            client_id=attempt.client_id or integration.client_id,
            shop_name=integration.shop_name,
            merchant_id=integration.merchant_id,
            kind=attempt.kind,
        )

    async def proceed(self, ticket: str) -> Departure:
        """The way to the marketplace, once per ticket. The cookie ties what comes back to this browser."""
        state, cookie = new_token(), new_token()

        async def step() -> Departure:
            now = utcnow()
            async with self._database.begin() as work:
                attempt, integration = await self._open_attempt(work, ticket, now)
                if not await work.attempts.proceed(
                    attempt.id, hash_of(state), hash_of(cookie), now, now + TICKET_LIFETIME
                ):
                    raise _used()
                await self._touch(work, integration, now)
            app = App(attempt.client_id or integration.client_id, Secret(""), integration.environment)
            challenge = challenge_of(attempt.code_verifier)
            consent_url = self._channels[integration.channel].consent_url(app, state, challenge)
            return Departure(consent_url, cookie, int(TICKET_LIFETIME.total_seconds()))

        return await while_stale(step)

    async def callback(self, callback: Callback, cookie: str | None) -> Arrival:
        """Where the browser ends up. Without its cookie it is nobody's, and nothing changes.

        One token call is made however often it comes; those that come second get the first's result.
        """
        if cookie is None:
            return NOWHERE
        async with self._database.read() as work:
            attempt = await work.attempts.by_cookie(hash_of(cookie))
            integration = None if attempt is None else await work.integrations.find(attempt.integration_id)
        if attempt is None or integration is None or integration.removed_at is not None:
            return NOWHERE
        if not self._is_answer(callback, attempt, integration):
            return replace(NOWHERE, error="state_mismatch")
        with for_tenant(integration.tenant):
            return await self._arrivals.arrive(attempt, integration, callback)

    def _is_answer(self, callback: Callback, attempt: Attempt, integration: Integration) -> bool:
        """Whether it can be the answer to what we asked. An absent state is normal at Wish, a wrong one is not."""
        if callback.state is not None:
            expected = attempt.state_hash or ""
            if not hmac.compare_digest(hash_of(callback.state), expected):
                return False
        if callback.iss is None:
            return True
        app = App(integration.client_id, Secret(""), integration.environment)
        issuer = origin_of(self._channels[integration.channel].consent_url(app, "", ""))
        return issuer is not None and origin_of(callback.iss) == issuer

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
                return_url=wanted.return_url,
                created_at=now,
                expires_at=expires_at,
                continued_at=None,
                consumed_at=None,
                result=None,
            )
        )
        return Invitation(self._addresses.public.url(f"/wish/authorise?ticket={ticket}"), expires_at)

    async def _open_attempt(self, work: UnitOfWork, ticket: str, now: datetime) -> tuple[Attempt, Integration]:
        attempt = await work.attempts.by_ticket(hash_of(ticket))
        integration = None if attempt is None else await work.integrations.find(attempt.integration_id)
        if attempt is None or integration is None or integration.removed_at is not None:
            raise Invalid("attempt_expired", "This link is not known any more; start again.")
        if attempt.continued_at is not None or attempt.consumed_at is not None:
            raise _used()
        if now >= attempt.expires_at:
            raise Invalid("attempt_expired", "This link is too old; start again.")
        return attempt, integration

    async def _touch(self, work: UnitOfWork, integration: Integration, now: datetime) -> None:
        """Note: the merchant is on the way. A draft lives on from its last step, a connection is left alone."""
        if integration.activated_at is not None and integration.connected:
            return
        draft_expires_at = now + DRAFT_LIFETIME if integration.activated_at is None else None
        await work.integrations.save(
            replace(
                integration,
                pending_until=now + TICKET_LIFETIME,
                draft_expires_at=draft_expires_at,
                updated_at=now,
            )
        )

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


def _used() -> Invalid:
    return Invalid("attempt_used", "This link was used already; start again.")


def _draft(tenant: str, wanted: NewIntegration, now: datetime) -> Integration:
    return Integration(
        id=new_id("int", now),
        tenant=tenant,
        channel=wanted.channel,
        environment=wanted.environment,
        name=wanted.name,
        client_id=wanted.client_id,
        client_secret_last4=wanted.client_secret.last4,
        client_secret_updated_at=now,
        created_at=now,
        updated_at=now,
        status_since=now,
        orders_from=wanted.orders_from or now - FIRST_CURSOR_BACK,
        default_currency=wanted.default_currency,
        draft_expires_at=now + DRAFT_LIFETIME,
        pending_until=now + TICKET_LIFETIME,
    )
