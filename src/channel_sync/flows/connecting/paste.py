"""Credentials a person pastes, tried at the marketplace before they are stored, and verified whenever asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.channel import App, Channel, Grant, Shop, ShopAccess
from channel_sync.domain.clock import utcnow
from channel_sync.domain.codes import ErrorCode
from channel_sync.domain.errors import (
    AccessTokenRejected,
    AccountDisabled,
    ClientRejected,
    Conflict,
    GrantRejected,
    Invalid,
)
from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.second_consents import Doubts, ShopOfApp, keeper_of, renew_keeper
from channel_sync.flows.connecting.shop_facts import first_warehouse, shop_name
from channel_sync.flows.connecting.verification import Verification, Verifying
from channel_sync.flows.grants.credentials import more_of
from channel_sync.flows.grants.given_credentials import check_name, check_secret
from channel_sync.flows.grants.service import Grants
from channel_sync.flows.integrations.activation import ObtainedGrant, account_for, connect
from channel_sync.flows.retries import until_stored, while_stale
from channel_sync.flows.status.recovery import recover
from channel_sync.flows.status.rejections import CLIENT_REJECTED, REFRESH_TOKEN_REJECTED
from channel_sync.persistence.database import Database

_STORE_PATIENCE_S = 20


@dataclass(frozen=True, slots=True)
class PastedCredentials:
    """The four fields a seller copies by hand."""

    client_id: str
    client_secret: Secret
    access_token: Secret
    refresh_token: Secret


class Credentials:
    """Credentials without a browser. `nudge` is called when they made jobs due."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        grants: Grants,
        doubts: Doubts,
        nudge: Callable[[], None],
    ) -> None:
        self._database = database
        self._channels = channels
        self._grants = grants
        self._doubts = doubts
        self._nudge = nudge

    async def paste(self, tenant: str, integration_id: str, pasted: PastedCredentials) -> Integration:
        """The integration with a grant made of the pasted fields; `Invalid` and nothing stored if one fails.

        The access token tells whose they are, so that nothing is used up for the wrong merchant. Then one renewal
        proves the other three and brings what was not pasted: when the token ends, and its scopes. If another
        integration has the shop by the same application, they are its own: it gets them, and `Conflict` names it.
        """
        _check(pasted)
        async with self._database.read() as work:
            integration = await work.integrations.get(tenant, integration_id)
            _check_usable(integration)
        merchant_id = await _merchant_of(self._shop(integration, pasted.access_token))
        shop = ShopOfApp(integration.channel, integration.environment, pasted.client_id, merchant_id)
        try:
            await self._check_account(integration, shop)
            given = await self._connection(integration, pasted, merchant_id)
            owner = await self._store(integration, given)
        except (Conflict, Invalid) as refused:
            self._doubts.look_into(shop, also=refused.related_id if isinstance(refused, Conflict) else None)
            raise
        self._doubts.look_into(shop, but=owner.id)
        self._nudge()
        if owner.id != integration_id:
            raise Conflict(
                "account_already_connected", "Another integration has this merchant; they went to it.", owner.id
            )
        return owner

    async def _check_account(self, integration: Integration, shop: ShopOfApp) -> None:
        """`Conflict` unless the integration may have the shop, or is a draft whose shop the tenant has already."""
        async with self._database.read() as work:
            keeper = await keeper_of(work, integration, shop.client_id, shop.merchant_id)
            if keeper is None or integration.activated_at is not None:
                await account_for(work, integration, shop.client_id, shop.merchant_id)

    async def _connection(
        self, integration: Integration, pasted: PastedCredentials, merchant_id: str
    ) -> ObtainedGrant:
        grant = await self._renewed(integration, pasted, merchant_id)
        app = await self._app(integration, pasted)
        shop = self._shop(integration, grant.access_token)
        return ObtainedGrant(app, grant, await shop_name(shop), True, await first_warehouse(shop))

    async def verify(self, tenant: str, integration_id: str) -> Verification:
        """What the marketplace says now.

        Success ends a pause or a rejection. What it refuses stops the integration, as it would in a job.
        """
        async with self._database.read() as work:
            integration = await work.integrations.get(tenant, integration_id)
        if integration.access_token_last4 is None:
            raise Conflict("not_connected", "There are no credentials to verify.")
        found = await Verifying(self._grants, self._channels[integration.channel], integration).ask()
        if found.ok and await recover(self._database, integration_id):
            self._nudge()
        return found

    def _shop(self, integration: Integration, token: Secret) -> Shop:
        access = ShopAccess(integration.id, integration.environment, token, integration.generation)
        return self._channels[integration.channel].shop(access, CallContext(Priority.INTERACTIVE))

    async def _app(self, integration: Integration, pasted: PastedCredentials) -> App:
        async with self._database.read() as work:
            more = await more_of(work, self._channels[integration.channel].description, integration.id)
        return App(pasted.client_id, pasted.client_secret, integration.environment, more)

    async def _renewed(self, integration: Integration, pasted: PastedCredentials, merchant_id: str) -> Grant:
        channel = self._channels[integration.channel]
        app = await self._app(integration, pasted)
        try:
            grant = await channel.renew(app, pasted.refresh_token)
        except GrantRejected as rejected:
            raise _blame(rejected) from rejected
        if grant.merchant_id != merchant_id:
            raise Invalid("tokens_differ", "The two tokens belong to different merchants.", "/refresh_token")
        missing = sorted(channel.required_scopes - set(grant.scopes or ()))
        if missing:
            raise Invalid("insufficient_scope", f"Missing: {', '.join(missing)}.", "/access_token")
        return grant

    async def _store(self, asked: Integration, given: ObtainedGrant) -> Integration:
        """The integration that the grant is for, which has it now."""

        async def step() -> Integration:
            now = utcnow()
            async with self._database.begin() as work:
                integration = await work.integrations.get(asked.tenant, asked.id)
                _check_usable(integration)
                keeper = await keeper_of(work, integration, given.app.client_id, given.grant.merchant_id)
                if keeper is not None and keeper.id != integration.id:
                    return await renew_keeper(work, keeper, given, now)
                await work.attempts.close_all(integration.id)
                return await connect(work, integration, given, now)

        return await until_stored(lambda: while_stale(step), _STORE_PATIENCE_S)


def _blame(rejected: GrantRejected) -> Invalid:
    """The pasted member that a renewal was refused for."""
    if isinstance(rejected, ClientRejected):
        return Invalid(CLIENT_REJECTED, rejected.message, "/client_secret")
    is_closed = isinstance(rejected, AccountDisabled)
    code: ErrorCode = "account_disabled" if is_closed else REFRESH_TOKEN_REJECTED
    return Invalid(code, rejected.message, "/refresh_token")


def _check(pasted: PastedCredentials) -> None:
    check_name(pasted.client_id, "/client_id")
    check_secret(pasted.client_secret, "/client_secret")
    check_secret(pasted.access_token, "/access_token")
    check_secret(pasted.refresh_token, "/refresh_token")


def _check_usable(integration: Integration) -> None:
    if integration.status is Status.REMOVED:
        raise Conflict("integration_removed", "Restore the integration first.")


async def _merchant_of(shop: Shop) -> str:
    try:
        return await shop.merchant_id()
    except AccessTokenRejected as rejected:
        raise Invalid("access_token_rejected", rejected.message, "/access_token") from rejected
