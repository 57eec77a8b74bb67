import json
from dataclasses import asdict

import httpx
import pytest
from tests.api.contract import UNKNOWN_ATTEMPT, WITH_ID, Operation, ids
from tests.api.seeds import seed

pytestmark = pytest.mark.every_store

REQUEST_ID = {"X-Request-Id": "the-same"}


async def snapshot(client: httpx.AsyncClient, seeded: dict[str, str]) -> str:
    """Everything the tenant sees of its own things."""
    places = [
        f"/integrations/{seeded['integration_id']}",
        f"/orders/{seeded['order_id']}",
        f"/runs/{seeded['run_id']}",
        f"/stock/{seeded['sku']}",
        f"/integrations/{seeded['integration_id']}/listings",
        "/orders/held",
        "/api-keys",
    ]
    answers = [(await client.get(place)).json() for place in places]
    for answer in answers:
        answer.pop("freshness", None)
    return json.dumps(answers)


@pytest.mark.parametrize("operation", WITH_ID, ids=ids(WITH_ID))
async def test_a_foreign_id_is_answered_exactly_like_a_missing_one(world, operation: Operation):
    theirs = asdict(await seed(world, "other", "m9"))
    async with world.caller() as caller, world.caller(tenant="other") as owner:
        before = await snapshot(owner, theirs)
        foreign = await operation.call(caller, theirs, headers=REQUEST_ID)
        missing = await operation.call(caller, UNKNOWN_ATTEMPT, headers=REQUEST_ID)
        after = await snapshot(owner, theirs)
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert dict(foreign.headers) == dict(missing.headers)
    assert before == after


@pytest.mark.parametrize(
    "place",
    ["/integrations", "/runs", "/orders", "/orders/held", "/stock", "/events", "/integrations?q=other"],
)
async def test_lists_show_nothing_of_another_tenant(world, place):
    theirs = await seed(world, "other", "m9")
    async with world.caller() as caller:
        answer = await caller.get(place)
    assert answer.json()["items"] == []
    assert not [value for value in asdict(theirs).values() if len(value) > 10 and value in answer.text]


@pytest.mark.parametrize("name", ["integration_id", "channel_order_id", "transaction_id"])
async def test_filtering_by_a_foreign_id_finds_nothing(world, name):
    theirs = await seed(world, "other", "m9")
    value = theirs.integration_id if name == "integration_id" else "o-other"
    async with world.caller() as caller:
        assert (await caller.get("/orders", params={name: value})).json()["items"] == []


async def test_foreign_ids_in_a_body_are_passed_over(world):
    theirs = await seed(world, "other", "m9")
    async with world.caller() as caller, world.caller(tenant="other") as owner:
        acknowledged = await caller.post("/orders/acknowledge", json={"ids": [theirs.order_id]})
        erased = await caller.post("/orders/erase", json={"ids": [theirs.order_id]})
        order = (await owner.get(f"/orders/{theirs.order_id}")).json()
    assert acknowledged.json() == {"acknowledged": [], "changed": []}
    assert erased.json() == {"erased": 0, "held_erased": 0, "resume_cursor": None}
    assert (order["acknowledged_at"], order["erased"]) == (None, False)


async def test_a_cursor_of_another_tenant_is_400(world):
    async with world.caller(tenant="other") as other:
        for number in range(3):
            await world.connect(other, f"m{number}", client_id=f"client-{number}", name=f"Shop {number}")
        cursor = (await other.get("/integrations?limit=1")).json()["next_cursor"]
        assert (await other.get(f"/integrations?limit=1&cursor={cursor}")).status_code == 200
    async with world.caller() as caller:
        answer = await caller.get(f"/integrations?limit=1&cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


async def test_an_event_of_another_tenant_is_no_place_to_start(world):
    theirs = await seed(world, "other", "m9")
    async with world.caller() as caller:
        answer = await caller.get(f"/events?after={theirs.event_id}")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_event")


async def test_the_same_idempotency_key_means_different_things_to_different_tenants(world):
    key = {"Idempotency-Key": "one"}
    ids_made = set()
    for tenant in ("acme", "other"):
        async with world.caller(tenant=tenant) as caller:
            answer = await caller.post("/api-keys", json={"name": "k", "scopes": ["admin"]}, headers=key)
            ids_made.add(answer.json()["id"])
    assert len(ids_made) == 2


async def test_two_tenants_may_use_the_same_names_and_skus(world):
    for number, tenant in enumerate(("acme", "other")):
        async with world.caller(tenant=tenant) as caller:
            integration = await world.connect(caller, f"m{number}", client_id=f"client-{number}")
            stock = await caller.put("/stock", json={"items": [{"sku": "MUG", "available": number}]})
        assert (integration["status"], stock.json()["items"][0]["version"]) == ("active", 1)
