import pytest
from tests.api.contract import OPERATIONS, UNKNOWN_ATTEMPT, Operation, ids
from tests.api.world import CONSOLE

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FOO", "OPTIONS"}
# Their last word would be an id, or a SKU, where somebody reads.
_READ_AS_AN_ID = ("/orders/acknowledge", "/orders/disclose", "/orders/dispatch", "/orders/erase", "/stock/push")
PLACES = ["/integrations", "/health/live", "/no/such/place", "/wish/callback", "/channels/nowhere/logo.svg"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("with_key", [True, False])
async def test_every_answer_has_the_security_headers(world, place, with_key):
    async with world.caller() as caller, world.browser() as stranger:
        answer = await (caller if with_key else stranger).get(place)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers


async def test_the_logo_may_be_cached(world):
    async with world.browser() as browser:
        logo = await browser.get("/channels/wish/logo.svg")
    assert (logo.status_code, logo.headers["content-type"]) == (200, "image/svg+xml")
    assert logo.headers["cache-control"] == "public, max-age=86400"
    assert "sandbox" in logo.headers["content-security-policy"]


@pytest.mark.parametrize("given", ["abc", "a" * 128, "4bf92f3577b34da6a3ce929d0e0e4736", "trace:1/2=3"])
async def test_a_sane_request_id_is_taken_over(admin, given):
    answer = await admin.get("/orders/none", headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", "a" * 129, "a b", "a\tb", "<script>", '"', "ä"])
async def test_an_odd_request_id_is_replaced(admin, given):
    answer = await admin.get("/orders/none", headers=[(b"X-Request-Id", given.encode())])
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


async def test_two_request_ids_are_none(admin):
    answer = await admin.get("/runs", headers=[("X-Request-Id", "a"), ("X-Request-Id", "b")])
    assert answer.headers["x-request-id"].startswith("req_")


async def test_the_console_may_read_answers_across_origins(admin):
    answer = await admin.get("/integrations", headers={"Origin": CONSOLE})
    assert answer.headers["access-control-allow-origin"] == CONSOLE
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert {"ETag", "Link", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"} <= exposed
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


async def test_a_preflight_needs_no_credential(world):
    asked = {
        "Origin": CONSOLE,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, content-type, if-match, idempotency-key",
    }
    async with world.browser() as browser:
        answer = await browser.options("/integrations/x", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, CONSOLE)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        f"{CONSOLE}.evil.example",
        CONSOLE.replace("https", "http"),
        CONSOLE.upper(),
        f"{CONSOLE}:8443",
        f"{CONSOLE}/",
    ],
)
async def test_no_other_origin_is_allowed(admin, origin):
    answer = await admin.get("/integrations", headers={"Origin": origin})
    preflight = await admin.options(
        "/integrations", headers={"Origin": origin, "Access-Control-Request-Method": "GET"}
    )
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in preflight.headers
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=ids(OPERATIONS))
async def test_other_methods_are_405_with_every_method_that_is_allowed(admin, operation: Operation):
    path = operation.path.format(**UNKNOWN_ATTEMPT)
    allowed = {other.method for other in OPERATIONS if other.path == operation.path}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    for method in METHODS - allowed:
        if method in ("GET", "HEAD") and path in _READ_AS_AN_ID:
            continue  # That reads an order of this id or the level of this SKU, and there is none.
        answer = await admin.request(method, path)
        assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, allowed), method


async def test_an_unknown_place_is_a_404_like_any_other(admin):
    answer = await admin.get("/CANARY/place")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "CANARY" not in answer.text


@pytest.mark.parametrize("path", ["/integrations/", "//integrations", "/integrations/%00", "/stock/%00"])
async def test_an_odd_path_is_404_and_never_a_redirect(admin, path):
    assert (await admin.get(path)).status_code == 404
