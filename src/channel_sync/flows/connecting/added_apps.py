"""A seller adds the platform's app in the marketplace's own store, so nobody of ours asked for what comes back.

The code does not live long enough for somebody to find out whose it is: it is redeemed at once. The grant waits,
sealed, for a tenant to claim it, and the browser takes the claim to the platform, which knows who sits before it.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from channel_sync.domain.channel import App, Channel, Environment
from channel_sync.domain.clock import utcnow
from channel_sync.domain.codes import CallbackError
from channel_sync.domain.errors import ChannelError, GrantRejected
from channel_sync.domain.ids import new_id
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.outcomes import Added, Callback, Crowded, NotAdded
from channel_sync.flows.connecting.pkce import hash_of, new_token
from channel_sync.flows.connecting.redemption import Redeeming
from channel_sync.flows.connecting.return_urls import origin_of
from channel_sync.flows.connecting.second_consents import STORE_PATIENCE_S, Doubts, ShopOfApp, renew_holder
from channel_sync.flows.integrations.activation import ObtainedGrant
from channel_sync.flows.retries import until_stored
from channel_sync.persistence.claims import Claim
from channel_sync.persistence.database import Database

CLAIMABLE_FOR = timedelta(hours=1)
# Nobody adds so many shops within an hour: whatever else comes is not stored.
MOST_WAITING = 1_000
# A marketplace that does not answer must not hold more of our calls than these.
MOST_AT_ONCE = 8

log = logging.getLogger(__name__)


class AddedApps:
    """Answers that no attempt waits for. `nudge` is called when a grant made jobs due."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        redeeming: Redeeming,
        doubts: Doubts,
        nudge: Callable[[], None],
        add_app_url: str | None,
    ) -> None:
        self._database = database
        self._channels = channels
        self._redeeming = redeeming
        self._doubts = doubts
        self._nudge = nudge
        self._add_app_url = add_app_url
        self._under_way = 0

    def may_be(self, channel: str, callback: Callback) -> bool:
        """Whether an answer may come from the marketplace's own store, which knows no state of ours."""
        if self._add_app_url is None or self._channels[channel].rules.requires_state:
            return False
        has_only_code = callback.state is None and callback.error is None and callback.has_code
        return has_only_code and bool(self._apps(channel, callback))

    async def arrive(self, channel: str, callback: Callback) -> Added | NotAdded | Crowded:
        """Where the browser takes its claim. However often it comes, a code is used once."""
        apps, now = self._apps(channel, callback), utcnow()
        if callback.code is None or not apps:
            return NotAdded("exchange_failed")
        if self._under_way >= MOST_AT_ONCE:
            return Crowded()
        code, first = Secret(callback.code), apps[0]
        claim = Claim(
            id=new_id("clm", now),
            channel=channel,
            environment=first.environment,
            client_id=first.client_id,
            code_hash=hash_of(code.value),
            created_at=now,
            expires_at=now + CLAIMABLE_FOR,
        )
        self._under_way += 1
        try:
            async with self._database.begin() as work:
                if await work.claims.waiting() >= MOST_WAITING:
                    return Crowded()
                is_first = await work.claims.add(claim)
            return await self._use(claim, code, apps) if is_first else NotAdded("attempt_used")
        finally:
            self._under_way -= 1

    def _apps(self, channel: str, callback: Callback) -> list[App]:
        """The platform's apps that the code may be for; it does not say of which environment it is."""
        issuer = None if callback.iss is None else origin_of(callback.iss)
        some = [self._database.platform_apps.find(channel, environment) for environment in Environment]
        known = self._channels[channel]
        return [
            app
            for app in some
            if app is not None and (callback.iss is None or origin_of(known.issuer(app.environment)) == issuer)
        ]

    async def _use(self, claim: Claim, code: Secret, apps: list[App]) -> Added | NotAdded:
        for app in apps:
            try:
                given = await self._redeeming.redeem_added(claim, app, code)
            except ChannelError as error:
                log.warning("a shop that was added at %s got no grant: %s", claim.channel, error.code)
                # A code that is refused may be one of the other environment; any other is used up perhaps.
                if isinstance(error, GrantRejected):
                    continue
                break
            return await self._keep(claim, given)
        return await self._failed(claim, "exchange_failed")

    async def _keep(self, claim: Claim, given: ObtainedGrant) -> Added | NotAdded:
        app, merchant_id = given.app, given.grant.merchant_id
        shop = ShopOfApp(claim.channel, app.environment, app.client_id, merchant_id)
        if not self._channels[claim.channel].required_scopes <= set(given.grant.scopes or ()):
            self._doubts.look_into(shop)
            return await self._failed(claim, "insufficient_scope")
        # Who claims the shop then is told that it is taken.
        holder_id = await renew_holder(self._database, shop, given)
        token = new_token()
        answered = replace(
            claim,
            environment=app.environment,
            client_id=app.client_id,
            claim_hash=hash_of(token),
            merchant_id=merchant_id,
            shop_name=given.shop_name,
            warehouse_id=given.warehouse_id,
            integration_id=holder_id,
        )

        async def keep() -> None:
            async with self._database.begin() as work:
                await work.claims.keep(answered, given.grant if holder_id is None else None)

        await until_stored(keep, STORE_PATIENCE_S)
        self._doubts.look_into(shop, but=holder_id)
        self._nudge()
        return Added(f"{self._add_app_url}?{urlencode({'channel': claim.channel, 'claim': token})}")

    async def _failed(self, claim: Claim, error: CallbackError) -> NotAdded:
        async with self._database.begin() as work:
            await work.claims.fail(claim.id, error)
        return NotAdded(error)
