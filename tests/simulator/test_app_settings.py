"""The page that hands out client ids and secrets."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.simulator.simulated import Simulated

from wish_simulator.accounts import ALL_SCOPES, App

PATH = "/settings/apps"


@pytest.fixture
async def browser(wish: Simulated) -> AsyncIterator[httpx.AsyncClient]:
    async with wish.anonymous() as http:
        await http.post("/log-in", data={"login": "seller", "password": "seller"})
        yield http


async def made(browser: httpx.AsyncClient, wish: Simulated, **form: object) -> App:
    answer = await browser.post(PATH, data={"name": "Sync", "redirect_uri": "https://a.example/cb", **form})
    assert answer.status_code == 303
    return wish.market.accounts.apps_of(wish.shop.merchant)[-1]


async def test_a_redirect_url_buys_a_client_id_and_a_secret(wish: Simulated, browser: httpx.AsyncClient) -> None:
    app = await made(browser, wish)
    page = await browser.get(PATH)
    assert f"data-client-id>{app.client_id}<" in page.text
    assert f"data-client-secret>{app.newest_secret}<" in page.text


async def test_a_new_app_has_every_scope_unless_some_are_chosen(
    wish: Simulated, browser: httpx.AsyncClient
) -> None:
    assert (await made(browser, wish)).scopes == ALL_SCOPES
    assert (await made(browser, wish, scopes=["orders:read"])).scopes == ("orders:read",)


@pytest.mark.parametrize(
    "redirect_uri", ["", "app.example", "ftp://a.example", "https://", "https://a.example/#x"]
)
async def test_a_bad_redirect_url_makes_no_app(
    wish: Simulated, browser: httpx.AsyncClient, redirect_uri: str
) -> None:
    answer = await browser.post(PATH, data={"redirect_uri": redirect_uri})
    assert "must start with" in answer.text
    assert wish.market.accounts.apps_of(wish.shop.merchant) == []


async def test_a_second_secret_is_added_and_the_older_deleted(wish: Simulated, browser: httpx.AsyncClient) -> None:
    app = await made(browser, wish)
    first = app.newest_secret
    await browser.post(f"{PATH}/{app.client_id}", data={"action": "add_secret"})
    assert app.secrets == [first, app.newest_secret]
    await browser.post(f"{PATH}/{app.client_id}", data={"action": "drop_secret"})
    assert first not in app.secrets


async def test_the_redirect_url_can_change(wish: Simulated, browser: httpx.AsyncClient) -> None:
    app = await made(browser, wish)
    form = {"action": "redirect_uri", "redirect_uri": "https://b.example/cb"}
    await browser.post(f"{PATH}/{app.client_id}", data=form)
    assert app.redirect_uri == "https://b.example/cb"


async def test_a_merchant_revokes_an_app_here(wish: Simulated, browser: httpx.AsyncClient) -> None:
    app = await made(browser, wish)
    token = wish.market.grant(app, wish.shop)
    await browser.post(f"{PATH}/{app.client_id}", data={"action": "revoke"})
    assert token.is_revoked


async def test_apps_of_others_are_neither_shown_nor_changed(wish: Simulated, browser: httpx.AsyncClient) -> None:
    assert wish.app.client_id not in (await browser.get(PATH)).text
    await browser.post(f"{PATH}/{wish.app.client_id}", data={"action": "add_secret"})
    assert len(wish.app.secrets) == 1


async def test_a_stranger_must_log_in(wish: Simulated) -> None:
    async with wish.anonymous() as http:
        assert "Merchant log-in" in (await http.get(PATH)).text
        assert "Merchant log-in" in (await http.post(PATH, data={"redirect_uri": "https://a.example"})).text
