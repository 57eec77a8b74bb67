"""Codes, access tokens, refresh tokens."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.simulator.simulated import REDIRECT_URI, Simulated


def names_for_exchange(wish: Simulated, **changes: str) -> dict[str, str]:
    return {
        "client_id": wish.app.client_id,
        "client_secret": wish.app.newest_secret,
        "code": wish.market.grants.consent(wish.app, wish.shop.merchant),
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT_URI,
        **changes,
    }


async def exchange(wish: Simulated, **changes: str) -> Any:
    async with wish.anonymous() as http:
        answer = await http.post("/api/v3/oauth/access_token", json=names_for_exchange(wish, **changes))
    return answer.json()


async def refresh(wish: Simulated, **changes: str) -> Any:
    names = {
        "client_id": wish.app.client_id,
        "client_secret": wish.app.newest_secret,
        "refresh_token": wish.token.grant.refresh_token,
        "grant_type": "refresh_token",
        **changes,
    }
    async with wish.anonymous() as http:
        answer = await http.get("/api/v3/oauth/refresh_token", params=names)
    return answer.json()


async def ask_test(wish: Simulated, access_token: str) -> httpx.Response:
    async with wish.anonymous(Authorization=f"Bearer {access_token}") as http:
        return await http.get("/api/v3/oauth/test")


async def code_of(wish: Simulated, access_token: str) -> int:
    code: int = (await ask_test(wish, access_token)).json()["code"]
    return code


async def test_a_code_becomes_tokens_of_its_merchant_with_the_scopes_of_the_app(wish: Simulated) -> None:
    tokens = (await exchange(wish))["data"]
    assert tokens["merchant_id"] == wish.shop.merchant.id
    assert tokens["scopes"] == list(wish.app.scopes)
    assert await code_of(wish, tokens["access_token"]) == 0


async def test_a_code_works_by_get_too(wish: Simulated) -> None:
    async with wish.anonymous() as http:
        answer = await http.get("/api/v3/oauth/access_token", params=names_for_exchange(wish))
    assert await code_of(wish, answer.json()["data"]["access_token"]) == 0


async def test_a_code_works_once(wish: Simulated) -> None:
    code = wish.market.grants.consent(wish.app, wish.shop.merchant)
    await exchange(wish, code=code)
    assert (await exchange(wish, code=code))["code"] == 10002


async def test_a_code_dies_after_five_minutes(wish: Simulated) -> None:
    code = wish.market.grants.consent(wish.app, wish.shop.merchant)
    wish.wait(300)
    assert (await exchange(wish, code=code))["code"] == 10004


async def test_a_code_lives_just_under_five_minutes(wish: Simulated) -> None:
    code = wish.market.grants.consent(wish.app, wish.shop.merchant)
    wish.wait(295)
    assert (await exchange(wish, code=code))["code"] == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code": "0" * 32}, 10008),
        ({"client_secret": "wrong"}, 10001),
        ({"client_id": "0" * 24}, 10001),
        ({"redirect_uri": "https://elsewhere.example/"}, 10001),
        ({"grant_type": "password"}, 1001),
    ],
)
async def test_a_wrong_name_in_the_exchange_has_its_own_code(
    wish: Simulated, changes: dict[str, str], code: int
) -> None:
    assert (await exchange(wish, **changes))["code"] == code


async def test_an_exchange_without_a_secret_is_a_bad_parameter(wish: Simulated) -> None:
    names = names_for_exchange(wish)
    del names["client_secret"]
    async with wish.anonymous() as http:
        answer = await http.post("/api/v3/oauth/access_token", json=names)
    assert (answer.status_code, answer.json()["code"]) == (400, 1001)


async def test_a_new_consent_ends_the_tokens_of_the_one_before(wish: Simulated) -> None:
    await exchange(wish)
    assert await code_of(wish, wish.token.value) == 1008


async def test_a_new_consent_can_leave_older_tokens_alone(wish: Simulated) -> None:
    wish.market.switches.change({"new_consent_revokes": False})
    await exchange(wish)
    assert await code_of(wish, wish.token.value) == 0


async def test_an_access_token_expires_after_thirty_days(wish: Simulated) -> None:
    wish.wait(30 * 24 * 3600 - 60)
    assert await code_of(wish, wish.token.value) == 0
    wish.wait(60)
    assert await code_of(wish, wish.token.value) == 1007


async def test_an_unknown_access_token_is_not_authorised(wish: Simulated) -> None:
    assert await code_of(wish, "0" * 32) == 1006


async def test_a_missing_access_token_is_code_1012_with_status_401(wish: Simulated) -> None:
    async with wish.anonymous() as http:
        answer = await http.get("/api/v3/orders")
    assert (answer.status_code, answer.json()["code"]) == (401, 1012)


async def test_a_refresh_revokes_every_earlier_access_token(wish: Simulated) -> None:
    second = (await refresh(wish))["data"]["access_token"]
    third = (await refresh(wish))["data"]["access_token"]
    assert [await code_of(wish, one) for one in (wish.token.value, second, third)] == [1008, 1008, 0]


async def test_a_refresh_leaves_other_merchants_alone(wish: Simulated) -> None:
    other = wish.market.grant(wish.app, wish.market.add_merchant(login="other"))
    await refresh(wish)
    assert await code_of(wish, other.value) == 0


async def test_without_rotation_the_refresh_token_stays(wish: Simulated) -> None:
    wish.market.switches.change({"refresh_token_rotation": "none"})
    before = wish.token.grant.refresh_token
    assert (await refresh(wish))["data"]["refresh_token"] == before


async def test_with_grace_the_old_refresh_token_still_works_for_a_while(wish: Simulated) -> None:
    old = wish.token.grant.refresh_token
    assert (await refresh(wish))["data"]["refresh_token"] != old
    assert (await refresh(wish, refresh_token=old))["code"] == 0


async def test_after_the_grace_the_old_refresh_token_is_refused_and_the_new_one_works(wish: Simulated) -> None:
    old = wish.token.grant.refresh_token
    new = (await refresh(wish))["data"]["refresh_token"]
    wish.wait(600)
    assert (await refresh(wish, refresh_token=old))["code"] == 1006
    assert (await refresh(wish, refresh_token=new))["code"] == 0


async def test_strict_rotation_ends_the_family_when_an_old_refresh_token_comes_back(wish: Simulated) -> None:
    wish.market.switches.change({"refresh_token_rotation": "strict"})
    old = wish.token.grant.refresh_token
    fresh = (await refresh(wish))["data"]
    assert (await refresh(wish, refresh_token=old))["code"] == 1006
    assert await code_of(wish, fresh["access_token"]) == 1008
    assert (await refresh(wish, refresh_token=fresh["refresh_token"]))["code"] == 1006


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"refresh_token": "0" * 32}, 1006),
        ({"client_secret": "wrong"}, 10001),
        ({"grant_type": "authorization_code"}, 1001),
        ({"refresh_token": ""}, 1001),
    ],
)
async def test_a_wrong_name_in_the_refresh_has_its_own_code(
    wish: Simulated, changes: dict[str, str], code: int
) -> None:
    assert (await refresh(wish, **changes))["code"] == code


async def test_a_merchant_who_revokes_ends_access_and_refresh(wish: Simulated) -> None:
    wish.token.grant.revoke()
    assert await code_of(wish, wish.token.value) == 1008
    assert (await refresh(wish))["code"] == 1006


async def test_a_disabled_account_is_code_1002_everywhere(wish: Simulated) -> None:
    wish.shop.merchant.is_disabled = True
    assert await code_of(wish, wish.token.value) == 1002
    assert (await refresh(wish))["code"] == 1002
    assert (await wish.get("/orders")).json()["code"] == 1002


async def test_both_secrets_work_until_the_older_is_deleted(wish: Simulated) -> None:
    old = wish.app.newest_secret
    wish.app.add_secret()
    assert (await refresh(wish, client_secret=old))["code"] == 0
    wish.app.drop_oldest_secret()
    assert (await refresh(wish, client_secret=old))["code"] == 10001


async def test_a_token_without_the_scope_is_refused(wish: Simulated) -> None:
    narrow = wish.market.grants.grant(wish.app, wish.shop.merchant, ("products:read",))
    wish.http.headers["authorization"] = f"Bearer {narrow.value}"
    assert (await wish.get("/products")).status_code == 200
    assert (await wish.get("/orders")).json()["code"] == 1006


async def test_token_errors_are_status_400_or_401_as_switched(wish: Simulated) -> None:
    assert (await ask_test(wish, "bad")).status_code == 400
    wish.market.switches.change({"token_error_status": 401})
    assert (await ask_test(wish, "bad")).status_code == 401


async def test_refreshes_that_overlap_are_counted(wish: Simulated) -> None:
    wish.market.switches.change({"latency_s": 0.02})
    await asyncio.gather(refresh(wish), refresh(wish))
    await refresh(wish)
    counters = wish.market.journal.counters
    assert (counters.refreshes, counters.refresh_overlaps) == (3, 1)


async def test_the_use_of_a_revoked_token_is_counted(wish: Simulated) -> None:
    await refresh(wish)
    await code_of(wish, wish.token.value)
    assert wish.market.journal.counters.revoked_token_uses == 1
