import asyncio

import pytest
from tests.api.contract import DOCUMENT
from tests.api.world import NEW_INTEGRATION
from tests.stores import ON_SQLITE

pytestmark = pytest.mark.every_store

KEY = {"Idempotency-Key": "one"}
LIMITED_KEY = {"name": "k", "scopes": ["stock:read"]}


async def test_the_same_key_and_body_give_the_same_answer_once(admin):
    first = await admin.post("/integrations", json=NEW_INTEGRATION, headers=KEY)
    again = await admin.post("/integrations", json=NEW_INTEGRATION, headers=KEY)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["etag"] == first.headers["etag"]
    assert len((await admin.get("/integrations?status=draft")).json()["items"]) == 1


async def test_without_a_key_each_call_counts(admin):
    for _ in range(2):
        await admin.post("/integrations", json=NEW_INTEGRATION)
    assert len((await admin.get("/integrations?status=draft")).json()["items"]) == 2


async def test_the_same_key_with_another_body_or_place_is_422(admin):
    await admin.post("/api-keys", json=LIMITED_KEY, headers=KEY)
    other_body = await admin.post("/api-keys", json=LIMITED_KEY | {"name": "x"}, headers=KEY)
    other_place = await admin.post("/orders/acknowledge", json=LIMITED_KEY, headers=KEY)
    assert [one.status_code for one in (other_body, other_place)] == [422, 422]
    assert other_body.json()["code"] == "idempotency_key_reused"


async def test_errors_are_kept_too(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    await admin.put(f"{href}/status", json={"enabled": False})
    refused = await admin.post(f"{href}/runs", json={"kind": "orders"}, headers=KEY)
    await admin.put(f"{href}/status", json={"enabled": True})
    again = await admin.post(f"{href}/runs", json={"kind": "orders"}, headers=KEY)
    assert (refused.status_code, refused.json()["code"]) == (409, "integration_disabled")
    assert (again.status_code, again.content) == (409, refused.content)


async def test_one_of_many_at_once_does_the_work(admin):
    calls = [admin.post("/api-keys", json=LIMITED_KEY, headers=KEY) for _ in range(20)]
    answers = await asyncio.gather(*calls)
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(made) == 1
    assert {answer.json()["code"] for answer in waiting} <= {"idempotency_in_progress"}
    assert all(answer.headers["retry-after"] == "1" for answer in waiting)
    assert len(made) + len(waiting) > 0
    assert sum(key["name"] == "k" for key in (await admin.get("/api-keys")).json()["items"]) == 1


async def test_a_kept_answer_is_not_shown_to_a_key_without_the_scope(admin, world):
    await admin.post("/api-keys", json=LIMITED_KEY, headers=KEY)
    async with world.caller("orders:read") as caller:
        answer = await caller.post("/api-keys", json=LIMITED_KEY, headers=KEY)
    assert answer.status_code == 403


@ON_SQLITE
async def test_a_kept_answer_holds_no_secret_in_the_clear(admin, tmp_path):
    made = (await admin.post("/api-keys", json=LIMITED_KEY, headers=KEY)).json()["key"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if made.encode() in path.read_bytes()]


@pytest.mark.parametrize("key", ["", " ", "a b", "a" * 256, "ä"])
async def test_an_odd_key_is_422(admin, key):
    answer = await admin.post("/api-keys", json=LIMITED_KEY, headers=[(b"Idempotency-Key", key.encode())])
    assert answer.status_code == 422


async def test_every_post_that_creates_or_starts_takes_a_key():
    takers = {
        path
        for path, methods in DOCUMENT["paths"].items()
        for one in methods.get("post", {}).get("parameters", [])
        if one["name"] == "Idempotency-Key"
    }
    assert takers == {path for path, methods in DOCUMENT["paths"].items() if "post" in methods} - {
        "/wish/authorise",
        "/wish/callback",
        # They change nothing, and what they answer is kept nowhere.
        "/orders/disclose",
        "/claims/preview",
    }
