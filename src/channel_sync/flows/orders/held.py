"""Orders that could not be used, tried once more."""

from contextlib import suppress

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.errors import ChannelRefused, ChannelUnavailable, Conflict, NotFound, ReplyNotUnderstood
from channel_sync.domain.held_orders import HeldOrder
from channel_sync.domain.integrations import Account, Integration, must_be_runnable
from channel_sync.domain.orders import Order, OrderPage
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.orders.prepare import ready
from channel_sync.flows.orders.store import context_of, store_page
from channel_sync.persistence.database import Database
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.sql.paging import PageRequest


class Held:
    """Held orders of every tenant."""

    def __init__(self, database: Database, shops: Shops) -> None:
        self._database = database
        self._shops = shops

    async def replay(
        self, tenant: str, held_id: str, priority: Priority = Priority.INTERACTIVE
    ) -> Order | HeldOrder:
        """The order it became, or what is still held. `Conflict` unless the integration is active."""
        async with self._database.read() as work:
            held = await work.held_orders.get(tenant, held_id)
            integration = await work.integrations.get(tenant, held.integration_id)
            must_be_runnable(integration)
            if integration.account_id is None:
                raise Conflict("integration_draft", "The integration is not connected.")
            account = await work.accounts.get(integration.account_id)
        page = await self._now(integration, held.channel_order_id, priority) or await self._kept(integration, held)
        return await self._store(integration, account, page, held)

    async def _now(
        self, integration: Integration, channel_order_id: str | None, priority: Priority
    ) -> OrderPage | None:
        """The order as the marketplace has it now, if it gives one."""
        if channel_order_id is None:
            return None
        shop = self._shops.connect(integration, CallContext(priority))
        with suppress(ChannelUnavailable, ChannelRefused, ReplyNotUnderstood):
            return await shop.call(lambda shop: shop.order(channel_order_id))
        return None

    async def _kept(self, integration: Integration, held: HeldOrder) -> OrderPage:
        """The reply that was held, read once more."""
        if held.erased:
            raise Conflict("held_order_erased", "The reply was erased; the marketplace gives no other.")
        async with self._database.read() as work:
            raw = await work.held_orders.raw(held.id)
        return self._shops.channels[integration.channel].read_order(raw)

    async def _store(
        self, integration: Integration, account: Account, page: OrderPage, held: HeldOrder
    ) -> Order | HeldOrder:
        fresh = ready(page, context_of(integration, account), self._database.personal)
        async with self._database.begin() as work:
            await store_page(work, integration, account, fresh)
            if not page.orders:
                return await work.held_orders.get(integration.tenant, held.id)
            await work.held_orders.release_one(held.id)
        query = OrderFeedQuery(integration_id=integration.id, channel_order_id=page.orders[0].channel_order_id)
        async with self._database.read() as work:
            found = await work.orders.feed(integration.tenant, query, PageRequest(1, None), personal=False)
        if not found.items:
            raise NotFound("order")
        return found.items[0]
