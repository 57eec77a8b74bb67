"""Where the keys of an issuer come from, and what is done when they do not."""

import httpx
import pytest
import respx

from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.main.issuer import PublishedKeys

ISSUER = "https://id.example/realm/"
DISCOVERY = "https://id.example/realm/.well-known/openid-configuration"
KEYS = "https://keys.example/jwks"
DOCUMENT = {"issuer": ISSUER, "jwks_uri": KEYS}
PUBLISHED = {"keys": [{"kty": "RSA", "kid": "k1"}]}


@pytest.fixture
def web():
    with respx.mock(assert_all_called=False) as routes:
        routes.get(DISCOVERY).respond(json=DOCUMENT)
        routes.get(KEYS).respond(json=PUBLISHED)
        yield routes


async def test_the_keys_are_found_through_the_discovery_document(web):
    assert await PublishedKeys(ISSUER, httpx.AsyncClient).keys() == PUBLISHED


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(500),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={}),
        httpx.Response(200, json={**DOCUMENT, "issuer": "https://other.example"}),
        httpx.Response(302, headers={"Location": "https://elsewhere.example"}),
        httpx.Response(200, content=b"[" + b" " * 2_000_000),
        httpx.Response(200, content=b"[" * 900_000),
        httpx.Response(200, content=b"9" * 5_000),
    ],
)
async def test_an_unusable_discovery_document_is_an_outage(web, reply):
    web.get(DISCOVERY).mock(return_value=reply)

    with pytest.raises(ChannelUnavailable):
        await PublishedKeys(ISSUER, httpx.AsyncClient).keys()


@pytest.mark.parametrize("failure", [httpx.ConnectError("CANARY"), httpx.ReadTimeout("CANARY")])
async def test_an_issuer_that_does_not_answer_is_an_outage_without_its_words(web, failure):
    web.get(KEYS).mock(side_effect=failure)

    with pytest.raises(ChannelUnavailable) as unavailable:
        await PublishedKeys(ISSUER, httpx.AsyncClient).keys()

    assert "CANARY" not in str(unavailable.value)


async def test_keys_from_beyond_this_machine_come_by_plain_http_only_where_that_is_permitted(web):
    plain = "http://keys.example/jwks"
    web.get(DISCOVERY).respond(json={**DOCUMENT, "jwks_uri": plain})
    asked = web.get(plain).respond(json=PUBLISHED)

    with pytest.raises(ChannelUnavailable):
        await PublishedKeys(ISSUER, httpx.AsyncClient).keys()
    assert not asked.called
    assert await PublishedKeys(ISSUER, httpx.AsyncClient, plain_http=True).keys() == PUBLISHED
