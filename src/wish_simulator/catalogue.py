"""The products of one shop and the ways to find them."""

from collections.abc import Iterator
from dataclasses import dataclass

from wish_simulator.documents import Document

REMOVED_STATES = ("REMOVED_BY_WISH", "REMOVED_BY_MERCHANT")
LONG_MEMBERS = frozenset(
    (
        "variations",
        "main_image",
        "extra_images",
        "video",
        "category",
        "attributes",
        "default_shipping_prices",
        "warehouse_to_shippings",
        "first_mile_shippings",
        "is_csp_enabled",
        "gpsr_warnings",
        "gpsr_safety_instructions",
        "gpsr_manufacturer",
        "request_id",
    )
)


@dataclass(slots=True)
class ProductRow:
    document: Document
    arrival: int
    created_ms: int
    updated_ms: int

    @property
    def is_removed(self) -> bool:
        return self.document["state"] in REMOVED_STATES

    @property
    def variations(self) -> list[Document]:
        variations: list[Document] = self.document["variations"]
        return variations

    def short_document(self) -> Document:
        """The row of the product list: neither variations nor stock nor images."""
        return {name: value for name, value in self.document.items() if name not in LONG_MEMBERS}


class Catalogue:
    def __init__(self) -> None:
        self._rows: dict[str, ProductRow] = {}
        self._product_of_variation: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[ProductRow]:
        return iter(self._rows.values())

    def put(self, row: ProductRow) -> None:
        product_id = row.document["id"]
        self._rows[product_id] = row
        for variation in row.variations:
            self._product_of_variation[variation["id"]] = product_id

    def find(self, product_id: str) -> ProductRow | None:
        return self._rows.get(product_id)

    def with_variation(self, variation_id: str) -> ProductRow | None:
        product_id = self._product_of_variation.get(variation_id)
        return None if product_id is None else self._rows[product_id]

    def offers(self) -> Iterator[tuple[ProductRow, Document]]:
        """Every product with each of its variations."""
        return ((row, variation) for row in self for variation in row.variations)

    def with_sku(self, sku: str) -> tuple[ProductRow, Document] | None:
        return next(((row, one) for row, one in self.offers() if one["sku"] == sku and not row.is_removed), None)

    def skus_elsewhere(self, product_id: str) -> set[str]:
        """SKUs of every other product on sale; a SKU may be used once in a shop."""
        return {
            one["sku"] for row, one in self.offers() if row.document["id"] != product_id and not row.is_removed
        }


def stock_of(variation: Document) -> int:
    return sum(place["inventory"] for place in variation["inventories"])


def set_stock(variation: Document, warehouse_id: str, inventory: int) -> None:
    for place in variation["inventories"]:
        if place["warehouse_id"] == warehouse_id:
            place["inventory"] = inventory
            return
    variation["inventories"].append({"warehouse_id": warehouse_id, "inventory": inventory})
