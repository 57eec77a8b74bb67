"""Orders that have to be shipped soon."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

# Where a tenant says nothing else.
USUAL_NOTICE_H: Final = 24
LONGEST_NOTICE_H: Final = 14 * 24


@dataclass(frozen=True, slots=True)
class NearShipBy:
    """An order that is to be shipped, whose time to ship it by is near and was not told of."""

    order_id: str
    tenant: str
    integration_id: str
    channel_order_id: str
    ship_by: datetime
    fulfilled_by: str
