import importlib.util
import logging
from xml.etree import ElementTree

import httpx
import respx
from httpx_aiohttp import AiohttpTransport
from tests.channels.factories import APP, a_context, an_access, limits, ok

from channel_sync.channels.http.http_client import http_client
from channel_sync.channels.wish.channel import WishChannel
from channel_sync.domain.channel import Channel, Environment, Shop

URLS = {Environment.PRODUCTION: "https://wish.test/", Environment.SANDBOX: "https://sandbox.test"}


def a_channel(http) -> Channel:
    return WishChannel(http, URLS, limits())


async def test_a_seller_sees_what_it_takes_to_connect():
    async with httpx.AsyncClient() as http:
        channel = a_channel(http)
    description = channel.description
    assert (description.type, description.name) == ("wish", "Wish")
    assert description.credential_fields == ("client_id", "client_secret")
    assert len(description.setup_steps) >= 5
    assert channel.required_scopes == {"merchant:read", "orders:read", "products:read", "products:write"}


async def test_the_steps_name_every_scope_that_whoever_connects_today_would_miss_tomorrow():
    async with httpx.AsyncClient() as http:
        channel = a_channel(http)
    needed, optional = (
        next(step for step in channel.description.setup_steps if start in step)
        for start in ("Grant the app", "optional")
    )
    assert all(scope in needed for scope in channel.required_scopes)
    assert all(scope in optional for scope in ("orders:write", "webhook:read", "webhook:write"))


async def test_the_steps_name_the_button_of_our_page_and_none_that_does_not_exist():
    async with httpx.AsyncClient() as http:
        steps = " ".join(a_channel(http).description.setup_steps)
    assert "Continue to Wish" in steps
    assert "Press Connect" not in steps


async def test_the_logo_is_a_drawing_without_scripts_or_links():
    async with httpx.AsyncClient() as http:
        logo = a_channel(http).description.logo_svg
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(logo).iter()}
    assert tags <= {"svg", "rect", "path"}


async def test_currencies_are_codes_without_doubles():
    async with httpx.AsyncClient() as http:
        currencies = a_channel(http).description.currencies
    assert {"USD", "EUR", "GBP", "JPY", "KWD"} <= set(currencies)
    assert all(len(code) == 3 and code.isupper() for code in currencies)
    assert len(set(currencies)) == len(currencies)
    assert list(currencies) == sorted(currencies)


async def test_each_environment_has_its_own_address():
    async with httpx.AsyncClient() as http:
        channel = a_channel(http)
        assert channel.consent_url(APP, "s", "c").startswith("https://wish.test/v3/oauth/authorize?")
        with respx.mock as router:
            router.get("https://wish.test/api/v3/oauth/test").mock(return_value=ok({"merchant_id": "m1"}))
            shop: Shop = channel.shop(an_access(), a_context())
            assert await shop.merchant_id() == "m1"


async def test_production_calls_go_over_aiohttp_without_redirects_cookies_or_surroundings():
    http = http_client(7)
    assert isinstance(http._transport, AiohttpTransport)
    assert not http.follow_redirects
    assert not http.trust_env
    assert http.timeout.connect == 5
    assert logging.getLogger("httpx").level == logging.getLogger("httpcore").level == logging.WARNING
    await http.aclose()


def test_no_second_httpx_is_installed_that_mocks_would_not_see():
    assert importlib.util.find_spec("httpx2") is None
