"""A Singer tap of Wish orders, in the least code its SDK allows. Run by `singer_orders`."""

from collections.abc import Iterable
from typing import Any

from requests import Response
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import BaseAPIPaginator

PAGE = 500

# No members are declared below these: the SDK then passes what is nested as it is, which is its fastest way.
OBJECT = th.CustomType({"type": ["object", "null"]})
LIST = th.CustomType({"type": ["array", "null"]})
OBJECTS = (
    "product_information",
    "order_payment",
    "full_address",
    "warehouse_information",
    "fulfillment_requirements",
    "tax_information",
)
LISTS = (
    "fulfillment_order_types",
    "tracking_information",
    "fulfillment_records",
    "refunds",
    "penalties",
    "special_programs",
)


class LastUpdated(BaseAPIPaginator):
    """Asks again from where the last page ended: Wish has no cursor."""

    rows: list[dict[str, Any]]

    def get_next(self, response: Response) -> str | None:
        return self.rows[-1]["updated_at"] if len(self.rows) == PAGE else None


class Orders(RESTStream):
    name = "orders"
    path = "/api/v3/orders"
    primary_keys = ("id",)
    replication_key = "updated_at"
    is_sorted = True
    schema = th.PropertiesList(
        th.Property("id", th.StringType, required=True),
        th.Property("transaction_id", th.StringType),
        th.Property("state", th.StringType),
        th.Property("released_at", th.DateTimeType),
        th.Property("updated_at", th.DateTimeType),
        th.Property("total_frs_quantity", th.IntegerType),
        *(th.Property(name, OBJECT) for name in OBJECTS),
        *(th.Property(name, LIST) for name in LISTS),
    ).to_dict()

    @property
    def url_base(self) -> str:
        return self.config["url"]

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["token"])

    def get_new_paginator(self) -> LastUpdated:
        self.paginator = LastUpdated(None)
        return self.paginator

    def get_url_params(self, context: Any, next_page_token: str | None) -> dict[str, Any]:
        since = next_page_token or self.get_starting_replication_key_value(context)
        return {"sort_by": "updated_at.asc", "limit": PAGE, "updated_at_min": since}

    def parse_response(self, response: Response) -> Iterable[dict[str, Any]]:
        self.paginator.rows = response.json()["data"]
        return self.paginator.rows


class TapWish(Tap):
    name = "tap-wish"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True),
        th.Property("token", th.StringType, required=True),
        th.Property("start_date", th.StringType, required=True),
    ).to_dict()

    def discover_streams(self) -> list[Orders]:
        return [Orders(tap=self)]


if __name__ == "__main__":
    TapWish.cli()
