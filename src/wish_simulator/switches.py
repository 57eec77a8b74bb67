"""Every behaviour of Wish that is unknown or that a test wants otherwise, with its default."""

from typing import Annotated, Any, Literal

import msgspec

from wish_simulator.clock import TimeSuffix
from wish_simulator.order_files import OrderFileFormat

Seconds = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
ResetFormat = Literal["epoch_s", "epoch_ms", "iso", "http_date", "seconds", "garbage", "absent"]
Rotation = Literal["none", "grace", "strict"]

MONTH_S = 30 * 24 * 3600


class Switches(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    # Errors
    token_error_status: Literal[400, 401] = 400
    unknown_id_status: Literal[400, 404] = 400
    errors_as_200: bool = False
    string_codes: bool = False
    latency_s: Seconds = 0
    time_suffix: TimeSuffix = "Z"

    # Limiter, per (app, merchant)
    rate_per_s: Annotated[float, msgspec.Meta(gt=0)] | None = 20
    burst: Annotated[int, msgspec.Meta(ge=1)] = 40
    reset_format: ResetFormat = "epoch_s"
    limit_status: Literal[429, 400, 200] = 429
    limit_code: int = 1056

    # OAuth
    echo_state: bool = False
    skip_consent: bool = False
    denial: Literal["redirect", "page"] = "redirect"
    refresh_token_rotation: Rotation = "grace"
    rotation_grace_s: Seconds = 600
    new_consent_revokes: bool = True
    code_ttl_s: Seconds = 300
    access_token_ttl_s: Seconds = MONTH_S

    # Orders
    settle_delay_s: Seconds = 2
    settle_outcome: Literal["SUCCEEDED", "FAILED"] = "SUCCEEDED"
    touch_orders_per_list: Count = 0

    # Products
    omitted_warehouses: Literal["keep", "reset"] = "keep"
    listing_review: bool = False
    review_delay_s: Seconds = 2
    review_verdict: Literal["APPROVED", "BLOCKED"] = "APPROVED"

    # Jobs and their files
    job_delay_s: Seconds = 2
    job_exception_after: Count | None = None
    refused_product_ids: list[str] = []
    bulk_max_products: Annotated[int, msgspec.Meta(ge=1)] | None = None
    file_ttl_s: Seconds = MONTH_S
    order_file_format: OrderFileFormat = "json_lines"
    file_max_lines: Annotated[int, msgspec.Meta(ge=1)] = 50_000

    # Webhooks
    webhook_delay_s: Seconds = 1
    webhook_retry_s: Seconds = 3600
    webhook_timeout_s: Seconds = 5
    webhook_loss: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0
    webhook_refuse_localhost: bool = False
    webhook_hosts: list[str] = []

    def change(self, changes: dict[str, Any]) -> None:
        """Sets all of them or none; ValueError names the first that is unknown or out of range."""
        self._take(msgspec.convert({**msgspec.to_builtins(self), **changes}, Switches))

    def restore(self) -> None:
        self._take(Switches())

    def _take(self, changed: "Switches") -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(changed, name))
