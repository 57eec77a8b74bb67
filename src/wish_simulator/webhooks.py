"""Sends webhook messages: signed, tried 25 times, given up after that. Only to this machine or named hosts."""

import asyncio
import base64
import hashlib
import hmac
import random
from urllib.parse import urlsplit

import httpx

from wish_simulator.documents import to_bytes
from wish_simulator.ids import object_id
from wish_simulator.marketplace import Marketplace
from wish_simulator.subscriptions import Delivery, Subscription, is_loopback

LAST_ATTEMPT = 24


class WebhookSender:
    """Messages of one subscription go out in order: a message that fails holds back those behind it."""

    def __init__(self, market: Marketplace, seed: int = 0) -> None:
        self._market = market
        self._random = random.Random(seed)
        self._sending = asyncio.Lock()

    async def send_due(self) -> int:
        """Sends what is due and says how many attempts that took."""
        self._market.catch_up()
        self._market.subscriptions.batch()
        async with self._sending:
            due = [one for one in self._market.subscriptions if self._is_due(one)]
            if not due:
                return 0
            timeout_s = self._market.switches.webhook_timeout_s
            async with httpx.AsyncClient(timeout=timeout_s, trust_env=False) as client:
                attempts = await asyncio.gather(*(self._send_all_due(client, one) for one in due))
        return sum(attempts)

    async def send_test(self, subscription: Subscription) -> bool:
        """The dashboard's test message: a plain text, no merchant, one attempt. Whether it was accepted."""
        body = b"[%b]" % to_bytes({"data": "Test message", "timestamp": self._market.clock.now_ms() // 1000})
        delivery = Delivery(body, "", self._market.clock.now_ms(), is_test=True)
        async with httpx.AsyncClient(timeout=self._market.switches.webhook_timeout_s, trust_env=False) as client:
            return await self._is_accepted(client, subscription, delivery)

    def _is_due(self, subscription: Subscription) -> bool:
        deliveries = subscription.deliveries
        return bool(deliveries) and deliveries[0].due_ms <= self._market.clock.now_ms()

    async def _send_all_due(self, client: httpx.AsyncClient, subscription: Subscription) -> int:
        attempts = 0
        while self._is_due(subscription):
            attempts += 1
            delivery = subscription.deliveries[0]
            is_accepted = await self._is_accepted(client, subscription, delivery)
            self._settle(subscription, delivery, is_accepted)
        return attempts

    def _settle(self, subscription: Subscription, delivery: Delivery, is_accepted: bool) -> None:
        if is_accepted:
            subscription.deliveries.popleft()
        elif delivery.attempt == LAST_ATTEMPT:
            subscription.deactivate()
        else:
            delivery.attempt += 1
            delivery.due_ms = self._market.later(self._market.switches.webhook_retry_s)

    async def _is_accepted(
        self, client: httpx.AsyncClient, subscription: Subscription, delivery: Delivery
    ) -> bool:
        if self._random.random() < self._market.switches.webhook_loss:
            # Wish says delivery is not guaranteed: a lost message is one it believes was taken.
            return True
        host = urlsplit(subscription.endpoint).hostname or ""
        if not is_loopback(host) and host not in self._market.switches.webhook_hosts:
            return False
        headers = _headers(subscription, delivery)
        try:
            async with asyncio.timeout(self._market.switches.webhook_timeout_s):
                answer = await client.post(subscription.endpoint, content=delivery.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return False
        return answer.is_success


def _headers(subscription: Subscription, delivery: Delivery) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Wish-Topic": subscription.topic_name,
        "Wish-Hmac-Sha256": signature(subscription.app.newest_secret, delivery.body),
        "Wish-API-Version": "V3",
        "Wish-Merchant-ID": delivery.merchant_id,
        "Wish-Subscription-ID": subscription.id,
        "Wish-Retry-Attempt": str(delivery.attempt),
        "Wish-Request-Id": object_id(),
    }


def signature(secret: str, body: bytes) -> str:
    """Base64 of the HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
