"""A merchant consents once more for a shop that an integration has already.

The consent may have ended the tokens which that one works with. So it gets the new ones at once, whoever asked for
them, if the application is the same: it is its own shop, and nobody has to say so. Whose tokens may have ended
otherwise is looked into beside the request.
"""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.channel import Environment
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelSyncError, NotFound
from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.platform_apps import PlatformAppMissing
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.integrations.activation import ObtainedGrant, connect
from channel_sync.flows.retries import until_stored, while_stale
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.engine.tenancy import for_every_tenant, for_tenant
from channel_sync.persistence.rows.encryption import Unreadable

# A grant that was just obtained is the only copy: a store that is away is waited for so long.
STORE_PATIENCE_S = 20

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShopOfApp:
    """A merchant's shop as one application sees it: a new consent to it may end the tokens of the ones before."""

    channel: str
    environment: Environment
    client_id: str
    merchant_id: str


def shop_of(integration: Integration, given: ObtainedGrant) -> ShopOfApp:
    """The shop that a grant is for."""
    return ShopOfApp(integration.channel, integration.environment, given.app.client_id, given.grant.merchant_id)


async def keeper_of(
    work: UnitOfWork, integration: Integration, client_id: str, merchant_id: str
) -> Integration | None:
    """The integration of the tenant that has the shop by this application, which may be the one that asks."""
    account = await work.accounts.find(
        integration.tenant, integration.channel, integration.environment, merchant_id
    )
    if account is None or account.integration_id is None:
        return None
    keeper = await work.integrations.find(account.integration_id)
    return keeper if keeper is not None and keeper.client_id == client_id else None


async def renew_keeper(work: UnitOfWork, keeper: Integration, given: ObtainedGrant, now: datetime) -> Integration:
    """The integration that has the shop with the new grant, and with the secret that has just been proven."""
    try:
        stored = await work.credentials.app(keeper.id)
        app_is_new = stored.client_secret != given.app.client_secret
        app_is_new = app_is_new or stored.of_platform is not given.app.of_platform
    except (NotFound, Unreadable, PlatformAppMissing):
        app_is_new = True
    return await connect(work, keeper, replace(given, app_is_new=app_is_new), now)


async def renew_holder(database: Database, shop: ShopOfApp, given: ObtainedGrant) -> str | None:
    """The integration of whichever tenant that has the shop by the platform's app, with the new grant; its id.

    Whoever asked may not have the shop, and the consent has ended the tokens that work elsewhere. It was given to
    the same app by the same merchant, so it goes on there. An app of a seller's own is nobody else's.
    """
    if not given.app.of_platform:
        return None
    with for_every_tenant():
        async with database.read() as work:
            ids = await work.accounts.holders(shop.channel, shop.environment, shop.client_id, shop.merchant_id)
            found = await work.integrations.find_all(ids)
    holder = next((one for one in found.values() if one.activated_at is not None), None)
    if holder is None:
        return None
    holder_id = holder.id

    async def step() -> str | None:
        async with database.begin() as work:
            newest = await work.integrations.find(holder_id)
            if newest is None or newest.removed_at is not None or newest.client_id != shop.client_id:
                return None
            return (await renew_keeper(work, newest, given, utcnow())).id

    with for_tenant(holder.tenant):
        return await until_stored(lambda: while_stale(step), STORE_PATIENCE_S)


class Doubts:
    """Looks into grants that a consent elsewhere may have ended, so that whoever lost one says so at once."""

    def __init__(self, database: Database, shops: Shops) -> None:
        self._database = database
        self._shops = shops
        self._under_way: set[asyncio.Task[None]] = set()

    def look_into(self, shop: ShopOfApp, but: str | None = None, also: str | None = None) -> None:
        """Begin to try every grant for the shop, of whichever tenant, but one integration's; another one's also.

        A hint that is lost with the process costs a minute: then the next run finds out.
        """
        task = asyncio.create_task(self._try(shop, but, also))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def finish(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way)

    async def stop(self) -> None:
        """Give up what is under way; a renewal that it began goes on, as every renewal does."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _try(self, shop: ShopOfApp, but: str | None, also: str | None) -> None:
        with for_every_tenant():
            async with self._database.read() as work:
                holders = await work.accounts.holders(
                    shop.channel, shop.environment, shop.client_id, shop.merchant_id
                )
                doubted = {*holders, *([also] if also else [])} - {but}
                found = await work.integrations.find_all(doubted)
            for integration in found.values():
                if integration.runnable or (integration.status is Status.DRAFT and integration.connected):
                    await self._ask(integration)

    async def _ask(self, integration: Integration) -> None:
        """A refusal is noted by whoever asks for a grant; anything else the next run finds out."""
        connection = self._shops.connect(integration, CallContext(Priority.INTERACTIVE))
        try:
            await connection.call(lambda shop: shop.merchant_id())
        except ChannelSyncError as error:
            log.info("%s was looked into after another consent: %s", integration.id, error.code)
