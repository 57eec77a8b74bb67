import pytest
from msgspec.structs import replace
from tests.api.seeds import store_orders
from tests.factories import a_channel_order, order_content
from tests.fake_channel import SCOPES
from tests.flows.order_changes.change_steps import an_open_order
from tests.second_channel import RULES as RULES_OF_BAZAAR

from channel_sync.domain.orders import OrderState, Tracking
from channel_sync.domain.runs import RunKind

pytestmark = pytest.mark.every_store

PARCEL = {"carrier": "Royal Mail", "tracking_number": "RM001GB", "origin_country": "GB"}


@pytest.fixture
async def shop(world, admin):
    """An integration that may dispatch."""
    world.channel.granted_scopes = (*SCOPES, "orders:write")
    return await world.connect(admin)


@pytest.fixture
async def order_id(world, shop):
    [order_id] = await store_orders(world, shop["id"], an_open_order())
    return order_id


async def refusal(admin, order_id, **changes):
    """Status, code and what helps."""
    answer = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL | changes)
    problem = answer.json()
    return answer.status_code, problem["code"], problem.get("next_action")


async def test_a_dispatch_is_taken_and_shows_on_the_order(world, admin, shop, order_id):
    answer = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL)

    assert (answer.status_code, answer.headers["location"]) == (202, f"/orders/{order_id}")
    dispatch = answer.json()
    assert (dispatch["state"], dispatch["code"]) == ("pending", "queued")
    [parcel] = dispatch["parcels"]
    assert PARCEL.items() <= parcel.items()
    assert (await admin.get(f"/orders/{order_id}")).json()["dispatch"] == dispatch
    assert (await admin.get("/orders")).json()["items"][0]["dispatch"] == dispatch
    async with world.database.read() as work:
        schedule = (await work.schedules.of([shop["id"]]))[shop["id"]][RunKind.ORDER_CHANGES]
    assert schedule.next_at is not None


async def test_a_dispatch_that_waits_for_its_shop_says_so(admin, shop, order_id):
    await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL)
    await admin.put(f"/integrations/{shop['id']}/status", json={"enabled": False})

    dispatch = (await admin.get(f"/orders/{order_id}")).json()["dispatch"]
    assert (dispatch["state"], dispatch["code"]) == ("pending", "integration_disabled")
    assert dispatch["reason"] == "The integration is disabled; it goes on once it is active."
    await admin.put(f"/integrations/{shop['id']}/status", json={"enabled": True})
    assert (await admin.get(f"/orders/{order_id}")).json()["dispatch"]["code"] == "queued"


async def test_an_order_that_nobody_dispatched_says_nothing(admin, order_id):
    assert (await admin.get(f"/orders/{order_id}")).json()["dispatch"] is None


async def test_the_same_parcel_twice_has_the_same_answer(admin, order_id):
    first = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL)
    again = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL | {"tracking_number": " RM001GB "})

    assert again.json() == first.json()


async def test_a_key_has_one_effect(admin, order_id):
    keyed = {"headers": {"Idempotency-Key": "k1"}}
    first = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL, **keyed)
    await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL | {"tracking_number": "OTHER1"})
    again = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL, **keyed)

    assert (again.headers["idempotency-replayed"], again.json()) == ("true", first.json())
    assert len((await admin.get(f"/orders/{order_id}")).json()["dispatch"]["parcels"]) == 2


async def test_what_the_marketplace_shows_already_is_accepted_at_once(world, admin, shop):
    order = an_open_order(2)
    shown = replace(order.content, tracking=(Tracking("ROYAL MAIL", "rm001gb", None),))
    [order_id] = await store_orders(world, shop["id"], replace(order, state=OrderState.SHIPPED, content=shown))

    answer = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL)

    assert (answer.status_code, answer.json()["state"]) == (202, "accepted")


@pytest.mark.parametrize("by", ["wish", "store"])
async def test_an_order_that_others_fulfil_is_refused_with_the_reason(world, admin, shop, by):
    [order_id] = await store_orders(
        world, shop["id"], a_channel_order(content=order_content(fulfilled_by=by, tracking=()))
    )
    answer = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL)

    assert (answer.status_code, answer.json()["code"]) == (409, "fulfilled_elsewhere")
    assert answer.json()["detail"] == f"The order is fulfilled by {by}, not by the merchant."


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (OrderState.IN_REVIEW, "order_not_released"),
        (OrderState.REFUNDED, "order_closed"),
        (OrderState.DECLINED, "order_closed"),
    ],
)
async def test_an_order_that_is_not_to_be_shipped_is_refused(world, admin, shop, state, code):
    [order_id] = await store_orders(world, shop["id"], a_channel_order(state=state, state_raw=state.name))
    assert await refusal(admin, order_id) == (409, code, None)


@pytest.mark.parametrize("number", ["RM 001", "RM-001", "RM_001", "ÄB1"])
async def test_a_tracking_number_that_the_marketplace_does_not_take_is_refused(admin, order_id, number):
    answer = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL | {"tracking_number": number})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_tracking_number")
    assert answer.json()["errors"][0]["pointer"] == "/tracking_number"
    assert number not in answer.text


async def test_another_marketplace_has_tracking_numbers_of_its_own(world, admin, order_id):
    world.channel.rules = RULES_OF_BAZAAR
    assert (await refusal(admin, order_id))[1] == "invalid_tracking_number"
    answer = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL | {"tracking_number": "RM-1"})
    assert answer.status_code == 202


async def test_a_grant_that_lacks_the_scope_is_pointed_to_the_consent(world, admin):
    shop = await world.connect(admin)
    [order_id] = await store_orders(world, shop["id"], an_open_order())

    helps = {"method": "POST", "href": f"/integrations/{shop['id']}/reauthorise"}
    assert await refusal(admin, order_id) == (409, "grant_lacks_scope", helps)


async def test_a_dispatch_of_a_disabled_integration_is_pointed_to_the_switch(admin, shop, order_id):
    await admin.put(f"/integrations/{shop['id']}/status", json={"enabled": False})

    helps = {"method": "PUT", "href": f"/integrations/{shop['id']}/status"}
    assert await refusal(admin, order_id) == (409, "integration_disabled", helps)


async def test_an_order_whose_shop_was_removed_for_good_is_refused(world, admin, shop, order_id):
    async with world.database.begin() as work:
        await work.integrations.delete(shop["id"])

    assert await refusal(admin, order_id) == (409, "integration_removed", None)
    for answer in (
        await admin.post(f"/orders/{order_id}/refund", json={"reason": "UNABLE_TO_SHIP"}),
        await admin.get(f"/orders/{order_id}/refund-reasons"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "integration_removed")


async def test_an_order_is_changed_only_so_often(admin, order_id):
    for number in range(20):
        answer = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL | {"tracking_number": f"N{number}"})
        assert answer.status_code == 202
    assert await refusal(admin, order_id) == (409, "too_many_changes", None)


async def test_an_order_of_others_is_no_order(world, order_id):
    async with world.caller(tenant="umbrella") as other:
        assert await refusal(other, order_id) == (404, "not_found", None)


@pytest.mark.parametrize("country", ["gb", "GBR", "", None])
async def test_a_country_has_two_letters(admin, order_id, country):
    answer = await admin.post(f"/orders/{order_id}/dispatch", json=PARCEL | {"origin_country": country})
    assert answer.status_code == 422


async def test_a_reader_may_not_dispatch(world, order_id):
    async with world.caller("orders:read") as reader:
        answer = await reader.post(f"/orders/{order_id}/dispatch", json=PARCEL)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
