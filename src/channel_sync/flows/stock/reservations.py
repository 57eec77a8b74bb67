"""What orders take of a level that does not count them yet: every other listing of the SKU is told at once."""

from collections.abc import Callable, Mapping
from functools import partial

from channel_sync.domain.channel import Channel
from channel_sync.domain.clock import utcnow
from channel_sync.domain.integrations import Integration
from channel_sync.domain.listings import Listing, PushState, Quantities
from channel_sync.domain.reservations import Sale
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import StockLevel
from channel_sync.flows.stock.rules import arithmetic_of
from channel_sync.persistence.database import Database, UnitOfWork

_AT_ONCE = 500
_TENANTS_AT_ONCE = 50


class SettleReservations:
    """Settles what orders of every tenant have reserved. Repeating it is harmless.

    An order is stored with its reservations, so whoever is cut off before they are settled leaves them to the next
    look. `nudge` is called after a commit that made a run due.
    """

    def __init__(self, database: Database, channels: Mapping[str, Channel], nudge: Callable[[], None]) -> None:
        self._database = database
        self._channels = channels
        self._nudge = nudge

    async def run(self) -> None:
        """Settle some of each tenant that has any; the next look takes the rest."""
        async with self._database.read() as work:
            # Asked without a turn to write, which hardly any second needs.
            tenants = await work.reservations.unsettled_tenants(_TENANTS_AT_ONCE)
        for tenant in tenants:
            if await self._database.run_transaction(partial(self._settle, tenant)):
                self._nudge()

    async def _settle(self, tenant: str, work: UnitOfWork) -> bool:
        """Whether a run is due that tells other shops what is left."""
        now = utcnow()
        settled = await work.reservations.settle(tenant, _AT_ONCE)
        if not settled.skus:
            return False
        for sale in settled.sales:
            await self._follow(work, tenant, sale)
        await work.stock.want_anew(tenant, settled.skus, now)
        due = await work.stock.integrations_to_push(tenant, [*settled.skus])
        for integration_id in due:
            await work.schedules.hurry(integration_id, RunKind.STOCK, now)
        return bool(due)

    async def _follow(self, work: UnitOfWork, tenant: str, sale: Sale) -> None:
        """Take a listing for told that shows what it should, because the marketplace took off what it sold.

        Telling it the same would take back what was sold there since, and is not known yet. Only where it was told
        its stock after the sale, or should show something else by its rules, is it told anew like all others.
        """
        listing = await work.listings.of_variation(tenant, sale.account_id, sale.variation_id)
        if listing is None or listing.stock_sku is None or not _shows_what_it_was_told(listing, sale):
            return
        level = (await work.stock.levels(tenant, [listing.stock_sku])).get(listing.stock_sku)
        integration = await work.integrations.find(listing.integration_id)
        if level is None or integration is None:
            return
        left = _left(listing, sale)
        if self._told(listing, level, integration) == left:
            await work.pushes.follow_sale(listing.id, level.version, left, utcnow())

    def _told(self, listing: Listing, level: StockLevel, integration: Integration) -> Quantities:
        """What the listing would be told of the level, in the warehouse that it was told last."""
        by = arithmetic_of(integration, self._channels)
        return by.quantities(*level.free, listing.warehouse_id or "", listing.sku_rules, listing.rules)


def _shows_what_it_was_told(listing: Listing, sale: Sale) -> bool:
    """Whether what it was told last was confirmed, in one warehouse, and before the sale."""
    return (
        listing.is_fed
        and listing.push_state in (PushState.CONFIRMED, PushState.SENT)
        and not listing.is_in_doubt
        and listing.wanted_version == listing.settled_version
        and listing.settled_at is not None
        and listing.settled_at < sale.sold_by
        and listing.sent_quantity is not None
        and len(listing.told_places) == 1
    )


def _left(listing: Listing, sale: Sale) -> Quantities:
    return ((listing.told_places[0], max(0, (listing.sent_quantity or 0) - sale.units)),)
