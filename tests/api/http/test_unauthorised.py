"""A refused credential says why, as far as that helps its owner and not a guesser."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.api.signing import AUDIENCE, ISSUER, KEY, OTHER_KEY, Published, encoded, token
from tests.api.world import CONSOLE

from channel_sync.api.http.tokens import Issuer, Tokens
from channel_sync.api.http.unauthorised import Unauthorised

WRONG_KEY = "csk_" + "x" * 43


async def refused(world, credential: str | None):
    headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
    async with world.browser() as client:
        answer = await client.get("/integrations", headers={"Origin": CONSOLE, **headers})
    assert answer.status_code == 401
    return answer


@pytest.fixture
def published(world) -> Published:
    source = Published(KEY)
    world.issuer = Issuer(ISSUER, AUDIENCE, source)
    return source


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1}, "token_expired"),
        ({"iss": "https://evil.example"}, "token_invalid_issuer"),
        ({"iss": "https://evil.example", "exp": 1}, "token_invalid_issuer"),
        ({"aud": "other"}, "token_invalid_audience"),
        ({"aud": ["other", "another"]}, "token_invalid_audience"),
        ({"iss": None}, "token_missing_claim"),
        ({"aud": None}, "token_missing_claim"),
        ({"exp": None}, "token_missing_claim"),
        ({"exp": "soon"}, "token_missing_claim"),
        ({"sub": 7}, "token_missing_claim"),
        ({"tenant": None}, "token_missing_claim"),
        ({"tenant": 7}, "token_missing_claim"),
        ({"scope": None}, "token_missing_claim"),
        ({"scope": 7}, "token_missing_claim"),
        ({"scope": ["stock:read", 7]}, "token_missing_claim"),
        ({"nbf": int(time.time()) + 3600}, "token_not_yet_valid"),
    ],
)
async def test_a_token_of_ours_says_what_is_wrong_with_it(world, published, claims, code):
    answer = await refused(world, token(**claims))
    assert answer.json()["code"] == code
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="channel-sync", error="invalid_token"')
    assert f'error_description="{code}: ' in challenge
    assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]


async def test_a_missing_claim_is_named_as_the_settings_name_it(world, published):
    world.issuer = Issuer(ISSUER, AUDIENCE, published, tenant_claim="https://x.example/tenant")
    answer = await refused(world, token())
    assert answer.json()["detail"] == "This token has no usable claim https://x.example/tenant."


async def test_a_revoked_key_says_so(world, admin):
    key = (await admin.post("/api-keys", json={"name": "k", "scopes": ["admin"]})).json()
    await admin.delete(f"/api-keys/{key['id']}")
    assert (await refused(world, key["key"])).json()["code"] == "token_revoked"


async def test_without_a_credential_there_is_no_error_in_the_challenge(world):
    answer = await refused(world, None)
    assert answer.json()["code"] == "credential_missing"
    assert answer.headers["www-authenticate"] == 'Bearer realm="channel-sync"'


async def test_an_unknown_and_a_malformed_credential_are_alike(world, published):
    forged = token(OTHER_KEY, {"alg": "RS256", "kid": "k1"}, exp=1)
    strange = token(OTHER_KEY, iss="https://evil.example")
    guesses = [WRONG_KEY, "csk_short", "nonsense", "a.b.c", "x" * 9000, f"{token()}x", forged, strange]
    answers = [await refused(world, guess) for guess in guesses]
    assert {answer.json()["code"] for answer in answers} == {"token_unknown"}
    assert len({(answer.json()["detail"], answer.headers["www-authenticate"]) for answer in answers}) == 1


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 3000,
        b'{"kid":' + b"[" * 3000,
        b'{"kid":"k1","alg":' + b"[" * 3000,
        b'{"kid":"k1","alg":"RS256","x":' + b"[" * 2900 + b"]" * 2900 + b"}",
        b'{"kid":"k1","alg":"RS256","x":' + b"1" * 5000 + b"}",
        b'{"kid":"k1","alg":"RS256","crit":["x"]}',
        b'{"kid":"k1","alg":["RS256"]}',
        b'{"kid":"k1","alg":{}}',
        b'{"kid":"k1","alg":"ES256"}',
        b'{"kid":"k1","alg":"RS256","b64":false}',
        b'{"kid":"k1"}',
        b"null",
        b"\xff\xfe",
    ],
)
async def test_an_odd_header_is_401_and_never_500(world, published, header):
    assert (await refused(world, f"{encoded(header)}.e30.AAAA")).json()["code"] == "token_unknown"


async def test_a_payload_that_is_nested_deeper_than_any_parser_goes_is_401(world, published):
    deep = b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"
    header = encoded(b'{"alg":"RS256","kid":"k1"}')
    assert (await refused(world, f"{header}.{encoded(deep)}.AAAA")).json()["code"] == "token_unknown"


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60), st.text('{}[]",:kidalg10', max_size=40)
)
async def test_no_text_that_is_shaped_like_a_token_breaks_the_reader(first, second, third, json_like):
    tokens = Tokens(Issuer(ISSUER, AUDIENCE, Published(KEY)))
    for header in (first, json_like.encode(), b'{"alg":"RS256","kid":"k1"}' + first):
        text = ".".join(encoded(part) for part in (header, second, third))
        with pytest.raises(Unauthorised):
            await tokens.caller(text)


async def test_an_expired_token_is_no_guess(world, published):
    async with world.browser() as client:
        expired = {"Authorization": f"Bearer {token(exp=1)}"}
        answers = [await client.get("/integrations", headers=expired) for _ in range(230)]
    assert {answer.status_code for answer in answers} == {401}
