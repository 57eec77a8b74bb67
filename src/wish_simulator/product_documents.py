"""New products as Wish would show them."""

from dataclasses import dataclass
from typing import Any

from wish_simulator.catalogue import ProductRow
from wish_simulator.clock import TimeSuffix, written
from wish_simulator.documents import Document
from wish_simulator.ids import object_id

READ_ONLY = {
    "state": "ACTIVE",
    "status": "APPROVED",
    "is_promoted": False,
    "num_sold": 0,
    "num_saves": 0,
    "category_experience_eligibility": False,
}


@dataclass(frozen=True)
class Listing:
    """One product in the seller's words: for each SKU its options; every SKU gets `stock` in every warehouse."""

    name: str
    parent_sku: str
    options_by_sku: dict[str, dict[str, str]]
    price: float
    currency: str = "USD"
    stock: int = 10

    def body(self, warehouse_ids: list[str]) -> Document:
        """The body of the create call."""
        price = {"amount": self.price, "currency_code": self.currency}
        image = f"https://images.invalid/{self.parent_sku}.jpg"
        shipping = [
            {"warehouse_id": id, "default_shipping_price": {"amount": 2.99, "currency_code": self.currency}}
            for id in warehouse_ids
        ]
        return {
            "name": self.name,
            "description": f"{self.name}. A sample product of the simulated marketplace.",
            "parent_sku": self.parent_sku,
            "condition": "NEW",
            "tags": ["sample"],
            "default_shipping_prices": shipping,
            "main_image": {"url": image},
            "variations": [
                {
                    "sku": sku,
                    "price": price,
                    "image": image,
                    "options": [{"name": name, "value": value} for name, value in options.items()],
                    "inventories": [{"warehouse_id": id, "inventory": self.stock} for id in warehouse_ids],
                    "logistics_details": {"origin_country": "US", "weight": 350.0},
                }
                for sku, options in self.options_by_sku.items()
            ],
        }


def a_product(body: Document, arrival: int, at_ms: int, suffix: TimeSuffix) -> ProductRow:
    """The stored product for a create call's body, with everything Wish adds to it."""
    product_id = object_id()
    at = written(at_ms, suffix)
    times: dict[str, Any] = {"created_at": at, "updated_at": at}
    variations = [a_variation(product_id, variation) for variation in body["variations"]]
    document = {"id": product_id, **body, **READ_ONLY, **times, "variations": variations}
    return ProductRow(document, arrival, at_ms, at_ms)


def a_variation(product_id: str, body: Document) -> Document:
    return {"id": object_id(), "product_id": product_id, "status": "ENABLED", **body}
