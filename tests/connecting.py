"""Everything it takes to connect a shop, around a real database and a marketplace in memory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fake_channel import FakeChannel
from tests.stored import held_grant

from channel_sync.channels.wish.rules import RULES
from channel_sync.domain.addresses import public_address
from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.channel import Environment
from channel_sync.domain.events import Event
from channel_sync.domain.integrations import Account, Integration
from channel_sync.domain.runs import RunKind, RunRequest, Trigger
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.added_apps import AddedApps
from channel_sync.flows.connecting.authorise import Addresses, Authorise, NewIntegration, Reauthorisation
from channel_sync.flows.connecting.callback import OAuthCallbacks
from channel_sync.flows.connecting.claims import Claims
from channel_sync.flows.connecting.consent import ConsentRedirect, ConsentRedirects
from channel_sync.flows.connecting.outcomes import Callback, CallbackResult
from channel_sync.flows.connecting.paste import Credentials
from channel_sync.flows.connecting.redemption import Redeeming
from channel_sync.flows.connecting.second_consents import Doubts
from channel_sync.flows.grants.service import Grants, ShopConnection
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.integrations.lifecycle import Lifecycle
from channel_sync.flows.prune import Prune
from channel_sync.flows.scheduling.opening import queued_run
from channel_sync.persistence.database import Database

TENANT = "acme"
PUBLIC_URL = "https://sync.example"
RETURN_ORIGIN = "https://shop.example"
ADD_APP_URL = f"{RETURN_ORIGIN}/added"
OVERDUE = RULES.renewal.overdue


class Desk:
    """The flows of connecting, wired to one database and one marketplace with the merchants m1 and m2."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.channel = FakeChannel()
        self.channel.open_shop("m1")
        self.channel.open_shop("m2", "Second shop")
        self.nudges = 0
        channels = {"wish": self.channel}
        addresses = Addresses(public_address(PUBLIC_URL), (RETURN_ORIGIN,))
        self.grants = self.more_grants()
        self.authorise = Authorise(database, channels, addresses, most_drafts=1000)
        self.consent_redirects = ConsentRedirects(database, channels)
        self.doubts = Doubts(database, Shops(self.grants, channels))
        redeeming = Redeeming(database, channels, addresses.public)
        self.callbacks = OAuthCallbacks(database, channels, redeeming, self.doubts, self.nudge)
        self.added_apps = AddedApps(database, channels, redeeming, self.doubts, self.nudge, ADD_APP_URL)
        self.claims = Claims(database, channels, self.doubts, self.nudge, most_drafts=1000)
        self.credentials = Credentials(database, channels, self.grants, self.doubts, self.nudge)
        self.lifecycle = Lifecycle(database, channels, self.grants, self.nudge)
        self.prune = Prune(database)

    def nudge(self) -> None:
        self.nudges += 1

    def more_grants(self) -> Grants:
        """Grants as another process has them: nothing shared but the database."""
        return Grants(self.database, {"wish": self.channel}, confirm_after_s=0.02)

    async def draft(self, tenant: str = TENANT, **members: Any) -> tuple[Integration, str]:
        """A new draft and its ticket."""
        integration, invitation = await self.authorise.begin(tenant, a_new_integration(**members))
        return integration, ticket_of(invitation.authorise_url)

    async def arrive(self, ticket: str, merchant_id: str = "m1") -> CallbackResult:
        """The browser went all the way, this merchant agreed, and the state came back."""
        departure = await self.consent_redirects.start(ticket, [])
        return await self.come_back(self.answer(departure, merchant_id), departure)

    async def come_back(self, callback: Callback, *consent_redirects: ConsentRedirect) -> CallbackResult:
        """The browser of these consent_redirects is back, and at an end."""
        outcome = await self.callbacks.arrive(callback, [departure.cookie for departure in consent_redirects])
        assert isinstance(outcome, CallbackResult), outcome
        return outcome

    async def left(self, **members: Any) -> tuple[Integration, ConsentRedirect]:
        """A new draft whose browser is on its way to the marketplace."""
        draft, ticket = await self.draft(**members)
        return draft, await self.consent_redirects.start(ticket, [])

    def answer(self, departure: ConsentRedirect, merchant_id: str = "m1", with_state: bool = True) -> Callback:
        """What the marketplace sends back when this merchant agrees."""
        code = self.channel.consent(departure.consent_url, merchant_id)
        state = parse_qs(urlsplit(departure.consent_url).query)["state"][0]
        return Callback(code=code, state=state if with_state else None)

    async def active(self, merchant_id: str = "m1", tenant: str = TENANT, **members: Any) -> Integration:
        """An integration that is connected and works."""
        integration, ticket = await self.draft(tenant, **({"default_currency": "GBP"} | members))
        arrival = await self.arrive(ticket, merchant_id)
        assert arrival.error is None
        return await self.read(integration.id)

    async def ageing(self, days_left: int = 3) -> Integration:
        """An active integration whose access token ends soon; renewed ones last a month."""
        self.channel.lifetime = timedelta(days=days_left)
        integration = await self.active()
        self.channel.lifetime = timedelta(days=30)
        return integration

    def shop(self, integration_id: str, grants: Grants | None = None) -> ShopConnection:
        """The way to the integration's shop."""
        return ShopConnection(grants or self.grants, self.channel, integration_id, CallContext(Priority.ORDERS))

    async def reauthorise(self, integration_id: str, merchant_id: str = "m1", **members: Any) -> CallbackResult:
        """The merchant went through consent again."""
        invitation = await self.authorise.reauthorise(TENANT, integration_id, Reauthorisation(**members))
        return await self.arrive(ticket_of(invitation.authorise_url), merchant_id)

    async def queued_run(self, integration: Integration, kind: RunKind = RunKind.LISTINGS) -> str:
        """The id of a run that waits."""
        run = queued_run(integration, RunRequest(integration.id, kind, Trigger.MANUAL), utc_now())
        async with self.database.begin() as work:
            await work.runs.open(run)
        return run.id

    async def is_cancelled(self, run_id: str) -> bool:
        """Whether the run was asked to stop."""
        async with self.database.read() as work:
            return (await work.runs.get(TENANT, run_id)).cancel_requested

    async def is_as_before(self, before: Integration) -> bool:
        """Whether nothing changed but what is noted of the last authorisation."""
        now = await self.read(before.id)
        return now == replace(before, last_authorisation=now.last_authorisation, version=now.version)

    async def read(self, integration_id: str) -> Integration:
        """The integration as stored."""
        found = await self.find(integration_id)
        assert found is not None
        return found

    async def find(self, integration_id: str) -> Integration | None:
        """The integration, if it is still there."""
        async with self.database.read() as work:
            return await work.integrations.find(integration_id)

    async def account(self, merchant_id: str = "m1") -> Account | None:
        """The tenant's account of the merchant."""
        async with self.database.read() as work:
            return await work.accounts.find(TENANT, "wish", Environment.PRODUCTION, merchant_id)

    async def token(self, integration_id: str) -> str:
        """The access token that is stored."""
        async with self.database.read() as work:
            held = await held_grant(work, integration_id)
        assert held is not None
        return held.grant.access_token.value

    async def events(self, tenant: str = TENANT) -> list[Event]:
        """Every event of the tenant."""
        async with self.database.read() as work:
            return await work.events.after(tenant, None, (), 1000)

    async def told(self, tenant: str = TENANT) -> list[str]:
        """Types of every event of the tenant."""
        return [event.type for event in await self.events(tenant)]

    async def next_at(self, integration_id: str, kind: RunKind = RunKind.ORDERS) -> datetime | None:
        """When a job is due."""
        async with self.database.read() as work:
            schedules = (await work.schedules.of([integration_id]))[integration_id]
        return schedules[kind].next_at if kind in schedules else None


def a_new_integration(**members: Any) -> NewIntegration:
    """What a seller types in."""
    given: dict[str, Any] = {
        "channel": "wish",
        "name": "My shop",
        "client_id": "app1",
        "client_secret": Secret("s3cret-of-app1"),
    }
    return NewIntegration(**(given | members))


def ticket_of(authorise_url: str) -> str:
    """The ticket in the address that the merchant opens."""
    return parse_qs(urlsplit(authorise_url).query)["ticket"][0]


def utc_now() -> datetime:
    return datetime.now(UTC)
