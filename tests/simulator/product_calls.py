"""What the product tests share: the shop's first product, bodies, stock read back."""

from typing import Any

from tests.simulator.simulated import Simulated

PRICE = {"amount": 12.5, "currency_code": "USD"}


def mug(wish: Simulated) -> dict[str, Any]:
    document: dict[str, Any] = next(iter(wish.shop.catalogue)).document
    return document


def places(wish: Simulated, *numbers: int) -> list[dict[str, Any]]:
    return [
        {"warehouse_id": warehouse.id, "inventory": number}
        for warehouse, number in zip(wish.shop.warehouses, numbers, strict=False)
    ]


def new_product(wish: Simulated, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Cup",
        "description": "A cup",
        "parent_sku": "CUP",
        "main_image": {"url": "https://images.invalid/cup.jpg"},
        "default_shipping_prices": [{"warehouse_id": wish.shop.warehouses[0].id, "default_shipping_price": PRICE}],
        "variations": [{"sku": "CUP-1", "price": PRICE, "inventories": places(wish, 3)}],
        **changes,
    }


async def stock(wish: Simulated) -> dict[str, list[int]]:
    product = await wish.read(f"/products/{mug(wish)['id']}")
    return {
        variation["sku"]: [place["inventory"] for place in variation["inventories"]]
        for variation in product["variations"]
    }


async def put_stock(wish: Simulated, *numbers: int) -> Any:
    variation = {"id": mug(wish)["variations"][0]["id"], "inventories": places(wish, *numbers)}
    return await wish.put(f"/products/{mug(wish)['id']}", {"variations": [variation]})
