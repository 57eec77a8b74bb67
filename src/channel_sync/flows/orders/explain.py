"""Where an order is, asked of our rows and of the marketplace."""

import asyncio
from datetime import timedelta

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelError, NotAtChannel
from channel_sync.domain.explanations import ChannelFacts, Explanation, OurFacts, explanation
from channel_sync.domain.integrations import Integration
from channel_sync.domain.orders import OrderPage
from channel_sync.domain.runs import RunKind
from channel_sync.flows.grants.shops import Shops
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.sql.paging import PageRequest

_ASK_WITHIN_S = 10.0


class ExplainOrder:
    """Explains orders of every tenant. `overlap` is how far a look for orders goes back behind its cursor."""

    def __init__(
        self, database: Database, shops: Shops, overlap: timedelta, ask_within_s: float = _ASK_WITHIN_S
    ) -> None:
        self._database = database
        self._shops = shops
        self._overlap = overlap
        self._ask_within_s = ask_within_s

    async def run(self, tenant: str, integration_id: str, channel_order_id: str) -> Explanation:
        """What became of the marketplace's order. That it cannot be asked is a part of the answer, too."""
        async with self._database.read() as work:
            integration = await work.integrations.get(tenant, integration_id)
        theirs = await self._ask(integration, channel_order_id)
        # Afterwards: what was stored while the marketplace thought about it is not called missing.
        async with self._database.read() as work:
            ours = await self._known(work, integration, channel_order_id)
        channel = self._shops.channels.get(integration.channel)
        name = integration.channel if channel is None else channel.description.name
        return explanation(name, ours, theirs)

    async def _ask(self, integration: Integration, channel_order_id: str) -> ChannelFacts:
        if not integration.runnable or integration.channel not in self._shops.channels:
            return ChannelFacts(None, reason=f"the integration is {integration.status}")
        shop = self._shops.connect(integration, CallContext(Priority.INTERACTIVE))
        try:
            async with asyncio.timeout(self._ask_within_s):
                return _facts(await shop.call(lambda shop: shop.order(channel_order_id)))
        except TimeoutError:
            return ChannelFacts(None, reason="it did not answer in time")
        except NotAtChannel:
            return ChannelFacts(False)
        except ChannelError as error:
            return ChannelFacts(None, reason=error.code)

    async def _known(self, work: UnitOfWork, integration: Integration, channel_order_id: str) -> OurFacts:
        tenant, of = integration.tenant, integration.id
        held = await work.held_orders.list(tenant, of, PageRequest(1), channel_order_id)
        cursors = await work.accounts.order_cursors([integration.account_id or ""])
        cursor = cursors.get(integration.account_id or "")
        schedule = (await work.schedules.of([of], [RunKind.ORDERS]))[of].get(RunKind.ORDERS)
        no_look = _no_look(integration)
        planned = None if schedule is None or no_look is not None else schedule.next_at
        return OurFacts(
            orders_from=integration.orders_from,
            looks_from=integration.orders_from if cursor is None else cursor - self._overlap,
            looked_up_to=None if schedule is None else schedule.seen_until,
            next_look=planned and max(planned, utcnow()),
            no_look=no_look or "nothing is planned",
            order=await work.order_versions.trace(tenant, of, channel_order_id),
            held=next(iter(held.items), None),
        )


def _facts(page: OrderPage) -> ChannelFacts:
    for order in page.orders:
        return ChannelFacts(True, order.updated_at)
    (unreadable,) = page.unreadable
    return ChannelFacts(True, unreadable.updated_at, unreadable.reason)


def _no_look(integration: Integration) -> str | None:
    """Why nobody looks for the integration's orders, if so."""
    if not integration.runnable:
        return f"the integration is {integration.status}"
    return None if integration.settings.orders.enabled else "the download of orders is switched off"
