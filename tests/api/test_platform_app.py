"""Connecting with the platform's own application, as callers and sellers see it."""

import pytest
from tests.api.world import CONSOLE, NEW_INTEGRATION, World, query_of
from tests.platform_apps import CLIENT_ID, SECRET, SetApps

from channel_sync.domain.channel import Environment

NEW = {"channel": "wish", "name": "Mugs", "default_currency": "GBP", "return_url": f"{CONSOLE}/done"}


@pytest.fixture
def world(world: World) -> World:
    world.database.platform_apps = SetApps()
    world.channel.client_secrets[CLIENT_ID] = SECRET
    world.channel.open_shop("m1")
    return world


async def test_the_channel_asks_for_no_credentials(admin):
    [wish] = (await admin.get("/channels")).json()["items"]
    [sandbox] = (await admin.get("/channels?environment=sandbox")).json()["items"]

    assert (wish["credential_fields"], wish["setup_steps"]) == ([], ["Open the link"])
    own = {"credential_fields": sandbox["credential_fields"], "setup_steps": sandbox["setup_steps"]}
    assert (sandbox["setup_steps"], sandbox["own_app"], wish["own_app"]) == (["Create an app"], own, own)
    assert "client_secret" in own["credential_fields"]


async def test_an_environment_that_there_is_not_is_refused(admin):
    refused = await admin.get("/channels?environment=moon")

    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (422, "environment")


async def test_a_name_and_a_consent_are_enough(admin, world):
    draft = await admin.post("/integrations", json=NEW)
    back = await world.authorise(draft.json()["authorise_url"], "m1")
    integration = (await admin.get(f"/integrations/{draft.json()['id']}")).json()

    assert (draft.status_code, query_of(back.headers["location"])["result"]) == (201, "connected")
    assert integration["status"] == "active"
    auth = integration["auth"]
    assert (auth["platform_app"], auth["client_id"]) == (True, CLIENT_ID)
    assert auth["client_secret"] == {"set": True, "last4": None, "updated_at": None}
    assert SECRET not in draft.text + str(integration)


async def test_the_seller_consents_again_with_one_call_and_no_body(admin, world):
    draft = (await admin.post("/integrations", json=NEW)).json()
    await world.authorise(draft["authorise_url"], "m1")

    again = await admin.post(f"/integrations/{draft['id']}/reauthorise")
    back = await world.authorise(again.json()["authorise_url"], "m1")

    assert (again.status_code, back.status_code) == (200, 200)
    integration = (await admin.get(f"/integrations/{draft['id']}")).json()
    assert integration["last_authorisation"]["result"] == "connected"


async def test_a_seller_with_an_app_of_their_own_moves_to_the_platforms(admin, world):
    own = await world.connect(admin)
    assert own["auth"]["platform_app"] is False

    again = await admin.post(f"/integrations/{own['id']}/reauthorise", json={"platform_app": True})
    await world.authorise(again.json()["authorise_url"], "m1")

    auth = (await admin.get(f"/integrations/{own['id']}")).json()["auth"]
    assert (auth["platform_app"], auth["client_id"]) == (True, CLIENT_ID)


@pytest.mark.parametrize(
    ("left_out", "code", "pointer"),
    [
        ("client_id", "client_id_needed", "/client_id"),
        ("client_secret", "client_secret_needed", "/client_secret"),
    ],
)
async def test_half_an_app_is_a_problem_that_names_the_other_half(admin, left_out, code, pointer):
    half = {name: value for name, value in NEW_INTEGRATION.items() if name != left_out}

    refused = await admin.post("/integrations", json=half)

    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.json()["errors"][0]["pointer"] == pointer


async def test_without_an_app_of_the_platform_the_sellers_is_asked_for(admin, world):
    world.database.platform_apps.environment = Environment.SANDBOX

    refused = await admin.post("/integrations", json=NEW)

    assert (refused.status_code, refused.json()["code"]) == (422, "client_id_needed")
    assert refused.json()["errors"][0]["pointer"] == "/client_id"


async def test_a_shop_of_another_tenant_is_told_of_without_a_word_of_where(admin, world):
    await admin.post("/integrations", json=NEW)
    first = (await admin.post("/integrations", json=NEW)).json()
    await world.authorise(first["authorise_url"], "m1")

    async with world.caller(tenant="globex") as other:
        draft = (await other.post("/integrations", json=NEW)).json()
        back = await world.authorise(draft["authorise_url"], "m1")

    assert query_of(back.headers["location"])["error"] == "account_in_use"
    assert "acme" not in back.headers["location"]
