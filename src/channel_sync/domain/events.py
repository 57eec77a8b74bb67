"""Events: facts other services may want to know, without personal data."""

from dataclasses import field
from datetime import datetime
from typing import Literal, get_args

from channel_sync.domain.fast_dataclass import fast_dataclass

EventType = Literal[
    "integration.created",
    "integration.connected",
    "integration.enabled",
    "integration.disabled",
    "integration.expiring",
    "integration.needs_reauth",
    "integration.reauthorised",
    "integration.authorisation_failed",
    "integration.paused",
    "integration.recovered",
    "integration.removed",
    "integration.restored",
    "run.finished",
    "order.created",
    "order.updated",
    "order.held",
    "order.released",
    "order.refunded",
    "order.upstream_regression",
    "stock.brake_released",
    "stock.braked",
    "order.ship_by_near",
    "order.dispatched",
    "order.dispatch_failed",
    "order.refund_failed",
    "stock.rejected",
    "stock.drift_detected",
    "stock.skipped",
    "incident.opened",
    "incident.closed",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)


Members = dict[str, str | int | bool | None]


@fast_dataclass
class Event:
    """One fact. `members` carries ids and states only and becomes the event's `data`."""

    id: str
    tenant: str
    type: EventType
    integration_id: str | None
    created_at: datetime
    members: Members = field(default_factory=dict)
