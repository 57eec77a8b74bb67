"""Subscriptions, and the messages sent to them."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.simulator.contract import wish_contract
from tests.simulator.product_calls import put_stock
from tests.simulator.receiver import Receiver, receiving
from tests.simulator.simulated import Simulated

from wish_simulator.order_changes import rerelease
from wish_simulator.subscriptions import TOPICS, topic_id

ENDPOINT = "http://127.0.0.1:9/hook"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


async def subscribe(wish: Simulated, topic: str = "ORDER_RELEASE", endpoint: str = ENDPOINT) -> str:
    answer = await wish.post("/webhook/subscriptions", topic_id=topic_id(topic), endpoint=endpoint)
    assert answer.status_code == 200, answer.text
    subscription_id: str = answer.json()["data"]["id"]
    return subscription_id


async def deliver(wish: Simulated, after_s: float = 1) -> int:
    """Attempts made once the time to batch, or to retry, has passed."""
    wish.wait(after_s)
    attempts: int = (await wish.control("/webhooks/deliver"))["attempts"]
    return attempts


async def status(wish: Simulated, subscription_id: str) -> str:
    text: str = (await wish.read(f"/webhook/subscriptions/{subscription_id}"))["status"]
    return text


async def test_topics_have_ids_to_subscribe_with(wish: Simulated) -> None:
    topics = await wish.read("/webhook/topics")
    assert {topic["topic_name"] for topic in topics} == set(TOPICS.values())


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"topic_id": topic_id("ORDER_RELEASE")},
        {"endpoint": ENDPOINT},
        {"topic_id": "0" * 24, "endpoint": ENDPOINT},
        {"topic_id": topic_id("ORDER_RELEASE"), "endpoint": "ftp://x"},
        {"topic_id": topic_id("ORDER_RELEASE"), "endpoint": "http://127.0.0.1:99999/"},
        {"topic_id": topic_id("ORDER_RELEASE"), "endpoint": "http://[::1"},
    ],
)
async def test_a_subscription_needs_a_topic_and_an_http_endpoint(wish: Simulated, query: dict[str, str]) -> None:
    assert (await wish.post("/webhook/subscriptions", **query)).json()["code"] == 90001


async def test_localhost_can_be_refused_as_wish_does(wish: Simulated) -> None:
    wish.market.switches.change({"webhook_refuse_localhost": True})
    query = {"topic_id": topic_id("ORDER_RELEASE"), "endpoint": "http://localhost/hook"}
    assert (await wish.post("/webhook/subscriptions", **query)).json()["code"] == 90001


async def test_public_apps_may_not_subscribe(wish: Simulated) -> None:
    wish.app.kind = "public"
    query = {"topic_id": topic_id("ORDER_RELEASE"), "endpoint": ENDPOINT}
    assert (await wish.post("/webhook/subscriptions", **query)).json()["code"] == 90001


async def test_a_deleted_subscription_is_gone(wish: Simulated) -> None:
    subscription_id = await subscribe(wish)
    assert (await wish.delete(f"/webhook/subscriptions/{subscription_id}")).status_code == 204
    assert await wish.read("/webhook/subscriptions") == []


async def test_an_active_subscription_cannot_be_revived(wish: Simulated) -> None:
    path = f"/webhook/subscriptions/{await subscribe(wish)}"
    assert (await wish.put(path, status="ACTIVE")).json()["code"] == 90001


async def test_a_message_keeps_the_contract_and_carries_the_order(wish: Simulated, receiver: Receiver) -> None:
    subscription_id = await subscribe(wish, endpoint=receiver.url)
    (row,) = wish.place()
    await deliver(wish)
    (message,) = receiver.messages
    assert wish_contract().delivery_problems("orderEvents", message.headers, message.body) == []
    assert message.events[0]["data"] == await wish.read(f"/orders/{row.id}")
    assert message.headers["wish-topic"] == "ORDER_RELEASE"
    assert message.headers["wish-merchant-id"] == wish.shop.merchant.id
    assert message.headers["wish-subscription-id"] == subscription_id


async def test_a_message_is_signed_with_the_newest_secret(wish: Simulated, receiver: Receiver) -> None:
    await subscribe(wish, endpoint=receiver.url)
    wish.place()
    secret = wish.app.add_secret()
    await deliver(wish)
    (message,) = receiver.messages
    expected = base64.b64encode(hmac.new(secret.encode(), message.body, hashlib.sha256).digest()).decode()
    assert message.headers["wish-hmac-sha256"] == expected


async def test_events_close_together_are_batched(wish: Simulated, receiver: Receiver) -> None:
    await subscribe(wish, endpoint=receiver.url)
    rows = wish.place(3)
    await deliver(wish)
    (message,) = receiver.messages
    assert [event["data"]["id"] for event in message.events] == [row.id for row in rows]


async def test_events_of_one_order_within_ten_seconds_become_the_latest(
    wish: Simulated, receiver: Receiver
) -> None:
    wish.market.switches.change({"webhook_delay_s": 30})
    await subscribe(wish, endpoint=receiver.url)
    (row,) = wish.place()
    wish.wait(9)
    rerelease(wish.market, wish.shop, row)
    wish.wait(11)
    rerelease(wish.market, wish.shop, row)
    await deliver(wish, after_s=30)
    (message,) = receiver.messages
    assert [len(event["data"]["fulfillment_records"]) for event in message.events] == [2, 3]


async def test_a_failure_is_tried_again_after_an_hour(wish: Simulated, receiver: Receiver) -> None:
    await subscribe(wish, endpoint=receiver.url)
    receiver.status = 500
    wish.place()
    assert [await deliver(wish), await deliver(wish, 3500), await deliver(wish, 100)] == [1, 0, 1]
    receiver.status = 204
    assert [await deliver(wish, 3600), await deliver(wish, 3600)] == [1, 0]
    assert [message.headers["wish-retry-attempt"] for message in receiver.messages] == ["0", "1", "2"]


async def test_a_redirect_is_a_failure(wish: Simulated, receiver: Receiver) -> None:
    await subscribe(wish, endpoint=receiver.url)
    receiver.status = 302
    wish.place()
    assert [await deliver(wish), await deliver(wish, 3600)] == [1, 1]


async def test_slowness_is_a_failure(wish: Simulated, receiver: Receiver) -> None:
    wish.market.switches.change({"webhook_timeout_s": 0.05})
    await subscribe(wish, endpoint=receiver.url)
    receiver.delay_s = 0.3
    wish.place()
    assert [await deliver(wish), await deliver(wish, 3600)] == [1, 1]


async def test_after_25_failures_the_subscription_sleeps_until_revived(
    wish: Simulated, receiver: Receiver
) -> None:
    subscription_id = await subscribe(wish, endpoint=receiver.url)
    receiver.status = 500
    wish.place()
    for _ in range(24):
        await deliver(wish, 3600)
    assert await status(wish, subscription_id) == "ACTIVE"
    await deliver(wish, 3600)
    assert await status(wish, subscription_id) == "INACTIVE"
    assert receiver.messages[-1].headers["wish-retry-attempt"] == "24"
    wish.place()
    assert await deliver(wish, 3600) == 0
    await wish.put(f"/webhook/subscriptions/{subscription_id}", status="ACTIVE", endpoint=receiver.url)
    wish.place()
    assert await deliver(wish) == 1


async def test_a_failing_message_holds_back_the_next(wish: Simulated, receiver: Receiver) -> None:
    await subscribe(wish, endpoint=receiver.url)
    receiver.status = 500
    (first,) = wish.place()
    await deliver(wish)
    (second,) = wish.place()
    assert await deliver(wish) == 0
    receiver.status = 200
    await deliver(wish, 3600)
    assert [message.events[0]["data"]["id"] for message in receiver.messages[1:]] == [first.id, second.id]


async def test_messages_can_get_lost(wish: Simulated, receiver: Receiver) -> None:
    wish.market.switches.change({"webhook_loss": 1})
    subscription_id = await subscribe(wish, endpoint=receiver.url)
    wish.place()
    await deliver(wish)
    assert receiver.messages == []
    assert await status(wish, subscription_id) == "ACTIVE"


async def test_nothing_is_sent_to_other_machines(wish: Simulated) -> None:
    await subscribe(wish, endpoint="https://app.example/hook")
    wish.place()
    assert [await deliver(wish), await deliver(wish, 3600)] == [1, 1]


async def test_the_test_message_is_a_plain_text_without_a_merchant(wish: Simulated, receiver: Receiver) -> None:
    subscription_id = await subscribe(wish, endpoint=receiver.url)
    answer = await wish.control("/webhooks/test", {"subscription_id": subscription_id})
    (message,) = receiver.messages
    assert answer == {"is_accepted": True}
    assert message.headers["wish-merchant-id"] == ""
    assert isinstance(message.events[0]["data"], str)
    assert wish_contract().delivery_problems("otherEvents", message.headers, message.body) == []


TRACKING = {"shipping_provider": "USPS", "tracking_number": "A1", "origin_country": "US"}
ADDRESS = {"street_address1": "2 Road", "city": "Rome", "state": "RM", "zipcode": "1", "country_code": "IT"}


@pytest.mark.parametrize(
    ("topic", "what", "body"),
    [
        ("ORDER_TRACKING_UPDATE", "tracking", TRACKING),
        ("ORDER_REFUND", "refund", {"refund_reason": "UNABLE_TO_SHIP"}),
        ("ORDER_ADDRESS_CHANGE", "address", ADDRESS),
        ("ORDER_ALL", "tracking", TRACKING),
    ],
)
async def test_a_settled_change_tells_its_topic(
    wish: Simulated, receiver: Receiver, topic: str, what: str, body: Any
) -> None:
    (row,) = wish.place()
    await subscribe(wish, topic, receiver.url)
    await wish.put(f"/orders/{row.id}/{what}", body)
    assert await deliver(wish) == 0
    wish.wait(1)
    wish.market.catch_up()
    await deliver(wish)
    assert [message.headers["wish-topic"] for message in receiver.messages] == [topic]


async def test_stock_set_by_the_merchant_tells_its_topic(wish: Simulated, receiver: Receiver) -> None:
    await subscribe(wish, "PRODUCT_INVENTORY_CHANGE_MERCHANT", receiver.url)
    await put_stock(wish, 1, 1)
    await deliver(wish)
    assert receiver.messages[0].events[0]["data"]["parent_sku"] == "MUG"


async def test_a_purchase_that_empties_the_shelf_tells_two_topics(wish: Simulated, receiver: Receiver) -> None:
    await put_stock(wish, 1, 0)
    for topic in ("PRODUCT_INVENTORY_CHANGE_WISH_USER", "PRODUCT_SOLDOUT"):
        await subscribe(wish, topic, receiver.url)
    wish.place(sku="MUG-RED")
    await deliver(wish)
    topics = {message.headers["wish-topic"] for message in receiver.messages}
    assert topics == {"PRODUCT_INVENTORY_CHANGE_WISH_USER", "PRODUCT_SOLDOUT"}


async def test_on_a_socket_messages_go_out_by_themselves(wish: Simulated, url: str, receiver: Receiver) -> None:
    wish.market.switches.change({"webhook_delay_s": 0})
    await subscribe(wish, endpoint=receiver.url)
    wish.place()
    await receiver.first_message()
    assert len(receiver.messages) == 1
