"""A shop's warehouses, asked of the marketplace when a person wants to see or to choose one."""

from collections.abc import Mapping

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.channel import Warehouse
from channel_sync.domain.errors import Conflict, Invalid
from channel_sync.domain.integrations import Integration
from channel_sync.flows.grants.shops import Shops
from channel_sync.flows.integrations.settings import SettingsPatch
from channel_sync.persistence.database import Database

_MEMBER = "warehouse_id"
_NAME = "warehouse"
_MAP = "warehouses"


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

        It may be named instead, as `warehouse`. `Invalid` where the shop has no such warehouse. Nothing is asked
        unless the warehouse is to be another.
        """
        stock = dict(patch.get("stock") or {})
        name = stock.pop(_NAME, None)
        if name is not None and _MEMBER in stock:
            raise Invalid("conflict", "Give the warehouse by its id or by its name.", f"/settings/stock/{_NAME}")
        if name is None and not {_MEMBER, _MAP} & set(stock):
            return patch
        async with self._database.read() as work:
            integration = await work.integrations.get(tenant, integration_id)
        await self._check_map(integration, stock.get(_MAP) or {})
        if name is None and _MEMBER not in stock:
            return patch
        if name is not None:
            return {**patch, "stock": {**stock, _MEMBER: await self._named(integration, name)}}
        wanted = stock[_MEMBER]
        if wanted == integration.settings.stock.warehouse_id:
            return patch
        if wanted is None and not integration.connected:
            return patch
        ids = [warehouse.id for warehouse in await self._ask(integration)]
        if wanted is not None and wanted not in ids:
            raise Invalid("unknown_warehouse", "The shop has no such warehouse.", f"/settings/stock/{_MEMBER}")
        return {**patch, "stock": {**stock, _MEMBER: wanted or next(iter(ids), None)}}

    async def _check_map(self, integration: Integration, wanted: Mapping[str, str | None]) -> None:
        fresh = set(wanted.values()) - {None, *integration.settings.stock.warehouses.values()}
        if fresh and not fresh <= {one.id for one in await self._ask(integration)}:
            raise Invalid("unknown_warehouse", "The shop has no such warehouse.", f"/settings/stock/{_MAP}")

    async def _named(self, integration: Integration, name: str) -> str:
        """The id of the warehouse of this name, in any case."""
        found = [one.id for one in await self._ask(integration) if (one.name or "").casefold() == name.casefold()]
        if len(found) != 1:
            # Of two with one name nobody can tell which is meant.
            raise Invalid("unknown_warehouse", "The shop has no such warehouse.", f"/settings/stock/{_NAME}")
        return found[0]

    async def _ask(self, integration: Integration) -> tuple[Warehouse, ...]:
        if integration.removed_at is not None:
            raise Conflict("integration_removed", "Restore the integration first.")
        if not integration.connected:
            raise Conflict("not_connected", "The marketplace cannot be asked before the shop is connected.")
        shop = self._shops.connect(integration, CallContext(Priority.INTERACTIVE))
        return await shop.call(lambda shop: shop.warehouses())
