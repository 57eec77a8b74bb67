import asyncio
import re

import httpx
import pytest
from tests.api.world import CONSOLE, NEW_INTEGRATION, PUBLIC_URL, World, query_of

from channel_sync.domain.addresses import public_address

HTTPS = "https://sync.example"


async def invitation(admin: httpx.AsyncClient, **members: str | None) -> str:
    draft = (await admin.post("/integrations", json=NEW_INTEGRATION | members)).json()
    return str(draft["authorise_url"])


async def departed(world: World, admin: httpx.AsyncClient, **members: str | None) -> tuple[httpx.AsyncClient, str]:
    """A browser on its way, and the address of the consent page it was sent to."""
    world.channel.open_shop("m1")
    browser = world.browser()
    departure = await browser.post(await invitation(admin, **members))
    return browser, departure.headers["location"]


def answer_to(world: World, consent_url: str, merchant_id: str = "m1") -> dict[str, str]:
    """What the marketplace sends the browser back with, when it knows what a state is."""
    return {"code": world.channel.consent(consent_url, merchant_id), "state": query_of(consent_url)["state"]}


async def state_of(admin: httpx.AsyncClient) -> str:
    drafts = (await admin.get("/integrations?status=draft")).json()["items"]
    return str(drafts[0]["auth"]["state"])


async def test_the_page_names_what_is_about_to_be_connected_and_escapes_it(admin, world):
    url = await invitation(admin, name="<script>alert(1)</script> & Co")
    async with world.browser() as browser:
        page = await browser.get(url)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co" in page.text
    assert "<script" not in page.text
    assert "client-1" in page.text


async def test_the_page_may_not_be_framed_stored_or_told_on(admin, world):
    async with world.browser() as browser:
        page = await browser.get(await invitation(admin))
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; img-src 'self'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


async def test_looking_uses_nothing_up(admin, world):
    url = await invitation(admin)
    async with world.browser() as browser:
        statuses = [(await browser.get(url)).status_code for _ in range(3)]
        head = await browser.head(url)
        departure = await browser.post(url)
    assert (statuses, head.status_code, departure.status_code) == ([200, 200, 200], 200, 303)


async def test_continue_sets_a_cookie_and_works_for_this_browser_alone(admin, world):
    url = await invitation(admin)
    async with world.browser() as browser, world.browser() as other:
        departure = await browser.post(url)
        foreign = [(await other.get(url)).status_code, (await other.post(url)).status_code]
        again = [(await browser.get(url)).status_code, (await browser.post(url)).status_code]
    assert (foreign, again) == ([409, 409], [200, 303])
    assert departure.headers["location"].startswith("https://production.wish.example/consent?")
    cookie = departure.headers["set-cookie"]
    assert re.match(r"wish_attempt_[0-9a-z]{10}=[A-Za-z0-9_-]{43};", cookie)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie


async def test_behind_https_the_cookie_is_a_host_cookie(world):
    world.set(address=public_address(HTTPS))
    async with world.caller() as admin:
        url = await invitation(admin)
    async with world.browser(base_url=HTTPS) as browser:
        departure = await browser.post(url)
    assert departure.headers["set-cookie"].startswith("__Host-wish_attempt_")
    assert "Secure" in departure.headers["set-cookie"]
    assert departure.headers["strict-transport-security"] == "max-age=31536000"


async def test_the_ticket_may_stand_in_the_form(admin, world):
    url = await invitation(admin)
    async with world.browser() as browser:
        departure = await browser.post("/wish/authorise", data={"ticket": query_of(url)["ticket"]})
    assert departure.status_code == 303


ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:8001"},
    {"Origin": "https://localhost:8000"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
]
HERE = [
    {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-origin"},
    # Pages that tell no referrer tell no origin either.
    {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    {"Origin": PUBLIC_URL},
    {},
]


async def test_a_form_on_another_page_is_refused_and_uses_nothing_up(admin, world):
    url = await invitation(admin)
    async with world.browser() as browser:
        refused = [(await browser.post(url, headers=headers)).status_code for headers in ELSEWHERE]
        consent_redirects = [(await browser.post(url, headers=headers)).status_code for headers in HERE]
    assert (set(refused), set(consent_redirects)) == ({400}, {303})


@pytest.mark.parametrize(
    "query", ["", "?ticket=", "?ticket=CANARY", "?ticket=a&ticket=b", "?ticket=%00", "?ticket=%C3%A4"]
)
async def test_an_unknown_or_odd_ticket_is_a_page_without_echo(world, query):
    async with world.browser() as browser:
        page = await browser.get(f"/wish/authorise{query}")
    assert page.status_code in (400, 410)
    assert "CANARY" not in page.text


async def test_the_callback_goes_back_to_the_console_with_a_clean_address(admin, world):
    browser, consent_url = await departed(world, admin, return_url=f"{CONSOLE}/done?tab=2&result=x")
    query = answer_to(world, consent_url)
    callback_result = await browser.get("/wish/callback", params={**query, "x": "CANARY"})
    target = callback_result.headers["location"]
    assert callback_result.status_code == 303
    assert target.startswith(f"{CONSOLE}/done?")
    assert query_of(target)["tab"] == "2"
    assert query_of(target)["result"] == "connected"
    assert set(query_of(target)) == {"tab", "integration_id", "result"}


async def test_without_a_return_url_the_callback_ends_in_a_page(admin, world):
    browser, consent_url = await departed(world, admin, return_url=None, default_currency="GBP")
    page = await browser.get("/wish/callback", params=answer_to(world, consent_url))
    assert (page.status_code, "<h1>Connected</h1>" in page.text) == (200, True)
    assert "Shop is connected to Mugs." in page.text


async def test_without_a_currency_the_page_says_what_is_left_and_the_draft_what_helps(admin, world):
    browser, consent_url = await departed(world, admin, return_url=None, default_currency=None)
    page = await browser.get("/wish/callback", params=answer_to(world, consent_url))
    assert page.status_code == 200
    assert "One step left: choose the currency" in page.text
    [draft] = (await admin.get("/integrations?status=draft")).json()["items"]
    assert (draft["status"], draft["status_reason"]) == ("draft", "currency_missing")
    href = f"/integrations/{draft['id']}"
    assert draft["next_action"] == {"method": "PATCH", "href": href, "members": ["default_currency"]}
    done = (await admin.patch(href, json={"default_currency": "EUR"})).json()
    assert (done["status"], done["draft_expires_at"]) == ("active", None)
    assert draft["draft_expires_at"] > done["created_at"]


async def test_a_denial_goes_back_with_the_reason_and_changes_nothing(admin, world):
    browser, consent_url = await departed(world, admin)
    query = {"error": "access_denied", "error_description": "<script>CANARY</script>"}
    query["state"] = query_of(consent_url)["state"]
    callback_result = await browser.get("/wish/callback", params=query)
    assert query_of(callback_result.headers["location"])["error"] == "access_denied"
    assert "CANARY" not in callback_result.headers["location"]
    assert world.channel.calls["redeem"] == 0


async def test_the_callback_in_another_browser_changes_nothing_and_says_where_to_start(admin, world):
    _, consent_url = await departed(world, admin)
    async with world.browser() as other:
        page = await other.get("/wish/callback", params={"code": world.channel.consent(consent_url, "m1")})
    assert page.status_code == 400
    assert "Go back to your system" in page.text
    assert (world.channel.calls["redeem"], await state_of(admin)) == (0, "pending")


@pytest.mark.parametrize(
    "query",
    [
        "code=a&code=b",
        "code=a&state=b&state=c",
        "code[]=a",
        "code=a%00b",
        "code=%C3%A4",
        "code=" + "a" * 2049,
        "state=a",
        "code=",
        "",
    ],
)
async def test_an_odd_callback_is_400_and_changes_nothing(admin, world, query):
    browser, _ = await departed(world, admin)
    page = await browser.get(f"/wish/callback?{query}")
    assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert (world.channel.calls["redeem"], await state_of(admin)) == (0, "pending")


async def test_a_foreign_state_is_refused(admin, world):
    browser, consent_url = await departed(world, admin)
    code = world.channel.consent(consent_url, "m1")
    page = await browser.get("/wish/callback", params={"code": code, "state": "other"})
    assert (page.status_code, world.channel.calls["redeem"]) == (400, 0)


async def test_reading_ahead_uses_nothing_up(admin, world):
    browser, consent_url = await departed(world, admin)
    query = answer_to(world, consent_url)
    ahead = await browser.get("/wish/callback", params=query, headers={"Sec-Purpose": "prefetch"})
    head = await browser.head("/wish/callback", params=query)
    callback_result = await browser.get("/wish/callback", params=query)
    assert (ahead.status_code, head.status_code, callback_result.status_code) == (503, 503, 303)


async def test_one_callback_loaded_often_makes_one_token_call(admin, world):
    browser, consent_url = await departed(world, admin)
    query = answer_to(world, consent_url)
    arrivals = await asyncio.gather(*(browser.get("/wish/callback", params=query) for _ in range(20)))
    assert world.channel.calls["redeem"] == 1
    assert {query_of(one.headers["location"])["result"] for one in arrivals} == {"connected"}


async def test_a_flood_of_callbacks_is_turned_away_for_its_address_only(world):
    async with world.browser("198.51.100.1") as flood, world.browser("198.51.100.2") as other:
        pages = [await flood.get("/wish/callback?code=x") for _ in range(100)]
        elsewhere = await other.get("/wish/callback?code=x")
    statuses = [page.status_code for page in pages]
    assert (statuses[0], statuses[-1], elsewhere.status_code) == (400, 429, 400)
    assert int(pages[-1].headers["retry-after"]) >= 1


async def test_a_flood_from_the_same_address_turns_away_nobody_with_a_link_or_a_cookie(admin, world):
    url = await invitation(admin)
    world.channel.open_shop("m1")
    async with world.browser() as flood, world.browser() as browser:
        strangers = [(await flood.get("/wish/callback?code=x")).status_code for _ in range(100)]
        looked, departure = await browser.get(url), await browser.post(url)
        callback_result = await browser.get(
            "/wish/callback", params=answer_to(world, departure.headers["location"])
        )
    assert (looked.status_code, departure.status_code, callback_result.status_code) == (200, 303, 303)
    assert strangers[-1] == 429


async def test_one_link_may_not_be_opened_without_end_either(admin, world):
    url = await invitation(admin)
    async with world.browser() as browser:
        pages = [(await browser.get(url)).status_code for _ in range(100)]
    assert (pages[0], pages[-1]) == (200, 429)


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded"])
async def test_a_spoofed_host_moves_no_address(admin, header):
    answer = await admin.post("/integrations", json=NEW_INTEGRATION, headers={header: "evil.example"})
    assert "evil.example" not in answer.text
