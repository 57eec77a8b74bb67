"""What a person is asked on our pages when the marketplace brings no state back, and what they may answer."""

import re
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.api.test_oauth_pages import ELSEWHERE, HERE
from tests.api.world import CONSOLE, NEW_INTEGRATION, World, query_of

from channel_sync.domain.errors import GrantRejected

Fields = dict[str, str]


@dataclass
class Seller:
    """A browser with connections under way, and the API of the platform that began them."""

    world: World
    admin: httpx.AsyncClient
    browser: httpx.AsyncClient

    async def leave(self, **members: str | None) -> tuple[str, str]:
        """The id of a new draft, and the consent page that the browser was sent to."""
        draft = (await self.admin.post("/integrations", json=NEW_INTEGRATION | members)).json()
        departure = await self.browser.post(draft["authorise_url"])
        return draft["id"], departure.headers["location"]

    async def come_back(self, consent_url: str, merchant_id: str = "m1") -> httpx.Response:
        code = self.world.channel.consent(consent_url, merchant_id)
        return await self.browser.get("/wish/callback", params={"code": code})

    async def say(self, form: Fields, answer: str, **headers: str) -> httpx.Response:
        return await self.browser.post("/wish/callback", data={**form, "answer": answer}, headers=headers)

    async def read(self, integration_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.admin.get(f"/integrations/{integration_id}")).json()
        return found


@pytest.fixture
async def seller(world: World, admin: httpx.AsyncClient) -> Seller:
    world.channel.open_shop("m1", "Lamps & <Mugs>")
    world.channel.open_shop("m2", "Second shop")
    return Seller(world, admin, world.browser())


def forms(page: httpx.Response) -> list[Fields]:
    """The hidden fields of each form on a page."""
    field = re.compile(r'name="(\w+)" value="([^"]*)"')
    return [dict(field.findall(part.split("<button")[0])) for part in page.text.split("<form")[1:]]


async def test_the_page_names_the_shop_and_the_integration_and_asks(seller):
    draft, consent_url = await seller.leave(name="Europe", default_currency="GBP")
    page = await seller.come_back(consent_url)
    assert page.status_code == 200
    for named in ("Connect this shop?", "Lamps &amp; &lt;Mugs&gt;", "m1", "Europe", "acme"):
        assert named in page.text
    assert (await seller.read(draft))["auth"]["access_token"]["set"] is False
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["content-security-policy"].startswith(
        "default-src 'none'; img-src 'self'; style-src 'sha256-"
    )


async def test_a_yes_connects_and_goes_back_to_the_platform(seller):
    draft, consent_url = await seller.leave(default_currency="GBP")
    [form] = forms(await seller.come_back(consent_url))
    callback_result = await seller.say(form, "connect")
    told = {"integration_id": draft, "result": "connected"}
    assert (callback_result.status_code, query_of(callback_result.headers["location"])) == (303, told)
    assert callback_result.headers["location"].startswith(f"{CONSOLE}/done?")
    assert (await seller.read(draft))["status"] == "active"


async def test_a_no_connects_nothing_and_says_so_to_the_platform(seller):
    draft, consent_url = await seller.leave(default_currency="GBP")
    [form] = forms(await seller.come_back(consent_url))
    callback_result = await seller.say(form, "stop")
    assert query_of(callback_result.headers["location"])["error"] == "access_denied"
    assert (await seller.read(draft))["auth"]["state"] == "none"


async def test_no_other_page_may_answer_for_the_person(seller):
    draft, consent_url = await seller.leave(default_currency="GBP")
    [form] = forms(await seller.come_back(consent_url))
    for headers in ELSEWHERE:
        assert (await seller.say(form, "connect", **headers)).status_code == 400
    assert (await seller.read(draft))["status"] == "draft"
    for headers in HERE:
        assert (await seller.say(form, "connect", **headers)).status_code == 303


async def test_no_other_browser_may_answer(seller, world):
    draft, consent_url = await seller.leave(default_currency="GBP")
    [form] = forms(await seller.come_back(consent_url))
    async with world.browser() as stranger:
        for answer in ("connect", "stop", "again", "choose"):
            page = await stranger.post("/wish/callback", data={**form, "answer": answer, "code": "x"})
            assert page.status_code == 400
    assert (await seller.read(draft))["auth"]["state"] == "pending"


@pytest.mark.parametrize(
    "form", [{}, {"answer": ""}, {"answer": "CANARY"}, {"answer": "choose"}, {"answer": ["connect", "stop"]}]
)
async def test_an_odd_answer_is_a_page_without_echo(seller, form):
    await seller.leave()
    page = await seller.browser.post("/wish/callback", data=form)
    assert page.status_code == 400
    assert "CANARY" not in page.text


async def test_a_refusal_that_names_nobody_is_shown_and_the_connection_goes_on(seller):
    draft, consent_url = await seller.leave(default_currency="GBP")
    page = await seller.browser.get("/wish/callback?error=access_denied")
    assert page.status_code == 400
    assert "The consent was refused." in page.text
    [form] = forms(page)
    again = await seller.say(form, "again")
    assert (again.status_code, again.headers["location"].split("?")[0]) == (303, consent_url.split("?")[0])
    [form] = forms(await seller.come_back(again.headers["location"]))
    assert (await seller.say(form, "connect")).status_code == 303
    assert (await seller.read(draft))["status"] == "active"


async def test_whoever_stops_there_comes_back_to_the_platform_with_the_reason(seller):
    draft, _ = await seller.leave()
    [form] = forms(await seller.browser.get("/wish/callback?error=access_denied"))
    callback_result = await seller.say(form, "stop")
    assert query_of(callback_result.headers["location"]) == {
        "integration_id": draft,
        "result": "failed",
        "error": "access_denied",
    }


async def test_a_code_that_fails_leaves_the_way_on(seller):
    _, consent_url = await seller.leave()
    seller.world.channel.fail("redeem", GrantRejected("grant_rejected", "No."))
    page = await seller.come_back(consent_url)
    assert (page.status_code, "did not complete" in page.text) == (400, True)
    [form] = forms(page)
    callback_result = await seller.say(form, "stop")
    assert query_of(callback_result.headers["location"])["error"] == "exchange_failed"


async def test_two_links_in_one_browser_have_a_cookie_each_and_neither_takes_the_others_shop(seller):
    first, one = await seller.leave(name="First", client_id="app1", default_currency="GBP")
    second, two = await seller.leave(name="Second", client_id="app2", default_currency="GBP")
    assert len(seller.browser.cookies) == 2
    choice = await seller.come_back(one)
    assert "Which connection is this for?" in choice.text
    parts = choice.text.split("<form")[1:]
    [wanted] = [form for form, part in zip(forms(choice), parts, strict=True) if "It is for First" in part]
    [form] = forms(await seller.say(wanted, "choose"))
    await seller.say(form, "connect")
    [form] = forms(await seller.come_back(two, "m2"))
    await seller.say(form, "connect")
    shops = [(await seller.read(draft))["auth"]["merchant_id"] for draft in (first, second)]
    assert shops == ["m1", "m2"]


async def test_a_shop_that_is_connected_already_is_named_and_the_new_draft_ends_in_it(seller, world, admin):
    first = await world.connect(admin, "m1", name="The first")
    draft, consent_url = await seller.leave(client_id="client-1", name="The second")
    page = await seller.come_back(consent_url)
    assert (page.status_code, "This shop is connected already" in page.text, "The first" in page.text) == (
        200,
        True,
        True,
    )
    [form] = forms(page)
    callback_result = await seller.say(form, "accept")
    assert query_of(callback_result.headers["location"]) == {"integration_id": first["id"], "result": "connected"}
    assert (await admin.get(f"/integrations/{draft}")).status_code == 404


async def test_a_browser_is_not_filled_with_cookies(seller):
    for number in range(15):
        await seller.leave(name=f"Shop {number}")
    assert len(seller.browser.cookies) == 12


async def test_a_cookie_of_the_release_before_is_still_good(seller):
    draft, consent_url = await seller.leave(default_currency="GBP")
    [(name, value)] = seller.browser.cookies.items()
    seller.browser.cookies.delete(name)
    seller.browser.cookies.set("wish_attempt", value)
    [form] = forms(await seller.come_back(consent_url))
    assert (await seller.say(form, "connect")).status_code == 303
    assert (await seller.read(draft))["status"] == "active"
