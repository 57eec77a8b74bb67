"""A shop's warehouses, asked of the marketplace when a person wants to see or to choose one."""

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.channel import Warehouse
from channel_sync.domain.errors import Conflict, Invalid
from channel_sync.domain.integrations import Integration
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.integrations.settings import SettingsPatch
from channel_sync.persistence.database import Database

_MEMBER = "warehouse_id"


class Warehouses:
    """Warehouses of every tenant's shops. Any `ChannelError` where the marketplace cannot be asked."""

    def __init__(self, database: Database, shops: Shops) -> None:
        self._database = database
        self._shops = shops

    async def list(self, tenant: str, integration_id: str) -> tuple[Warehouse, ...]:
        """The shop's warehouses as the marketplace orders them; `Conflict` unless there is a grant."""
        async with self._database.read() as work:
            integration = await work.integrations.get(tenant, integration_id)
        return await self._ask(integration)

    async def settled(self, tenant: str, integration_id: str, patch: SettingsPatch) -> SettingsPatch:
        """The change of settings with its warehouse made sure of: one that the shop has, for null the first one.

        `Invalid` where the shop has no such warehouse. Nothing is asked unless the warehouse is to be another.
        """
        stock = patch.get("stock") or {}
        if _MEMBER not in stock:
            return patch
        async with self._database.read() as work:
            integration = await work.integrations.get(tenant, integration_id)
        wanted = stock[_MEMBER]
        if wanted == integration.settings.stock.warehouse_id:
            return patch
        if wanted is None and not integration.connected:
            return patch
        ids = [warehouse.id for warehouse in await self._ask(integration)]
        if wanted is not None and wanted not in ids:
            raise Invalid("unknown_warehouse", "The shop has no such warehouse.", f"/settings/stock/{_MEMBER}")
        return {**patch, "stock": {**stock, _MEMBER: wanted or next(iter(ids), None)}}

    async def _ask(self, integration: Integration) -> tuple[Warehouse, ...]:
        if integration.removed_at is not None:
            raise Conflict("integration_removed", "Restore the integration first.")
        if not integration.connected:
            raise Conflict("not_connected", "The marketplace cannot be asked before the shop is connected.")
        shop = self._shops.connect(integration, CallContext(Priority.INTERACTIVE))
        return await shop.call(lambda shop: shop.warehouses())
