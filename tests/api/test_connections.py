import httpx
import pytest
from tests.api.world import NEW_INTEGRATION, World, query_of

from channel_sync.domain.errors import NoAnswer, ReplyNotUnderstood

APP = {"client_id": "client-1", "client_secret": "a-secret-of-the-app"}


async def draft_of(admin: httpx.AsyncClient) -> str:
    href = (await admin.post("/integrations", json=NEW_INTEGRATION)).headers["location"]
    return str(href)


def pasted(world: World, merchant_id: str) -> dict[str, str]:
    grant = world.channel.issue(merchant_id)
    return APP | {"access_token": grant.access_token.value, "refresh_token": grant.refresh_token.value}


async def test_reauthorising_gives_an_invitation_and_changes_nothing_yet(admin, world):
    integration = await world.connect(admin)
    href = f"/integrations/{integration['id']}"
    invitation = await admin.post(f"{href}/reauthorise", json={})
    assert set(invitation.json()) == {"authorise_url", "expires_at"}
    after = (await admin.get(href)).json()
    assert (after["status"], after["auth"]["access_token"]) == ("active", integration["auth"]["access_token"])


async def test_reauthorising_needs_no_body(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    answer = await admin.post(f"{href}/reauthorise")
    assert (answer.status_code, set(answer.json())) == (200, {"authorise_url", "expires_at"})


async def test_reauthorising_keeps_the_id_and_a_disabled_integration_disabled(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    await admin.put(f"{href}/status", json={"enabled": False})
    invitation = (await admin.post(f"{href}/reauthorise", json={})).json()
    await world.authorise(invitation["authorise_url"], "m1")
    after = (await admin.get(href)).json()
    assert (after["status"], after["auth"]["state"]) == ("disabled", "connected")


async def test_another_merchant_on_reauthorise_is_refused_and_the_old_grant_stays(admin, world):
    integration = await world.connect(admin)
    href = f"/integrations/{integration['id']}"
    world.channel.open_shop("m2")
    invitation = (await admin.post(f"{href}/reauthorise", json={})).json()
    callback_result = await world.authorise(invitation["authorise_url"], "m2")
    assert "account_mismatch" not in callback_result.headers.get("location", "")
    assert callback_result.status_code == 409
    assert (await admin.get(href)).json()["auth"]["merchant_id"] == "m1"


async def test_pasted_credentials_connect_a_draft(admin, world):
    world.channel.open_shop("m1")
    href = await draft_of(admin)
    answer = await admin.put(f"{href}/credentials", json=pasted(world, "m1"))
    assert answer.status_code == 200
    assert answer.headers["etag"].startswith(f'"{answer.json()["version"]}-')
    assert answer.json()["auth"]["merchant_id"] == "m1"


async def test_pasted_credentials_that_fail_are_422_and_nothing_is_stored(admin, world):
    world.channel.open_shop("m1")
    href = await draft_of(admin)
    wrong = pasted(world, "m1") | {"access_token": "CANARY-no-such-token"}
    answer = await admin.put(f"{href}/credentials", json=wrong)
    assert answer.status_code == 422
    assert "CANARY" not in answer.text
    assert (await admin.get(href)).json()["auth"]["access_token"]["set"] is False


async def test_credentials_of_a_connected_merchant_are_409_with_the_id_of_the_first(admin, world):
    first = await world.connect(admin)
    answer = await admin.put(f"{await draft_of(admin)}/credentials", json=pasted(world, "m1"))
    assert (answer.status_code, answer.json()["code"]) == (409, "account_already_connected")
    assert answer.json()["related_id"] == first["id"]


async def test_credentials_in_use_by_another_tenant_are_409_without_a_word_of_where(admin, world):
    await world.connect(admin)
    async with world.caller(tenant="other") as other:
        answer = await other.put(f"{await draft_of(other)}/credentials", json=pasted(world, "m1"))
    assert (answer.status_code, answer.json()["code"]) == (409, "account_in_use")
    assert "related_id" not in answer.json()


async def test_a_second_integration_of_one_merchant_and_app_comes_back_as_the_first(admin, world):
    first = await world.connect(admin)
    draft = (await admin.post("/integrations", json=NEW_INTEGRATION)).json()
    callback_result = await world.authorise(draft["authorise_url"], "m1")
    told = {"integration_id": first["id"], "result": "connected"}
    assert query_of(callback_result.headers["location"]) == told
    assert (await admin.get(f"/integrations/{draft['id']}")).status_code == 404


async def test_a_second_integration_of_one_merchant_by_another_app_comes_back_with_the_reason(admin, world):
    await world.connect(admin)
    draft = (await admin.post("/integrations", json=NEW_INTEGRATION | {"client_id": "client-2"})).json()
    callback_result = await world.authorise(draft["authorise_url"], "m1")
    assert query_of(callback_result.headers["location"])["error"] == "account_already_connected"


async def test_the_last_authorisation_is_shown_and_told(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    good = (await admin.get(href)).json()["last_authorisation"]
    world.channel.open_shop("m2")
    await world.authorise((await admin.post(f"{href}/reauthorise")).json()["authorise_url"], "m2")
    failed = (await admin.get(href)).json()["last_authorisation"]
    events = (await admin.get("/events?types=integration.authorisation_failed")).json()["items"]
    assert (good["result"], good["error"]) == ("connected", None)
    assert (failed["result"], failed["error"]) == ("failed", "account_mismatch")
    assert [event["data"]["error"] for event in events] == ["account_mismatch"]


async def test_verifying_reports_each_field(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    found = (await admin.post(f"{href}/verify")).json()
    fields = {check["field"] for check in found["checks"]}
    assert fields == {"client_id", "client_secret", "access_token", "refresh_token", "endpoint", "scopes"}
    assert (found["ok"], found["merchant_id"]) == (True, "m1")


async def test_verifying_a_draft_without_credentials_is_409(admin):
    assert (await admin.post(f"{await draft_of(admin)}/verify")).status_code == 409


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NoAnswer("timeout", "No answer.", 7), 503),
        (ReplyNotUnderstood("unexpected_shape", "Not JSON."), 502),
    ],
)
async def test_a_marketplace_that_is_away_or_odd_is_told_apart(admin, world, error, status):
    world.channel.open_shop("m1")
    href = await draft_of(admin)
    given = pasted(world, "m1")
    world.channel.break_down("merchant_id", error)
    answer = await admin.put(f"{href}/credentials", json=given)
    assert (answer.status_code, answer.json()["code"]) == (status, error.code)
    assert answer.headers.get("retry-after") == ("7" if status == 503 else None)


async def test_a_refused_verification_says_at_once_what_to_do(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    ours, other = world.channel.merchants["m1"], world.channel.open_shop("m2")
    ours.refresh_token, other.refresh_token = "", ours.refresh_token
    assert (await admin.post(f"{href}/verify")).json()["ok"] is False
    after = (await admin.get(href)).json()
    assert (after["status"], after["status_reason"]) == ("needs_reauth", "merchant_mismatch")
    assert after["next_action"] == {"method": "POST", "href": f"{href}/reauthorise"}


async def test_a_new_secret_that_the_marketplace_refuses_is_422_and_nothing_is_stored(admin, world):
    world.channel.client_secrets["client-1"] = NEW_INTEGRATION["client_secret"]
    integration = await world.connect(admin)
    href = f"/integrations/{integration['id']}"
    refused = await admin.patch(href, json={"client_secret": "CANARY-wrong", "name": "Other"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/client_secret")
    assert "CANARY" not in refused.text
    after = (await admin.get(href)).json()
    assert (after["version"], after["auth"]) == (integration["version"], integration["auth"])


@pytest.mark.parametrize("member", ["client_id", "client_secret"])
async def test_a_new_app_needs_the_scope_of_credentials_too(admin, world, member):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    async with world.caller("integrations:write") as caller:
        refused = await caller.patch(href, json={member: "another-value"})
        renamed = await caller.patch(href, json={"name": "Other"})
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert "credentials:write" in refused.json()["detail"]
    assert renamed.status_code == 200
