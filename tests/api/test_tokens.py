import asyncio
import base64
import hmac
import time
from collections import Counter
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.api.world import World

from channel_sync.api.tokens import FIRST_KEYS_AGAIN_S, KEYS_LIFETIME_S, Issuer, Tokens
from channel_sync.domain.errors import ChannelUnavailable

ISSUER = "https://id.example"
AUDIENCE = "channel-sync"


class Published:
    """The issuer's keys; counts how often they are asked for."""

    def __init__(self, *keys: RSAKey) -> None:
        self.published = list(keys)
        self.asked = Counter[str]()
        self.away = False

    async def keys(self) -> dict[str, Any]:
        self.asked["keys"] += 1
        if self.away:
            raise ChannelUnavailable("issuer_unavailable", "The identity provider does not answer.")
        return {"keys": [key.as_dict(private=False) for key in self.published]}


def rsa(key_id: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": key_id, "use": "sig"})


KEY, OTHER_KEY = rsa("k1"), rsa("k2")


def token(key: RSAKey = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A good token of the tenant `acme`, but for the claims given; None leaves one out."""
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": int(time.time()) + 300,
        "sub": "user-1",
        "tenant": "acme",
        "scope": "integrations:read stock:read",
    }
    chosen = {name: value for name, value in (good | claims).items() if value is not None}
    return jwt.encode(header or {"alg": "RS256", "kid": key.kid}, chosen, key)


def encoded(part: bytes) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


@pytest.fixture
def published(world) -> Published:
    """The keys of the issuer that the deployment trusts."""
    source = Published(KEY)
    world.issuer = Issuer(ISSUER, AUDIENCE, source)
    return source


async def get(world: World, credential: str, place: str = "/integrations") -> httpx.Response:
    async with world.browser() as client:
        return await client.get(place, headers={"Authorization": f"Bearer {credential}"})


async def test_a_good_token_acts_for_its_tenant_with_its_scopes(world, published):
    async with world.caller() as admin:
        await world.connect(admin)
    assert len((await get(world, token())).json()["items"]) == 1
    assert (await get(world, token(tenant="other"))).json()["items"] == []
    assert (await get(world, token(), "/orders")).status_code == 403
    assert (await get(world, token(aud=["else", AUDIENCE]))).status_code == 200


async def test_api_keys_work_beside_tokens(world, published):
    assert (await get(world, await world.key())).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": int(time.time()) + 3600},
        {"tenant": None},
        {"tenant": 7},
        {"tenant": ""},
        {"tenant": "a\0b"},
        {"tenant": "a" * 201},
        {"scope": None},
        {"scope": ["integrations:read"]},
    ],
)
async def test_a_token_with_a_bad_claim_is_401(world, published, claims):
    assert (await get(world, token(**claims))).status_code == 401


async def test_a_token_signed_by_another_key_is_401(world, published):
    assert (await get(world, token(OTHER_KEY, {"alg": "RS256", "kid": "k1"}))).status_code == 401


async def test_a_token_without_a_signature_or_with_a_shared_secret_is_401(world, published):
    header, body, _ = token().split(".")
    hs256 = encoded(b'{"alg":"HS256","kid":"k1"}') + f".{body}"
    confused = hmac.new(KEY.as_pem(private=False), hs256.encode(), "sha256").digest()
    unsigned = encoded(b'{"alg":"none","kid":"k1"}') + f".{body}."
    for bad in (
        f"{hs256}.{encoded(confused)}",
        unsigned,
        f"{header}.{body}.",
        f"{header}.{body}.AAAA",
        f"{header}.{body}",
    ):
        assert (await get(world, bad)).status_code == 401


@pytest.mark.parametrize(
    "bad", ["a.b.c", "e30.e30.e30", "eyJraWQiOjF9.e30.AA", "W10.e30.AA", "_w.e30.AA", "A.A.A"]
)
async def test_text_that_only_looks_like_a_token_is_401(world, published, bad):
    assert (await get(world, bad)).status_code == 401


async def test_without_an_issuer_no_token_is_good(world):
    assert (await get(world, token())).status_code == 401


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_the_keys_are_asked_for_once():
    source = Published(KEY)
    tokens = Tokens(Issuer(ISSUER, AUDIENCE, source))
    assert all([await tokens.caller(token()) for _ in range(5)])
    assert source.asked["keys"] == 1


async def test_an_unknown_key_id_asks_again_but_at_most_once_a_minute():
    source, clock = Published(KEY), Clock()
    tokens = Tokens(Issuer(ISSUER, AUDIENCE, source), clock)
    await tokens.caller(token())
    source.published.append(OTHER_KEY)
    assert not any([await tokens.caller(token(OTHER_KEY)) for _ in range(5)])
    assert source.asked["keys"] == 1
    clock.now += 61
    assert await tokens.caller(token(OTHER_KEY))
    assert source.asked["keys"] == 2


async def test_a_key_that_is_no_longer_published_stops_being_good():
    source, clock = Published(KEY), Clock()
    tokens = Tokens(Issuer(ISSUER, AUDIENCE, source), clock)
    assert await tokens.caller(token())
    source.published = [OTHER_KEY]
    clock.now += KEYS_LIFETIME_S + 1
    assert await tokens.caller(token()) is None


async def test_while_the_issuer_is_away_the_keys_at_hand_go_on_working():
    source, clock = Published(KEY), Clock()
    tokens = Tokens(Issuer(ISSUER, AUDIENCE, source), clock)
    await tokens.caller(token())
    source.away = True
    clock.now += KEYS_LIFETIME_S + 1
    assert await tokens.caller(token())


async def test_an_issuer_that_is_away_from_the_start_is_asked_once_for_all_who_wait():
    source, clock = Published(KEY), Clock()
    source.away = True
    tokens = Tokens(Issuer(ISSUER, AUDIENCE, source), clock)
    answers = await asyncio.gather(*(tokens.caller(token()) for _ in range(5)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {ChannelUnavailable}
    assert source.asked["keys"] == 1
    source.away = False
    clock.now += FIRST_KEYS_AGAIN_S + 1
    assert await tokens.caller(token())


async def test_an_issuer_that_was_never_reached_is_503(world, published):
    published.away = True
    answer = await get(world, token())
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
    assert answer.headers["retry-after"]
