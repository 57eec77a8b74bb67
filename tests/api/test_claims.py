"""A seller adds the platform's app in the marketplace's own store, and the platform claims the shop."""

import re

import httpx
import pytest
from tests.api.world import CONSOLE, NEW_INTEGRATION, World, query_of
from tests.platform_apps import CLIENT_ID, SECRET, SetApps

from channel_sync.api.pages.visits import ADDED_AT_ONCE

ADDED = f"{CONSOLE}/added"
NEW = {"channel": "wish", "name": "Mugs", "default_currency": "GBP"}


@pytest.fixture
def world(world: World) -> World:
    world.database.platform_apps = SetApps()
    world.channel.client_secrets[CLIENT_ID] = SECRET
    world.channel.open_shop("m1", "Blue Mug Company")
    world.add_app_url = ADDED
    return world


async def back(world: World, code: str | None = None, address: str = "198.51.100.7") -> httpx.Response:
    """The browser of a seller who chose Add app, back from the store."""
    async with world.browser(address) as browser:
        code = code or world.channel.add_app(CLIENT_ID, "m1")
        return await browser.get("/wish/callback", params={"code": code})


async def a_claim(world: World) -> str:
    return query_of((await back(world)).headers["location"])["claim"]


async def test_the_browser_takes_a_claim_to_the_platform(world):
    answer = await back(world)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{ADDED}?channel=wish&claim=")
    assert re.fullmatch("[A-Za-z0-9_-]{43}", query_of(answer.headers["location"])["claim"])
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert "set-cookie" not in answer.headers


async def test_the_shop_is_shown_and_then_connected(admin, world):
    claim = await a_claim(world)

    shown = await admin.post("/claims/preview", json={"claim": claim})
    made = await admin.post("/integrations", json=NEW | {"claim": claim})

    shop = shown.json()
    assert (shown.status_code, shop["shop_name"], shop["merchant_id"]) == (200, "Blue Mug Company", "m1")
    assert (shop["channel"]["type"], shop["environment"], shop["error"]) == ("wish", "production", None)
    integration = made.json()
    assert (made.status_code, integration["status"]) == (201, "active")
    assert (integration["authorise_url"], integration["expires_at"]) == (None, None)
    assert made.headers["location"] == f"/integrations/{integration['id']}"
    assert (integration["auth"]["platform_app"], integration["auth"]["shop_name"]) == (True, "Blue Mug Company")
    assert claim not in shown.text + made.text


async def test_without_a_currency_the_answer_says_what_is_left(admin, world):
    new = {"channel": "wish", "name": "Mugs", "claim": await a_claim(world)}

    draft = (await admin.post("/integrations", json=new)).json()

    assert (draft["status"], draft["next_action"]["members"]) == ("draft", ["default_currency"])
    done = (await admin.patch(f"/integrations/{draft['id']}", json={"default_currency": "EUR"})).json()
    assert done["status"] == "active"


async def test_the_same_key_gets_the_same_answer_and_another_call_what_came_of_it(admin, world):
    new, key = NEW | {"claim": await a_claim(world)}, {"Idempotency-Key": "k1"}

    first, again = [await admin.post("/integrations", json=new, headers=key) for _ in range(2)]
    other = await admin.post("/integrations", json=new)

    assert (first.status_code, again.json()) == (201, first.json())
    assert (other.status_code, other.json()["code"]) == (409, "claim_used")
    assert other.json()["related_id"] == first.json()["id"]


async def test_a_claim_is_the_first_tenants_alone(admin, world):
    claim = await a_claim(world)
    await admin.post("/integrations", json=NEW | {"claim": claim})

    async with world.caller(tenant="globex") as other:
        refused = [
            await other.post("/integrations", json=NEW | {"claim": claim}),
            await other.post("/claims/preview", json={"claim": claim}),
            await other.post("/claims/preview", json={"claim": "invented-by-somebody"}),
        ]

    assert {(one.status_code, one.json()["code"]) for one in refused} == {(422, "claim_unknown")}
    assert {one.json()["errors"][0]["pointer"] for one in refused} == {"/claim"}
    assert not any(claim in one.text for one in refused)


async def test_a_shop_that_is_taken_is_said_before_it_is_asked_for(admin, world):
    own = (await admin.post("/integrations", json=NEW | {"claim": await a_claim(world)})).json()
    again = {"claim": await a_claim(world)}

    mine = (await admin.post("/claims/preview", json=again)).json()
    async with world.caller(tenant="globex") as other:
        theirs = (await other.post("/claims/preview", json=again)).json()
        refused = await other.post("/integrations", json=NEW | again)

    assert (mine["error"], mine["integration_id"]) == ("account_already_connected", own["id"])
    assert (theirs["error"], theirs["integration_id"]) == ("account_in_use", None)
    assert (refused.status_code, refused.json()["code"]) == (409, "account_in_use")


@pytest.mark.parametrize(
    "member",
    [
        {"client_id": "app1"},
        {"client_secret": "a-secret-of-the-app"},
        {"more_credentials": {"stall": "a-secret"}},
        {"return_url": f"{CONSOLE}/done"},
        {"environment": "sandbox"},
    ],
)
async def test_what_goes_with_other_ways_to_connect_is_refused(admin, world, member):
    claim = await a_claim(world)

    refused = await admin.post("/integrations", json=NEW | {"claim": claim} | member)

    assert (refused.status_code, refused.json()["code"]) == (422, "not_for_this_kind")
    assert refused.json()["errors"][0]["pointer"] == f"/{next(iter(member))}"
    assert (await admin.post("/integrations", json=NEW | {"claim": claim})).status_code == 201


async def test_who_may_not_make_integrations_may_not_look_at_claims(world):
    claim = await a_claim(world)

    async with world.caller("integrations:read") as reader:
        refused = await reader.post("/claims/preview", json={"claim": claim})

    assert refused.status_code == 403


async def test_without_the_setting_it_is_nobodys(world):
    world.add_app_url = None

    page = await back(world)

    assert (page.status_code, "Go back to your system" in page.text) == (400, True)
    assert world.channel.calls["redeem"] == 0


async def test_without_an_app_of_the_platform_it_is_nobodys(world):
    world.database.platform_apps = SetApps(app=None)

    assert ((await back(world)).status_code, world.channel.calls["redeem"]) == (400, 0)


async def test_a_code_that_is_worth_nothing_is_a_page_that_says_where_to_go_on(world):
    invented = await back(world, "CANARY-code")
    again = await back(world, "CANARY-code")

    assert (invented.status_code, again.status_code) == (400, 409)
    assert "the marketplace's store" in invented.text.replace("&#39;", "'")
    assert "CANARY" not in invented.text + again.text
    assert world.channel.calls["redeem"] == 1


async def test_a_second_load_uses_nothing_up_and_gives_nothing_away(admin, world):
    code = world.channel.add_app(CLIENT_ID, "m1")
    first, second = await back(world, code), await back(world, code, "203.0.113.9")

    assert (first.status_code, second.status_code, world.channel.calls["redeem"]) == (303, 409, 1)
    claim = query_of(first.headers["location"])["claim"]
    assert claim not in second.text
    assert (await admin.post("/integrations", json=NEW | {"claim": claim})).status_code == 201


async def test_reading_ahead_uses_nothing_up(world):
    code = world.channel.add_app(CLIENT_ID, "m1")
    async with world.browser() as browser:
        ahead = await browser.get("/wish/callback", params={"code": code}, headers={"Sec-Purpose": "prefetch"})
        head = await browser.head("/wish/callback", params={"code": code})

    assert (ahead.status_code, head.status_code, world.channel.calls["redeem"]) == (503, 503, 0)
    assert (await back(world, code)).status_code == 303


async def test_a_flood_from_everywhere_reaches_the_marketplace_only_so_often(world):
    pages = [await back(world, f"invented-{number}", f"203.0.113.{number}") for number in range(60)]

    statuses = [page.status_code for page in pages]
    assert set(statuses) == {400, 429}
    assert ADDED_AT_ONCE <= world.channel.calls["redeem"] <= ADDED_AT_ONCE + 10
    assert int(pages[-1].headers["retry-after"]) >= 1


async def test_a_browser_that_has_a_connection_under_way_is_asked_as_before(admin, world):
    draft = (await admin.post("/integrations", json=NEW)).json()
    async with world.browser() as browser:
        departure = await browser.post(draft["authorise_url"])
        code = world.channel.consent(departure.headers["location"], "m1")
        page = await browser.get("/wish/callback", params={"code": code})

    assert (page.status_code, "Connect this shop?" in page.text) == (200, True)


async def test_who_has_just_connected_one_shop_may_add_another(admin, world):
    world.channel.open_shop("m2", "Second shop")
    draft = (await admin.post("/integrations", json=NEW_INTEGRATION)).json()
    async with world.browser() as browser:
        consent_url = (await browser.post(draft["authorise_url"])).headers["location"]
        answer = {"code": world.channel.consent(consent_url, "m1"), "state": query_of(consent_url)["state"]}
        await browser.get("/wish/callback", params=answer)
        code = world.channel.add_app(CLIENT_ID, "m2")
        added = await browser.get("/wish/callback", params={"code": code})

    claim = query_of(added.headers["location"])["claim"]
    shown = (await admin.post("/claims/preview", json={"claim": claim})).json()
    assert shown["shop_name"] == "Second shop"
