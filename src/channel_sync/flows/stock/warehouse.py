"""The warehouse that a shop's stock goes to: chosen once, then kept; if it is gone, no other takes its place."""

from collections.abc import Set
from dataclasses import replace

from channel_sync.domain.channel import Warehouse
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelRefused
from channel_sync.domain.incidents import MESSAGES, IncidentKind
from channel_sync.domain.integrations import Integration, IntegrationSettings
from channel_sync.domain.stock import StockSettings
from channel_sync.flows.incidents import tell_whether
from channel_sync.flows.retries import while_stale
from channel_sync.flows.runs.session import RunSession

_MISSING = IncidentKind.WAREHOUSE_MISSING


def with_warehouse(settings: IntegrationSettings, warehouse_id: str | None) -> IntegrationSettings:
    """The settings with stock going to this warehouse."""
    return replace(settings, stock=replace(settings.stock, warehouse_id=warehouse_id))


def chosen_of(settings: StockSettings) -> Set[str]:
    """Every warehouse of the marketplace that the settings name."""
    return {place for place in (settings.warehouse_id, *settings.warehouses.values()) if place is not None}


async def warehouse_of(session: RunSession, integration: Integration) -> str:
    """The integration's warehouse, which is still there. Where none is chosen yet, the first one is, for good.

    `ChannelRefused` when there is none, or not all that are chosen any more; then the integration says so.
    """
    settings = integration.settings.stock
    chosen = chosen_of(settings)
    warehouses = await session.call(lambda shop: shop.warehouses())
    are_there = chosen <= {warehouse.id for warehouse in warehouses}
    if chosen:
        await tell_whether(session, _MISSING, not are_there)
    if not are_there:
        raise ChannelRefused(_MISSING.value, MESSAGES[_MISSING])
    return settings.warehouse_id or await _choose(session, _first(warehouses))


async def look_for_warehouse(session: RunSession) -> None:
    """Say so if the chosen warehouse is gone, though nothing waits to be sent there, or that it is back."""
    async with session.database.read() as work:
        integration = await work.integrations.find(session.integration.id)
    chosen = set() if integration is None else chosen_of(integration.settings.stock)
    if chosen:
        warehouses = await session.call(lambda shop: shop.warehouses())
        await tell_whether(session, _MISSING, not chosen <= {warehouse.id for warehouse in warehouses})


async def _choose(session: RunSession, first: str | None) -> str:
    if first is None:
        raise ChannelRefused("no_warehouse", "The shop has no warehouse at the marketplace.")

    async def step() -> str:
        async with session.database.begin() as work:
            current = await work.integrations.get(session.integration.tenant, session.integration.id)
            # Somebody may have chosen one meanwhile.
            if current.settings.stock.warehouse_id is not None:
                return current.settings.stock.warehouse_id
            await work.integrations.save(
                replace(current, settings=with_warehouse(current.settings, first), updated_at=utcnow())
            )
        return first

    return await while_stale(step)


def _first(warehouses: tuple[Warehouse, ...]) -> str | None:
    return warehouses[0].id if warehouses else None
