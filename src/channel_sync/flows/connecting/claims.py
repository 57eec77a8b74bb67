"""A tenant claims a shop that its seller added in the marketplace's own store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from channel_sync.domain.channel import App, Channel, Environment, Grant
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import Conflict, Invalid
from channel_sync.domain.integrations import Integration
from channel_sync.domain.platform_apps import platform_app
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.authorise import NewIntegration, new_draft
from channel_sync.flows.connecting.pkce import hash_of
from channel_sync.flows.connecting.second_consents import Doubts, ShopOfApp
from channel_sync.flows.grants.given_credentials import check_name
from channel_sync.flows.integrations.activation import ObtainedGrant, account_for, connect
from channel_sync.flows.integrations.currencies import check_currency
from channel_sync.flows.quotas import keep_quota
from channel_sync.flows.retries import while_stale
from channel_sync.persistence.claims import Claim
from channel_sync.persistence.database import Database, UnitOfWork


@dataclass(frozen=True, slots=True)
class ClaimedIntegration:
    """What the tenant that claims a shop says of it. An `environment` must be that of the shop."""

    channel: str
    name: str
    claim: Secret = field(repr=False)
    environment: Environment | None = None
    orders_from: datetime | None = None
    default_currency: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimedShop:
    """The shop behind a claim, for a person to see whether it is theirs; `refusal` is why they cannot have it."""

    channel: str
    environment: Environment
    merchant_id: str
    shop_name: str | None
    expires_at: datetime
    refusal: Conflict | None


class Claims:
    """Shops that wait for a tenant. `nudge` is called when a claim made jobs due."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        doubts: Doubts,
        nudge: Callable[[], None],
        most_drafts: int,
    ) -> None:
        self._database = database
        self._channels = channels
        self._doubts = doubts
        self._nudge = nudge
        self._most_drafts = most_drafts

    async def preview(self, tenant: str, claim: Secret) -> ClaimedShop:
        """Which shop it is, as often as anybody likes: looking uses nothing up.

        `Invalid` for a claim that nobody knows any more, `Conflict` for one that the tenant has used.
        """
        now = utcnow()
        async with self._database.read() as work:
            found, merchant_id = await _claimed(work, tenant, claim, now)
            return ClaimedShop(
                found.channel,
                found.environment,
                merchant_id,
                found.shop_name,
                found.expires_at,
                await _refusal(work, tenant, found, merchant_id, now),
            )

    async def complete(self, tenant: str, wanted: ClaimedIntegration) -> Integration:
        """The integration that has the shop now: active if its currency was given, a connected draft otherwise.

        `Conflict` where somebody has the shop already, and nothing is used up.
        """
        check_name(wanted.name, "/name")
        if wanted.channel not in self._channels:
            raise Invalid("unknown_channel", "There is no such channel.", "/channel")
        check_currency(wanted.default_currency, self._channels[wanted.channel].description)

        async def step() -> tuple[Integration, ShopOfApp]:
            now = utcnow()
            async with self._database.begin() as work:
                found, merchant_id = await _claimed(work, tenant, wanted.claim, now)
                _check_place(found, wanted)
                draft, app = self._draft(tenant, found, wanted, now)
                grant = await _taken(work, draft, found, merchant_id)
                await work.integrations.add(draft, None)
                given = ObtainedGrant(app, grant, found.shop_name, False, found.warehouse_id)
                integration = await connect(work, draft, given, now)
                await keep_quota(work, tenant, "drafts", self._most_drafts)
            return integration, ShopOfApp(found.channel, found.environment, found.client_id, merchant_id)

        integration, shop = await while_stale(step)
        self._doubts.look_into(shop, but=integration.id)
        self._nudge()
        return integration

    def _draft(
        self, tenant: str, found: Claim, wanted: ClaimedIntegration, now: datetime
    ) -> tuple[Integration, App]:
        app = platform_app(self._database.platform_apps, found.channel, found.environment, found.client_id)
        new = NewIntegration(
            channel=found.channel,
            name=wanted.name,
            environment=found.environment,
            orders_from=wanted.orders_from,
            default_currency=wanted.default_currency,
        )
        return new_draft(tenant, new, app, now), app


async def _claimed(work: UnitOfWork, tenant: str, claim: Secret, now: datetime) -> tuple[Claim, str]:
    """What is claimed, and the merchant that it is."""
    found = await work.claims.find(hash_of(claim.value), tenant, now)
    if found is None or found.merchant_id is None:
        raise _unknown()
    if found.tenant is not None:
        raise Conflict("claim_used", "This claim was used; here is what came of it.", found.integration_id)
    return found, found.merchant_id


async def _taken(work: UnitOfWork, draft: Integration, found: Claim, merchant_id: str) -> Grant:
    await account_for(work, draft, found.client_id, merchant_id)
    grant = await work.claims.take(found, draft.tenant, draft.id)
    if grant is None:
        raise _unknown()
    return grant


async def _refusal(
    work: UnitOfWork, tenant: str, found: Claim, merchant_id: str, now: datetime
) -> Conflict | None:
    app = App(found.client_id, Secret(""), found.environment, of_platform=True)
    anybodys = new_draft(tenant, NewIntegration(found.channel, "", environment=found.environment), app, now)
    try:
        await account_for(work, anybodys, found.client_id, merchant_id)
    except Conflict as refused:
        return refused
    return None


def _check_place(found: Claim, wanted: ClaimedIntegration) -> None:
    if wanted.channel != found.channel:
        raise Invalid("not_for_this_kind", "The claim is of a shop at another marketplace.", "/channel")
    if wanted.environment not in (None, found.environment):
        raise Invalid("not_for_this_kind", "The claim is of a shop in the other environment.", "/environment")


def _unknown() -> Invalid:
    return Invalid("claim_unknown", "This claim is too old or not known; add the app once more.", "/claim")
