import importlib.util
from xml.etree import ElementTree

import httpx
import respx
from tests.channels.factories import a_context, an_access, limits, ok

from channel_sync.channels.wish.channel import WishChannel
from channel_sync.domain.channel import Channel, ConsentRequest, Environment, Shop

URLS = {Environment.PRODUCTION: "https://wish.test/", Environment.SANDBOX: "https://sandbox.test"}


def a_channel() -> Channel:
    return WishChannel(httpx.AsyncHTTPTransport(), URLS, limits())


def test_a_seller_sees_what_it_takes_to_connect():
    channel = a_channel()
    description = channel.description
    assert (description.type, description.name) == ("wish", "Wish")
    assert description.credential_fields == ("client_id", "client_secret")
    assert len(description.setup_steps) >= 5
    assert channel.required_scopes == {"merchant:read", "orders:read", "products:read", "products:write"}


def test_the_steps_name_every_scope_that_whoever_connects_today_would_miss_tomorrow():
    channel = a_channel()
    needed, optional = (
        next(step for step in channel.description.setup_steps if start in step)
        for start in ("Grant the app", "optional")
    )
    assert all(scope in needed for scope in channel.required_scopes)
    assert all(scope in optional for scope in ("orders:write", "webhook:read", "webhook:write"))


def test_the_steps_name_the_button_of_our_page_and_none_that_does_not_exist():
    steps = " ".join(a_channel().description.setup_steps)
    assert "Continue to Wish" in steps
    assert "Press Connect" not in steps


def test_the_logo_is_a_drawing_without_scripts_or_links():
    logo = a_channel().description.logo_svg
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(logo).iter()}
    assert tags <= {"svg", "rect", "path"}


def test_currencies_are_codes_without_doubles():
    currencies = a_channel().description.currencies
    assert {"USD", "EUR", "GBP", "JPY", "KWD"} <= set(currencies)
    assert all(len(code) == 3 and code.isupper() for code in currencies)
    assert len(set(currencies)) == len(currencies)
    assert list(currencies) == sorted(currencies)


async def test_each_environment_has_its_own_address():
    channel = a_channel()
    asked = ConsentRequest("app", Environment.PRODUCTION, "s", "c")
    assert channel.consent_url(asked).startswith("https://wish.test/v3/oauth/authorize?")
    assert channel.issuer(Environment.SANDBOX) == "https://sandbox.test"
    with respx.mock as router:
        router.get("https://wish.test/api/v3/oauth/test").mock(return_value=ok({"merchant_id": "m1"}))
        shop: Shop = channel.shop(an_access(), a_context())
        assert await shop.merchant_id() == "m1"


def test_no_second_httpx_is_installed_that_mocks_would_not_see():
    assert importlib.util.find_spec("httpx2") is None
