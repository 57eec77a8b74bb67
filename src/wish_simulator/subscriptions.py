"""Webhook subscriptions and the events waiting to be delivered to them."""

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from wish_simulator.accounts import App
from wish_simulator.clock import Clock
from wish_simulator.documents import Document
from wish_simulator.ids import object_id
from wish_simulator.refusals import UnknownId, invalid
from wish_simulator.switches import Switches

TOPIC_NAMES = (
    "ORDER_ALL",
    "ORDER_RELEASE",
    "ORDER_FULFILLMENT_DEADLINE",
    "ORDER_ADDRESS_CHANGE",
    "ORDER_PENALTY",
    "ORDER_TRACKING_UPDATE",
    "ORDER_REFUND",
    "ORDER_TAX",
    "POLICY_PENALTY_ISSUE",
    "POLICY_PENALTY_REVERSE",
    "POLICY_PENALTY_CANCEL",
    "TICKET_AWAITING_MERCHANT",
    "PRODUCT_UPDATE_MERCHANT",
    "PRODUCT_IMAGE_JOB_STATUS_UPDATE",
    "PRODUCT_TAGGING_UPDATE",
    "PRODUCT_INVENTORY_CHANGE_WISH_USER",
    "PRODUCT_INVENTORY_CHANGE_MERCHANT",
    "PRODUCT_SOLDOUT",
)
COALESCING_MS = 10_000
LARGEST_BATCH = 50


def topic_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]


TOPICS = {topic_id(name): name for name in TOPIC_NAMES}


@dataclass
class Event:
    resource_id: str
    content: bytes
    at_ms: int
    merchant_id: str


@dataclass
class Delivery:
    """One message: a batch of events of one merchant, tried up to 25 times."""

    body: bytes
    merchant_id: str
    due_ms: int
    attempt: int = 0
    is_test: bool = False


@dataclass
class Subscription:
    """Of one app for one merchant, or, for a public app, for every merchant that linked it."""

    app: App
    merchant_id: str | None
    topic_id: str
    endpoint: str
    status: Literal["ACTIVE", "INACTIVE"] = "ACTIVE"
    id: str = field(default_factory=object_id)
    events: list[Event] = field(default_factory=list)
    deliveries: deque[Delivery] = field(default_factory=deque)

    @property
    def topic_name(self) -> str:
        return TOPICS[self.topic_id]

    def document(self) -> Document:
        return {"id": self.id, "topic_id": self.topic_id, "endpoint": self.endpoint, "status": self.status}

    def add(self, event: Event) -> None:
        """Queues it; an event of the same resource less than ten seconds older gives way to it."""
        self.events = [
            queued
            for queued in self.events
            if queued.resource_id != event.resource_id or event.at_ms - queued.at_ms >= COALESCING_MS
        ]
        self.events.append(event)

    def batch_until(self, now_ms: int, delay_ms: int) -> None:
        """Turns events that waited long enough, and those behind them, into messages."""
        while self.events and self.events[0].at_ms + delay_ms <= now_ms:
            merchant_id = self.events[0].merchant_id
            batch = [event for event in self.events if event.merchant_id == merchant_id][:LARGEST_BATCH]
            self.events = [event for event in self.events if event not in batch]
            body = b"[%b]" % b",".join(_message(event.content, event.at_ms) for event in batch)
            self.deliveries.append(Delivery(body, merchant_id, now_ms))

    def deactivate(self) -> None:
        self.status = "INACTIVE"
        self.events.clear()
        self.deliveries.clear()


def _message(content: bytes, at_ms: int) -> bytes:
    return b'{"data":%b,"timestamp":%d}' % (content, at_ms // 1000)


class Subscriptions:
    def __init__(self, switches: Switches, clock: Clock) -> None:
        self._switches = switches
        self._clock = clock
        self._by_id: dict[str, Subscription] = {}

    def __iter__(self) -> Iterator[Subscription]:
        return iter(list(self._by_id.values()))

    def create(self, app: App, merchant_id: str | None, topic: str, endpoint: str) -> Subscription:
        if topic not in TOPICS:
            raise invalid("topic_id is unknown")
        self.refuse_endpoint(endpoint)
        subscription = Subscription(app, merchant_id, topic, endpoint)
        self._by_id[subscription.id] = subscription
        return subscription

    def of(self, app: App, merchant_id: str) -> list[Subscription]:
        return [one for one in self if one.app is app and one.merchant_id in (None, merchant_id)]

    def find(self, app: App, merchant_id: str, subscription_id: str) -> Subscription:
        subscription = self._by_id.get(subscription_id)
        if subscription is None or subscription not in self.of(app, merchant_id):
            raise UnknownId("subscription")
        return subscription

    def with_id(self, subscription_id: str) -> Subscription | None:
        return self._by_id.get(subscription_id)

    def delete(self, subscription: Subscription) -> None:
        del self._by_id[subscription.id]

    def refuse_endpoint(self, endpoint: str) -> None:
        try:
            parts = urlsplit(endpoint)
            host = parts.hostname if parts.port != 0 else None
        except ValueError as error:
            raise invalid("endpoint is not a URL") from error
        if parts.scheme not in ("http", "https") or not host:
            raise invalid("endpoint must start with http:// or https://")
        if self._switches.webhook_refuse_localhost and is_loopback(host):
            raise invalid("endpoint must be public")

    def emit(self, topic_name: str, event: Event) -> None:
        """Tells every active subscription of this topic and merchant."""
        for subscription in self:
            is_meant = subscription.merchant_id in (None, event.merchant_id)
            names = ("ORDER_ALL", topic_name) if topic_name.startswith("ORDER_") else (topic_name,)
            if is_meant and subscription.status == "ACTIVE" and subscription.topic_name in names:
                subscription.add(event)

    def batch(self) -> None:
        now_ms = self._clock.now_ms()
        for subscription in self:
            subscription.batch_until(now_ms, int(self._switches.webhook_delay_s * 1000))


def is_loopback(host: str) -> bool:
    return host == "localhost" or host == "::1" or host.startswith("127.")
