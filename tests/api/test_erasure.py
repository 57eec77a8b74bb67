import pytest
from tests.api.seeds import hold_order, store_orders
from tests.factories import a_channel_order, an_address

pytestmark = pytest.mark.every_store

ADA = an_address(name="Ada Example", phone="1")


@pytest.fixture
async def integration_id(world, admin) -> str:
    """An active integration."""
    return str((await world.connect(admin))["id"])


async def erased(admin, **given):
    answer = await admin.post("/orders/erase", json=given)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["erased"], body["held_erased"], body["resume_cursor"]


async def test_orders_and_held_ones_are_erased_whichever_way_they_are_named(world, admin, integration_id):
    orders = [a_channel_order(channel_order_id=name, address=ADA) for name in ("o-1", "o-2")]
    first, second = await store_orders(world, integration_id, *orders)
    third = (await store_orders(world, integration_id, a_channel_order(address=an_address(name="Bob"))))[0]
    held_id = await hold_order(world, integration_id, "o-3")
    await hold_order(world, integration_id, "o-4")

    assert await erased(admin, ids=[first, held_id]) == (1, 1, None)
    assert await erased(admin, channel_order_ids=["o-1", "o-4"]) == (0, 1, None)
    assert await erased(admin, buyer={"name": "ada example"}) == (1, 0, None)
    assert await erased(admin, tenant="acme") == (1, 0, None)

    shown = [(await admin.get(f"/orders/{one}")).json() for one in (first, second, third)]
    assert [(one["erased"], one["shipping_address"]) for one in shown] == [(True, None)] * 3
    held = (await admin.get("/orders/held")).json()["items"]
    assert [one["erased"] for one in held] == [True, True]


async def test_a_held_order_that_was_erased_is_replayed_from_the_marketplace_or_not_at_all(
    world, admin, integration_id
):
    held_id = await hold_order(world, integration_id, "o-1")
    await erased(admin, ids=[held_id])

    answer = await admin.post(f"/orders/held/{held_id}/replay")

    assert (answer.status_code, answer.json()["code"]) == (409, "held_order_erased")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"ids": []},
        {"ids": ["ord_1"], "buyer": {"name": "Ada"}},
        {"ids": ["ord_1"], "tenant": "acme"},
        {"ids": ["ord_1"], "cursor": "x"},
        {"buyer": {}},
        {"buyer": {"postcode": "BS1 1AA"}},
        {"buyer": {"name": " - "}},
        {"tenant": "somebody-else"},
    ],
)
async def test_what_does_not_say_whose_data_is_refused(admin, given):
    assert (await admin.post("/orders/erase", json=given)).status_code == 422


async def test_a_cursor_of_another_search_is_refused(admin):
    answer = await admin.post("/orders/erase", json={"buyer": {"name": "Ada"}, "cursor": "WyJ4Il0"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


async def test_only_an_admin_erases_and_keeps(world):
    async with world.caller("orders:write", "pii:read") as caller:
        answers = [
            await caller.post("/orders/erase", json={"ids": ["ord_1"]}),
            await caller.get("/settings/retention"),
            await caller.put("/settings/retention", json={"order_retention_d": 1}),
        ]

    assert [answer.status_code for answer in answers] == [403] * 3


async def test_a_tenant_says_how_long_its_buyers_are_kept(world, admin):
    never = (await admin.get("/settings/retention")).json()
    said = (await admin.put("/settings/retention", json={"order_retention_d": 90})).json()
    async with world.caller(tenant="rival") as rival:
        theirs = (await rival.get("/settings/retention")).json()
    back = (await admin.put("/settings/retention", json={"order_retention_d": None})).json()

    none_yet = {"erased_until": None, "orders_erased": 0, "held_orders_erased": 0}
    assert never == theirs == back == {"order_retention_d": None, "own": False, **none_yet}
    assert said == {"order_retention_d": 90, "own": True, **none_yet}


async def test_without_a_wish_the_settings_time_counts(world):
    world.set(order_retention_d=30)
    async with world.caller() as caller:
        shown = (await caller.get("/settings/retention")).json()

    assert (shown["order_retention_d"], shown["own"]) == (30, False)


@pytest.mark.parametrize("days", [0, -1, 3651, 1.5, "30", True])
async def test_a_time_that_is_none_is_refused(admin, days):
    assert (await admin.put("/settings/retention", json={"order_retention_d": days})).status_code == 422
