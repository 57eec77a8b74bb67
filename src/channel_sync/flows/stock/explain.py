"""What a shop shows of some listings, asked for by a person who wants to know why."""

from collections.abc import Sequence

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelError
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import Listing, units_in
from channel_sync.domain.stock_sentences import Shown
from channel_sync.flows.grants.shops import Shops

# A SKU feeds one product of a shop, rarely a second one; whoever waits for the answer waits for each of them.
_MOST_ASKED = 3


class LookAtShop:
    """Looks at shops of every tenant."""

    def __init__(self, shops: Shops) -> None:
        self._shops = shops

    async def shown(self, integration: Integration, listings: Sequence[Listing]) -> dict[str, Shown]:
        """Units of each listing in our warehouse: as of now, or where that cannot be asked as last seen.

        A listing that was never seen there is missing.
        """
        found = {
            one.id: Shown(one.units_seen, one.last_seen_at)
            for one in listings
            if one.units_seen is not None and one.last_seen_at is not None
        }
        products = list(dict.fromkeys(one.product_id for one in listings))[:_MOST_ASKED]
        if not integration.connected or integration.removed_at is not None:
            return found
        for product_id in products:
            mine = [one for one in listings if one.product_id == product_id]
            found |= await self._ask(integration, product_id, mine)
        return found

    async def _ask(self, integration: Integration, product_id: str, mine: Sequence[Listing]) -> dict[str, Shown]:
        shop = self._shops.connect(integration, CallContext(Priority.INTERACTIVE))
        asked_at = utcnow()
        try:
            there = await shop.call(lambda shop: shop.product(product_id))
        except ChannelError:
            # What was seen last is told instead, with its time.
            return {}
        quantities = {one.variation_id: one.quantities for one in there.listings}
        place = integration.settings.stock.warehouse_id or ""
        return {
            one.id: Shown(units_in(one.told_places or (place,), quantities[one.variation_id]), asked_at, now=True)
            for one in mine
            if one.variation_id in quantities
        }
