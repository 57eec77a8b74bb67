"""Where an order is, asked of a service with rows in it and a marketplace beside it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from msgspec import structs
from tests.api.seeds import account_of, hold_order, store_orders
from tests.factories import a_channel_order, an_unreadable_order

from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelRefused, NoAnswer
from channel_sync.domain.runs import RunKind
from channel_sync.flows.orders.explain import ExplainOrder

pytestmark = pytest.mark.every_store


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration that looks for orders again in an hour."""
    found = str((await world.connect(admin))["id"])
    async with world.database.begin() as work:
        await work.schedules.set_next(found, RunKind.ORDERS, utcnow() + timedelta(hours=1))
    return found


async def explain(caller: httpx.AsyncClient, integration_id: str, order: str) -> Any:
    answer = await caller.get(f"/integrations/{integration_id}/orders/{order}/explain")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_stored_order_names_its_id_and_who_took_it_over(world, admin, integration_id):
    order = a_channel_order(channel_order_id="o1")
    world.channel.merchants["m1"].place(order)
    (order_id,) = await store_orders(world, integration_id, order)
    await admin.post("/orders/acknowledge", json={"ids": [order_id]})
    await store_orders(world, integration_id, structs.replace(order, updated_at=order.updated_at + timedelta(1)))

    found = await explain(admin, integration_id, "o1")

    assert found["verdict"] == "stored"
    assert found["sentence"].startswith(f"Stored as {order_id} at ")
    assert "delivered to test at " in found["sentence"]
    assert found["sentence"].endswith(" as version 1.")
    by_finding = {one["finding"]: one for one in found["evidence"]}
    assert by_finding["stored"]["id"] == order_id
    assert by_finding["acknowledged"]["id"].startswith("key_")
    assert by_finding["at_channel"]["at"] is not None


async def test_an_erased_order_is_told_as_such(world, admin, integration_id):
    (order_id,) = await store_orders(world, integration_id, a_channel_order(channel_order_id="o1"))
    await admin.post("/orders/erase", json={"ids": [order_id]})

    found = await explain(admin, integration_id, "o1")

    assert (found["verdict"], found["next_action"]) == ("erased", None)
    assert [one["id"] for one in found["evidence"] if one["finding"] == "erased"] == [order_id]


async def test_a_held_order_leads_to_its_replay(world, admin, integration_id):
    held_id = await hold_order(world, integration_id, "o1")
    world.channel.merchants["m1"].place(an_unreadable_order(channel_order_id="o1"))

    found = await explain(admin, integration_id, "o1")

    assert found["verdict"] == "held"
    assert found["next_action"] == {"method": "POST", "href": f"/orders/held/{held_id}/replay"}
    assert (await admin.post(found["next_action"]["href"])).status_code == 200


async def test_what_is_not_fetched_yet_comes_with_the_next_look(world, admin, integration_id):
    world.channel.merchants["m1"].place(a_channel_order(channel_order_id="o1", updated_at=utcnow()))

    found = await explain(admin, integration_id, "o1")

    assert found["verdict"] == "not_fetched"
    assert "next look at " in found["sentence"]


async def test_what_is_older_than_the_first_day_comes_with_the_backfill_that_is_named(
    world, admin, integration_id
):
    old = utcnow() - timedelta(days=90)
    world.channel.merchants["m1"].place(a_channel_order(channel_order_id="o1", updated_at=old))

    found = await explain(admin, integration_id, "o1")

    assert found["verdict"] == "before_orders_from"
    assert found["next_action"]["members"] == ["kind", "from"]
    backfill = {"kind": "orders", "from": found["backfill_from"]}
    assert (await admin.post(found["next_action"]["href"], json=backfill)).status_code == 202


async def test_what_the_looks_passed_over_is_told_as_missed(world, admin, integration_id):
    account, now = await account_of(world, integration_id), utcnow()
    async with world.database.begin() as work:
        await work.accounts.move_cursor(account.id, now)
    world.channel.merchants["m1"].place(
        a_channel_order(channel_order_id="late", updated_at=now - timedelta(minutes=9)),
        a_channel_order(channel_order_id="lost", updated_at=now - timedelta(minutes=11)),
    )

    verdicts = [(await explain(admin, integration_id, order))["verdict"] for order in ("late", "lost")]

    assert verdicts == ["not_fetched", "missed"]


async def test_an_id_that_the_marketplace_does_not_know_is_told_as_such(admin, integration_id):
    found = await explain(admin, integration_id, "no-such-order")

    assert found["verdict"] == "not_at_channel"
    assert "no-such-order" not in str(found)


@pytest.mark.parametrize("failure", [NoAnswer("timeout", "…"), ChannelRefused("1001", "Some words of theirs.")])
async def test_a_marketplace_that_gives_no_answer_is_part_of_the_answer(world, admin, integration_id, failure):
    world.channel.fail("order", failure)

    found = await explain(admin, integration_id, "o1")

    assert found["verdict"] == "unknown"
    assert f"could not be asked: {failure.code}" in found["evidence"][-1]["text"]


async def test_a_switched_off_integration_is_not_asked_for(world, admin, integration_id):
    await admin.put(f"/integrations/{integration_id}/status", json={"enabled": False})
    asked = world.channel.calls["order"]

    found = await explain(admin, integration_id, "o1")

    assert world.channel.calls["order"] == asked
    assert (found["verdict"], found["evidence"][-1]["finding"]) == ("unknown", "channel_not_asked")
    assert "the integration is disabled" in found["sentence"]


async def test_a_marketplace_that_hangs_is_waited_for_only_so_long(world, admin, integration_id):
    services = world.services()
    world.channel.delays["order"] = 30
    hasty = ExplainOrder(world.database, services.explain_order._shops, timedelta(), ask_within_s=0.05)

    found = await hasty.run("acme", integration_id, "o1")

    assert "it did not answer in time" in found.evidence[-1].text


async def test_another_tenants_integration_is_missing_and_its_order_unknown(world, admin, integration_id):
    await store_orders(world, integration_id, a_channel_order(channel_order_id="o1"))
    async with world.caller(tenant="rival") as rival:
        theirs = str((await world.connect(rival, "m2"))["id"])
        hidden = await rival.get(f"/integrations/{integration_id}/orders/o1/explain")
        assert hidden.status_code == 404
        assert (await explain(rival, theirs, "o1"))["verdict"] == "not_at_channel"
