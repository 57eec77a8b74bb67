"""What a merchant sees and where his browser is sent."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.simulator.simulated import REDIRECT_URI, Simulated

LOG_IN = {"login": "seller", "password": "seller"}
AUTHORIZE = "/v3/oauth/authorize"


@pytest.fixture
async def browser(wish: Simulated) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in as the seller."""
    async with wish.anonymous() as http:
        await http.post("/log-in", data=LOG_IN)
        yield http


def query_of(answer: httpx.Response) -> dict[str, list[str]]:
    return parse_qs(urlsplit(answer.headers["location"]).query)


async def decide(browser: httpx.AsyncClient, wish: Simulated, decision: str, state: str = "") -> httpx.Response:
    form = {"client_id": wish.app.client_id, "decision": decision, "state": state}
    return await browser.post(AUTHORIZE, data=form)


async def test_a_stranger_is_asked_to_log_in_and_led_back(wish: Simulated) -> None:
    async with wish.anonymous() as http:
        page = await http.get(AUTHORIZE, params={"client_id": wish.app.client_id})
        assert "Merchant log-in" in page.text
        target = f"{AUTHORIZE}?client_id={wish.app.client_id}"
        answer = await http.post("/log-in", data={**LOG_IN, "next": target})
    assert (answer.status_code, answer.headers["location"]) == (303, target)


async def test_a_wrong_password_shows_the_log_in_page_again(wish: Simulated) -> None:
    async with wish.anonymous() as http:
        answer = await http.post("/log-in", data={"login": "seller", "password": "x"})
    assert "wrong" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
async def test_log_in_never_leads_to_another_host(wish: Simulated, target: str) -> None:
    async with wish.anonymous() as http:
        answer = await http.post("/log-in", data={**LOG_IN, "next": target})
    assert answer.headers["location"] == "/"


async def test_the_consent_page_names_the_app_the_shop_and_the_scopes(
    wish: Simulated, browser: httpx.AsyncClient
) -> None:
    page = await browser.get(AUTHORIZE, params={"client_id": wish.app.client_id})
    assert all(text in page.text for text in ("Test app", "Test shop", "orders:write"))


async def test_allowing_sends_back_a_code_and_nothing_else(wish: Simulated, browser: httpx.AsyncClient) -> None:
    answer = await decide(browser, wish, "allow", state="s")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(REDIRECT_URI + "?")
    assert set(query_of(answer)) == {"code"}


async def test_the_state_comes_back_when_the_switch_is_on(wish: Simulated, browser: httpx.AsyncClient) -> None:
    wish.market.switches.change({"echo_state": True})
    assert query_of(await decide(browser, wish, "allow", state="a b&c"))["state"] == ["a b&c"]


async def test_the_redirect_keeps_a_query_the_app_registered(wish: Simulated, browser: httpx.AsyncClient) -> None:
    wish.app.redirect_uri = "https://app.example/cb?shop=1"
    assert query_of(await decide(browser, wish, "allow")).keys() == {"shop", "code"}


async def test_denying_sends_back_access_denied(wish: Simulated, browser: httpx.AsyncClient) -> None:
    assert query_of(await decide(browser, wish, "deny")) == {"error": ["access_denied"]}


async def test_denying_can_stay_on_a_page_instead(wish: Simulated, browser: httpx.AsyncClient) -> None:
    wish.market.switches.change({"denial": "page"})
    answer = await decide(browser, wish, "deny")
    assert (answer.status_code, "did not allow" in answer.text) == (200, True)


async def test_consent_can_be_skipped(wish: Simulated, browser: httpx.AsyncClient) -> None:
    wish.market.switches.change({"skip_consent": True})
    answer = await browser.get(AUTHORIZE, params={"client_id": wish.app.client_id})
    assert (answer.status_code, set(query_of(answer))) == (302, {"code"})


async def test_an_unknown_client_id_is_told_so(wish: Simulated, browser: httpx.AsyncClient) -> None:
    assert "Unknown app" in (await browser.get(AUTHORIZE, params={"client_id": "x"})).text


async def test_a_private_app_of_somebody_else_cannot_be_allowed(
    wish: Simulated, browser: httpx.AsyncClient
) -> None:
    wish.app.owner_id = wish.market.add_merchant(login="other").merchant.id
    page = await browser.get(AUTHORIZE, params={"client_id": wish.app.client_id})
    assert "another merchant" in page.text
    assert (await decide(browser, wish, "allow")).status_code == 200


async def test_the_app_store_starts_a_flow_without_a_state(wish: Simulated, browser: httpx.AsyncClient) -> None:
    page = await browser.get("/app-store")
    assert f'name="client_id" value="{wish.app.client_id}"' in page.text
    assert "state" not in page.text.partition("<main")[2].replace("<code>state</code>", "")


async def test_names_are_escaped_on_every_page(wish: Simulated, browser: httpx.AsyncClient) -> None:
    wish.app.name = wish.shop.merchant.display_name = "<script>alert(1)</script>"
    wish.app.owner_id = wish.shop.merchant.id
    for path in (
        f"{AUTHORIZE}?client_id={wish.app.client_id}&state=<script>",
        "/app-store",
        "/settings/apps",
        "/",
    ):
        page = await browser.get(path)
        assert "<script>alert" not in page.text
        assert '"<script>"' not in page.text


async def test_signing_out_ends_the_session_in_the_browser(wish: Simulated, browser: httpx.AsyncClient) -> None:
    await browser.post("/log-out")
    assert "Merchant log-in" in (await browser.get("/settings/apps")).text
