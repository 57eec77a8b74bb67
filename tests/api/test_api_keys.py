import pytest
from tests.stores import ON_SQLITE

from channel_sync.domain.keys import PRESETS

pytestmark = pytest.mark.every_store


async def test_a_new_key_is_shown_once_and_works(world, admin):
    made = (await admin.post("/api-keys", json={"name": "Warehouse", "scopes": ["stock:read"]})).json()
    assert made["key"].startswith("csk_")
    assert made["last4"] == made["key"][-4:]
    async with world.browser() as client:
        answer = await client.get("/stock", headers={"Authorization": f"Bearer {made['key']}"})
    assert answer.status_code == 200
    listed = await admin.get("/api-keys")
    assert made["key"] not in listed.text
    assert "Warehouse" in listed.text


@ON_SQLITE
async def test_the_store_has_only_its_hash(admin, tmp_path):
    made = (await admin.post("/api-keys", json={"name": "k", "scopes": ["admin"]})).json()["key"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if made.encode() in path.read_bytes()]


async def test_a_preset_stands_for_its_scopes(admin):
    made = (await admin.post("/api-keys", json={"name": "k", "preset": "support"})).json()
    assert made["scopes"] == list(PRESETS["support"])
    assert "pii:read" not in made["scopes"]


async def test_support_may_verify_and_neither_see_nor_change_a_secret(world, admin):
    integration = await world.connect(admin)
    href = f"/integrations/{integration['id']}"
    async with world.caller(*PRESETS["support"]) as support:
        verified = await support.post(f"{href}/verify")
        refused = [
            await support.post(f"{href}/reauthorise"),
            await support.put(f"{href}/credentials", json={}),
            await support.patch(href, json={"client_secret": "another-secret"}),
            await support.patch(href, json={"client_id": "client-2"}),
            await support.delete(href),
            await support.post("/api-keys", json={"name": "k", "scopes": ["admin"]}),
        ]
        shown = await support.get(href)
    assert (verified.status_code, verified.json()["ok"]) == (200, True)
    assert {answer.status_code for answer in refused} == {403}
    assert "a-secret-of-the-app" not in verified.text + shown.text


@pytest.mark.parametrize(
    "body",
    [
        {"name": "k"},
        {"name": "k", "scopes": []},
        {"name": "k", "scopes": ["odd"]},
        {"name": "k", "scopes": ["admin"], "preset": "support"},
        {"name": "k", "preset": "odd"},
        {"name": "", "scopes": ["admin"]},
        {"scopes": ["admin"]},
    ],
)
async def test_an_unusable_key_is_422(admin, body):
    assert (await admin.post("/api-keys", json=body)).status_code == 422


async def test_a_refused_member_is_explained_in_our_words_alone(admin):
    refused = (await admin.post("/api-keys", json={"name": "k"})).json()
    assert refused["errors"][0]["message"] == "Give `scopes` or `preset`, not both."


async def test_a_revoked_key_stays_listed_and_can_be_revoked_again(admin):
    made = (await admin.post("/api-keys", json={"name": "k", "scopes": ["admin"]})).json()
    for _ in range(2):
        assert (await admin.delete(f"/api-keys/{made['id']}")).status_code == 204
    listed = {key["id"]: key["revoked_at"] for key in (await admin.get("/api-keys")).json()["items"]}
    assert listed[made["id"]] is not None
