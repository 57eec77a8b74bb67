"""Where the keys of an issuer come from, and what is done when they do not."""

import httpx
import pytest
import respx

from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.main.issuer import PublishedKeys, issuer_of
from channel_sync.settings import read_settings

ISSUER = "https://id.example/realm/"
DISCOVERY = "https://id.example/realm/.well-known/openid-configuration"
KEYS = "https://keys.example/jwks"
DOCUMENT = {"issuer": ISSUER, "jwks_uri": KEYS}
PUBLISHED = {"keys": [{"kty": "RSA", "kid": "k1"}]}


def test_the_settings_name_the_issuer_and_its_claims(monkeypatch):
    named = {"ISSUER": ISSUER, "AUDIENCE": "channel-sync", "TENANT_CLAIM": "https://x.example/tenant"}
    for name, value in (named | {"SCOPE_CLAIM": "scp"}).items():
        monkeypatch.setenv(f"CHANNEL_SYNC_OIDC_{name}", value)
    issuer = issuer_of(read_settings())
    assert issuer is not None
    assert (issuer.url, issuer.audience) == (ISSUER, "channel-sync")
    assert (issuer.tenant_claim, issuer.scope_claim) == ("https://x.example/tenant", "scp")


def test_without_an_issuer_in_the_settings_there_is_none():
    assert issuer_of(read_settings()) is None


@pytest.fixture
def web():
    with respx.mock(assert_all_called=False) as routes:
        routes.get(DISCOVERY).respond(json=DOCUMENT)
        routes.get(KEYS).respond(json=PUBLISHED)
        yield routes


async def test_the_keys_are_found_through_the_discovery_document(web):
    assert await PublishedKeys(ISSUER, httpx.AsyncHTTPTransport).keys() == PUBLISHED


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
        await PublishedKeys(ISSUER, httpx.AsyncHTTPTransport).keys()


@pytest.mark.parametrize("failure", [httpx.ConnectError("CANARY"), httpx.ReadTimeout("CANARY")])
async def test_an_issuer_that_does_not_answer_is_an_outage_without_its_words(web, failure):
    web.get(KEYS).mock(side_effect=failure)

    with pytest.raises(ChannelUnavailable) as unavailable:
        await PublishedKeys(ISSUER, httpx.AsyncHTTPTransport).keys()

    assert "CANARY" not in str(unavailable.value)


async def test_keys_from_beyond_this_machine_come_by_plain_http_only_where_that_is_permitted(web):
    plain = "http://keys.example/jwks"
    web.get(DISCOVERY).respond(json={**DOCUMENT, "jwks_uri": plain})
    asked = web.get(plain).respond(json=PUBLISHED)

    with pytest.raises(ChannelUnavailable):
        await PublishedKeys(ISSUER, httpx.AsyncHTTPTransport).keys()
    assert not asked.called
    assert await PublishedKeys(ISSUER, httpx.AsyncHTTPTransport, plain_http=True).keys() == PUBLISHED
