import hmac
import time

import httpx
import pytest
from tests.api.signing import AUDIENCE, ISSUER, KEY, OTHER_KEY, Published, encoded, token
from tests.api.world import World

from channel_sync.api.http.tokens import Issuer, Tokens


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


SPACED = "integrations:read stock:read"


@pytest.mark.parametrize(
    ("names", "claims"),
    [
        (("tenant", "scope"), {"scope": ["integrations:read", "odd"]}),
        (("tenant", "scp"), {"scope": None, "scp": ["integrations:read"]}),
        (("tenant", "scp"), {"scope": "admin", "scp": SPACED}),
        (("https://x.example/tenant", "scope"), {"tenant": "other", "https://x.example/tenant": "acme"}),
        (("realm.tenant", "scope"), {"tenant": None, "realm": {"tenant": "acme"}}),
        (("realm.tenant", "scope"), {"realm.tenant": "acme", "realm": {"tenant": "other"}}),
        (("https://x.example/app.tenant", "scope"), {"https://x.example/app": {"tenant": "acme"}}),
        (("tenant", "access.channel-sync.roles"), {"access": {"channel-sync": {"roles": ["integrations:read"]}}}),
    ],
)
async def test_the_claims_that_count_can_be_named(world, published, names, claims):
    world.issuer = Issuer(ISSUER, AUDIENCE, published, *names)
    async with world.caller() as admin:
        await world.connect(admin)
    answer = await get(world, token(**claims))
    assert (answer.status_code, len(answer.json()["items"])) == (200, 1)


@pytest.mark.parametrize("name", ["realm.tenant", "realm.", ".tenant", "a.b.c", "realm.tenant.name"])
async def test_a_claim_that_leads_nowhere_is_missing(world, published, name):
    world.issuer = Issuer(ISSUER, AUDIENCE, published, tenant_claim=name)
    assert (await get(world, token(realm="acme"))).json()["code"] == "token_missing_claim"


@pytest.mark.parametrize("subject", ["jane@example.com", "\ud800", ""])
async def test_the_subject_of_a_token_tells_callers_apart_and_is_told_to_nobody(published, subject):
    tokens = Tokens(Issuer(ISSUER, AUDIENCE, published))
    callers = [await tokens.caller(token(sub=sub)) for sub in (subject, subject, "another")]
    first, again, another = (caller.key_id for caller in callers)
    assert first == again != another
    assert first.startswith("jwt_")
    assert subject == "" or subject not in first


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
        {"scope": 7},
        {"scope": [7]},
        {"scope": {"integrations:read": True}},
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


async def test_an_issuer_that_was_never_reached_is_503(world, published):
    published.away = True
    answer = await get(world, token())
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
    assert answer.headers["retry-after"]
