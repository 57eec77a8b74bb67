import asyncio

import pytest
from tests.api.contract import GUARDED, OPERATIONS, UNKNOWN_ATTEMPT, Operation, ids

from channel_sync.domain.keys import SCOPES

WRONG_KEY = "csk_" + "x" * 43


async def test_only_these_operations_are_open():
    assert {operation.path for operation in OPERATIONS if operation.scope is None} == {
        "/channels/{channel_type}/logo.svg",
        "/wish/authorise",
        "/wish/callback",
        "/health/live",
        "/health/ready",
    }


@pytest.mark.parametrize("operation", GUARDED, ids=ids(GUARDED))
async def test_without_a_credential_nothing_is_told(world, operation: Operation):
    async with world.browser() as client:
        answer = await operation.call(client, UNKNOWN_ATTEMPT)
    assert (answer.status_code, answer.json()["code"]) == (401, "credential_missing")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("operation", GUARDED, ids=ids(GUARDED))
async def test_exactly_its_scope_and_admin_open_an_operation(world, operation: Operation):
    refused = set()
    for scope in SCOPES:
        async with world.caller(scope) as client:
            answer = await operation.call(client, UNKNOWN_ATTEMPT)
        assert answer.status_code not in (401, 500)
        if answer.status_code == 403:
            assert answer.json()["code"] == "insufficient_scope"
            refused.add(scope)
    implied = {"credentials:write"} if operation.scope == "credentials:verify" else set()
    assert refused == set(SCOPES) - {operation.scope, "admin"} - implied


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "bearer {key}",
        "Basic {key}",
        "{key}",
        "Bearer  {key}",
        "Bearer {key} ",
        "Bearer {key},Bearer {key}",
        "Bearer " + "x" * 65_536,
        "Bearer csk_\u00e4",
        f"Bearer {WRONG_KEY}",
        "Bearer a.b.c",
    ],
)
async def test_an_odd_authorization_header_is_401(world, value):
    key = await world.key()
    async with world.browser() as client:
        header = value.replace("{key}", key).encode("latin-1")
        answer = await client.get("/integrations", headers=[(b"Authorization", header)])
    assert answer.status_code == 401


async def test_two_authorization_headers_are_401(world):
    header = ("Authorization", f"Bearer {await world.key()}")
    async with world.browser() as client:
        assert (await client.get("/integrations", headers=[header, header])).status_code == 401


async def test_nul_in_the_credential_is_401(world):
    async with world.browser() as client:
        answer = await client.get("/integrations", headers=[(b"Authorization", b"Bearer csk_\x00" + b"x" * 40)])
    assert answer.status_code == 401


@pytest.mark.parametrize("name", ["key", "api_key", "access_token", "authorization"])
async def test_a_key_in_the_query_is_no_credential(world, name):
    async with world.browser() as client:
        assert (await client.get("/integrations", params={name: await world.key()})).status_code == 401


async def test_the_tenant_comes_from_the_credential_only(world):
    async with world.caller(tenant="acme") as acme:
        await world.connect(acme)
    async with world.caller(tenant="other") as other:
        spoofs = {"X-Tenant-Id": "acme", "X-User-Id": "acme"}
        answer = await other.get("/integrations", headers=spoofs)
        in_the_query = await other.get("/integrations?tenant_id=acme&tenant=acme")
    assert answer.json()["items"] == []
    assert in_the_query.status_code == 422


async def test_a_revoked_key_stops_working_within_a_second(world, admin):
    async with world.caller("integrations:read") as caller:
        assert (await caller.get("/integrations")).status_code == 200
        keys = (await admin.get("/api-keys")).json()["items"]
        revoked = next(key["id"] for key in keys if key["scopes"] == ["integrations:read"])
        assert (await admin.delete(f"/api-keys/{revoked}")).status_code == 204
        await asyncio.sleep(0.6)
        assert (await caller.get("/integrations")).status_code == 401


async def test_guessing_is_slowed_down_while_a_good_key_goes_on_working(world):
    good = {"Authorization": f"Bearer {await world.key()}"}
    async with world.browser() as client:
        wrong = {"Authorization": f"Bearer {WRONG_KEY}"}
        answers = [await client.get("/integrations", headers=wrong) for _ in range(230)]
        assert (await client.get("/integrations", headers=good)).status_code == 200
    assert (answers[0].status_code, answers[-1].status_code) == (401, 429)
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_guessing_from_one_address_does_not_slow_another(world):
    wrong = {"Authorization": f"Bearer {WRONG_KEY}"}
    async with world.browser("198.51.100.1") as guesser, world.browser("198.51.100.2") as other:
        for _ in range(230):
            await guesser.get("/integrations", headers=wrong)
        assert (await other.get("/integrations", headers=wrong)).status_code == 401


async def test_an_address_in_a_forwarded_header_does_not_move_the_budget(world):
    async with world.browser() as client:
        for number in range(230):
            headers = {"Authorization": f"Bearer {WRONG_KEY}", "X-Forwarded-For": f"203.0.113.{number}"}
            answer = await client.get("/integrations", headers=headers)
    assert answer.status_code == 429
