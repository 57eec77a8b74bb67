"""Settings a seller may change, checked member by member."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from channel_sync.domain.errors import Invalid
from channel_sync.domain.integrations import (
    MIN_ORDER_INTERVAL_S,
    MIN_STOCK_INTERVAL_S,
    IntegrationSettings,
    OrderSettings,
)
from channel_sync.domain.stock import StockSettings

# The members of an API request that were sent, by their group and already of the right types; None is a default.
SettingsPatch = Mapping[str, Any]


def merged(settings: IntegrationSettings, patch: SettingsPatch) -> IntegrationSettings:
    """The settings with what was sent changed, or `Invalid`."""
    changed = IntegrationSettings(
        orders=replace(settings.orders, **_meant(patch.get("orders", {}), OrderSettings())),
        stock=replace(settings.stock, **_meant(patch.get("stock", {}), StockSettings())),
    )
    _check_orders(changed.orders)
    _check_stock(changed.stock)
    return changed


def _meant(given: Mapping[str, Any], defaults: OrderSettings | StockSettings) -> dict[str, Any]:
    return {name: getattr(defaults, name) if value is None else value for name, value in given.items()}


def _check_orders(orders: OrderSettings) -> None:
    if orders.interval_s is not None:
        _at_least(orders.interval_s, MIN_ORDER_INTERVAL_S, "orders/interval_s")


def _check_stock(stock: StockSettings) -> None:
    if stock.interval_s is not None:
        _at_least(stock.interval_s, MIN_STOCK_INTERVAL_S, "stock/interval_s")
    if stock.maximum is not None:
        _at_least(stock.maximum, 0, "stock/maximum")
    _at_least(stock.buffer, 0, "stock/buffer")
    _at_least(stock.end_when, 0, "stock/end_when")
    _at_least(stock.percent, 1, "stock/percent")
    _at_least(stock.brake_percent, 1, "stock/brake_percent")
    for member in ("percent", "brake_percent"):
        if getattr(stock, member) > 100:
            raise Invalid("too_large", "This must be at most 100.", f"/settings/stock/{member}")


def _at_least(value: int, smallest: int, member: str) -> None:
    if value < smallest:
        raise Invalid("too_small", f"This must be at least {smallest}.", f"/settings/{member}")
