"""Every operation of the merchant API, behind the front door."""

from starlette.routing import Route

from wish_simulator import (
    bulk_operations,
    merchant_operations,
    oauth_operations,
    order_operations,
    product_operations,
    webhook_operations,
)
from wish_simulator.front_door import front_door
from wish_simulator.marketplace import Marketplace

# Bulk paths come before `/products/{id}`, which would take them for ids.
OPERATIONS = (
    *oauth_operations.OPERATIONS,
    *merchant_operations.OPERATIONS,
    *order_operations.OPERATIONS,
    *bulk_operations.OPERATIONS,
    *product_operations.OPERATIONS,
    *webhook_operations.OPERATIONS,
)


def merchant_routes(market: Marketplace) -> list[Route]:
    return [
        Route(operation.path, front_door(market, operation), methods=[operation.method])
        for operation in OPERATIONS
    ]
