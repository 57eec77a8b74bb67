"""Everything one merchant has on the marketplace."""

import itertools
from dataclasses import dataclass, field
from typing import Literal

from wish_simulator.accounts import Merchant
from wish_simulator.catalogue import Catalogue
from wish_simulator.documents import Document
from wish_simulator.ids import object_id
from wish_simulator.jobs import Job
from wish_simulator.order_book import OrderBook
from wish_simulator.reviews import Review

COUNTRIES = ("US", "CA", "GB", "FR", "DE", "ES", "IT", "SE", "NO", "AU", "BR", "CL", "MX", "JP")


@dataclass
class Warehouse:
    name: str
    address: Document
    destination_countries: list[str]
    shipping_type: Literal["STANDARD", "WISH_EXPRESS"] = "STANDARD"
    id: str = field(default_factory=object_id)

    def document(self) -> Document:
        return {
            "id": self.id,
            "name": self.name,
            "shipping_type": self.shipping_type,
            "address": self.address,
            "destination_countries": self.destination_countries,
        }


def a_warehouse(name: str, city: str) -> Warehouse:
    address = {
        "ship_to_name": f"{name.title()} warehouse",
        "street_address1": "1 Dock Road",
        "city": city,
        "state": "California",
        "zipcode": "94105",
        "country_code": "US",
    }
    return Warehouse(name, address, ["US", "CA"])


@dataclass
class Shop:
    merchant: Merchant
    warehouses: list[Warehouse] = field(
        default_factory=lambda: [a_warehouse("STANDARD", "San Francisco"), a_warehouse("EAST", "Newark")]
    )
    shipping: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(COUNTRIES, True))
    orders: OrderBook = field(default_factory=OrderBook)
    catalogue: Catalogue = field(default_factory=Catalogue)
    jobs: dict[str, Job] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    arrivals: "itertools.count[int]" = field(default_factory=itertools.count)

    def warehouse(self, warehouse_id: str) -> Warehouse | None:
        return next((one for one in self.warehouses if one.id == warehouse_id), None)
