import asyncio

import httpx
import pytest
from tests.api.world import NEW_INTEGRATION, World

from channel_sync.domain.quotas import Quotas

pytestmark = pytest.mark.every_store

RUNS = {"kind": "orders"}


@pytest.fixture
def world(database) -> World:
    """A deployment where a tenant may have little."""
    world = World(database)
    world.set(quotas=Quotas(drafts=3, api_keys=4, runs=2))
    return world


def new_key(name: str) -> dict[str, object]:
    return {"name": name, "scopes": ["orders:read"]}


def check_refused(answer: httpx.Response, quota: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["quota"]) == (429, "quota_exceeded", quota)
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_tenant_has_so_many_drafts_and_no_more(world, admin):
    drafts = [await admin.post("/integrations", json=NEW_INTEGRATION) for _ in range(3)]
    assert {draft.status_code for draft in drafts} == {201}
    check_refused(await admin.post("/integrations", json=NEW_INTEGRATION), "drafts")
    async with world.caller(tenant="another") as other:
        assert (await other.post("/integrations", json=NEW_INTEGRATION)).status_code == 201
    await admin.delete(f"/integrations/{drafts[0].json()['id']}")
    assert (await admin.post("/integrations", json=NEW_INTEGRATION)).status_code == 201


async def test_what_is_connected_is_no_draft(world, admin):
    for number in range(4):
        assert (await world.connect(admin, f"m{number}"))["status"] == "active"


async def test_many_at_once_make_no_more_drafts(world):
    async with world.caller() as one, world.caller() as two:
        asked = [client.post("/integrations", json=NEW_INTEGRATION) for client in (one, two) * 5]
        answers = await asyncio.gather(*asked)
        stored = (await one.get("/integrations?status=draft")).json()["items"]
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [429] * 7
    assert len(stored) == 3


async def test_a_tenant_has_so_many_keys_that_work_and_no_more(world, admin):
    """The caller's own is one of them."""
    keys = [await admin.post("/api-keys", json=new_key(f"k{number}")) for number in range(4)]
    assert [key.status_code for key in keys[:3]] == [201] * 3
    check_refused(keys[3], "api_keys")
    await admin.delete(f"/api-keys/{keys[0].json()['id']}")
    assert (await admin.post("/api-keys", json=new_key("again"))).status_code == 201


async def test_a_refusal_is_not_kept_for_its_idempotency_key(world, admin):
    headers = {"Idempotency-Key": "mine"}
    keys = [await admin.post("/api-keys", json=new_key(f"k{number}")) for number in range(3)]
    assert (await admin.post("/api-keys", json=new_key("x"), headers=headers)).status_code == 429
    await admin.delete(f"/api-keys/{keys[0].json()['id']}")
    assert (await admin.post("/api-keys", json=new_key("x"), headers=headers)).status_code == 201


async def test_a_tenant_may_ask_for_so_many_runs_and_no_more(world, admin):
    shops = [await world.connect(admin, f"m{number}") for number in range(3)]
    paths = [f"/integrations/{shop['id']}/runs" for shop in shops]
    first, second, third = [await admin.post(path, json=RUNS) for path in paths]
    assert {first.status_code, second.status_code} <= {200, 202}
    check_refused(third, "runs")
    again = await admin.post(paths[0], json=RUNS)
    assert (again.status_code, again.json()["deduplicated"]) == (200, True)
    await admin.post(f"/runs/{first.json()['id']}/cancel")
    assert (await admin.post(paths[2], json=RUNS)).status_code in (200, 202)


async def test_ten_keys_are_not_ten_budgets(world):
    world.set(rate_limit_per_s=5, tenant_rate_limit_per_s=10)
    async with world.caller(tenant="another") as other:
        answers = []
        for _ in range(4):
            async with world.caller() as caller:
                answers += [await caller.get("/runs") for _ in range(9)]
        assert (await other.get("/runs")).status_code == 200
    statuses = [answer.status_code for answer in answers]
    assert statuses[:9] == [200] * 9
    assert 429 in statuses[20:]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "rate_limited"
    assert refused.headers["ratelimit-policy"] == '"key";q=10;w=2, "tenant";q=20;w=2'
    assert '"tenant";r=0;t=' in refused.headers["ratelimit"]
    assert answers[0].headers["ratelimit"].startswith('"key";r=9;t=0, "tenant";r=19;t=0')
