"""What orders take of a level until it counts them, as callers see it."""

import pytest
from tests.api.seeds import account_of, store_listings
from tests.factories import a_channel_listing, a_channel_order, an_order_line, order_content
from tests.stored import order_rows

from channel_sync.domain.clock import utcnow
from channel_sync.flows.stock.reservations import SettleReservations

pytestmark = pytest.mark.every_store
MUG = a_channel_listing(sku="MUG")


@pytest.fixture
async def shop(world, admin):
    """The id of an integration that sold two of `MUG` since its level of nine was set."""
    integration_id = (await world.connect(admin))["id"]
    await store_listings(world, integration_id, MUG)
    await admin.put("/stock", json={"items": [{"sku": "MUG", "available": 9}]})
    line = an_order_line(sku="MUG", channel_listing_id=MUG.variation_id, quantity=2)
    order = a_channel_order(released_at=utcnow(), content=order_content(lines=(line,)))
    account = await account_of(world, integration_id)
    async with world.database.begin() as work:
        integration = await work.integrations.get(account.tenant, integration_id)
        page = await work.orders.store_rows(account, order_rows(world.database, account, [order], utcnow()))
        await work.reservations.add(account, integration.created_at, page.created)
    await SettleReservations(world.database, {"wish": world.channel}, lambda: None).run()
    return integration_id


async def level_of(admin):
    return (await admin.get("/stock/MUG")).json()


async def test_a_level_says_what_is_held_back_and_so_does_its_arithmetic(admin, shop):
    level = await level_of(admin)

    assert (level["available"], level["reserved"], level["version"]) == (9, 2, 2)
    reckoning = level["listings"][0]["reckoning"]
    assert (reckoning["reserved"], reckoning["quantity"]) == (2, 7)
    explained = (await admin.get(f"/integrations/{shop}/stock/MUG/explain")).json()
    assert explained["reserved"] == 2
    assert explained["sentence"].startswith("available 9 \N{MINUS SIGN} reserved 2 → 7 to be sent")


@pytest.mark.parametrize(("counted", "reserved"), [(None, 0), ("all", 0), ("acknowledged", 2)])
async def test_the_next_level_counts_all_orders_or_those_acknowledged(admin, shop, counted, reserved):
    more = {} if counted is None else {"counted_orders": counted}

    await admin.put("/stock", json={"items": [{"sku": "MUG", "available": 7}], **more})

    assert (await level_of(admin))["reserved"] == reserved


async def test_an_acknowledged_order_is_counted(admin, shop):
    (order,) = (await admin.get("/orders")).json()["items"]
    await admin.post("/orders/acknowledge", json={"ids": [order["id"]]})
    level = {"items": [{"sku": "MUG", "available": 7}], "counted_orders": "acknowledged"}

    await admin.put("/stock", json=level)

    assert (await level_of(admin))["reserved"] == 0


async def test_other_words_for_what_is_counted_are_refused(admin, shop):
    answer = await admin.put("/stock", json={"items": [], "counted_orders": "none"})

    assert answer.status_code == 422
    assert "/counted_orders" in [error["pointer"] for error in answer.json()["errors"]]
    assert (await level_of(admin))["reserved"] == 2
