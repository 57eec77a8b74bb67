import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import respx
from tests.channels.factories import APP, BASE, NOW, a_client, ok, refused

from channel_sync.channels.wish.oauth import consent_url, redeem, renew
from channel_sync.domain.channel import Consent, ConsentRequest
from channel_sync.domain.errors import (
    AccountDisabled,
    ChannelError,
    ChannelRefused,
    ChannelUnavailable,
    ClientRejected,
    GrantRejected,
    RateLimited,
    ReplyNotUnderstood,
)
from channel_sync.domain.secrets import Secret

TOKEN_CALL = f"{BASE}/api/v3/oauth/access_token"
REFRESH_CALL = f"{BASE}/api/v3/oauth/refresh_token"
CONSENT = Consent(Secret("CNRY-code"), Secret("CNRY-verifier"), "https://us.test/wish/callback?a=1&b")
OLD = Secret("CNRY-old-refresh")
SECRETS = ("CNRY", APP.client_secret.value)


def tokens(**changes):
    return {
        "access_token": "CNRY-access",
        "refresh_token": "CNRY-refresh",
        "expiry_time": "2026-12-20T12:00:00.661+00:00",
        "merchant_id": "m1",
        "scopes": ["orders:read", "products:read"],
    } | changes


def without(name):
    return {key: value for key, value in tokens().items() if key != name}


async def redeemed(*answers):
    with respx.mock as router:
        route = router.post(TOKEN_CALL).mock(side_effect=list(answers))
        async with a_client() as client:
            return await redeem(client, APP, CONSENT), route.calls


async def renewed(*answers):
    with respx.mock as router:
        route = router.get(REFRESH_CALL).mock(side_effect=list(answers))
        async with a_client() as client:
            return await renew(client, APP, OLD), route.calls


def test_the_consent_page_gets_state_and_challenge_and_nothing_unknown():
    address = urlsplit(consent_url(BASE, ConsentRequest("client-1", APP.environment, "st&te", "ch")))
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{BASE}/v3/oauth/authorize"
    assert parse_qs(address.query) == {
        "client_id": ["client-1"],
        "state": ["st&te"],
        "code_challenge": ["ch"],
        "code_challenge_method": ["S256"],
    }


async def test_a_code_is_redeemed_by_a_json_body():
    grant, calls = await redeemed(ok(tokens()))
    request = calls.last.request
    assert request.url.query == b""
    assert "Authorization" not in request.headers
    assert json.loads(request.content) == {
        "client_id": APP.client_id,
        "client_secret": APP.client_secret.value,
        "code": "CNRY-code",
        "code_verifier": "CNRY-verifier",
        "grant_type": "authorization_code",
        "redirect_uri": CONSENT.redirect_url,
    }
    assert grant.access_token.value == "CNRY-access"
    assert grant.refresh_token.value == "CNRY-refresh"
    assert grant.expires_at == datetime(2026, 12, 20, 12, 0, 0, 661000, tzinfo=UTC)
    assert grant.merchant_id == "m1"
    assert grant.scopes == ("orders:read", "products:read")


async def test_a_code_that_nobody_here_asked_for_is_redeemed_without_a_verifier():
    with respx.mock as router:
        route = router.post(TOKEN_CALL).mock(return_value=ok(tokens()))
        async with a_client() as client:
            await redeem(client, APP, replace(CONSENT, code_verifier=None))

    assert "code_verifier" not in json.loads(route.calls.last.request.content)


async def test_a_renewal_is_a_read_with_everything_in_the_query():
    grant, calls = await renewed(ok(tokens()))
    assert dict(calls.last.request.url.params) == {
        "client_id": APP.client_id,
        "client_secret": APP.client_secret.value,
        "refresh_token": OLD.value,
        "grant_type": "refresh_token",
    }
    assert grant.refresh_token.value == "CNRY-refresh"


@pytest.mark.parametrize("answer", [without("refresh_token"), tokens(refresh_token=None)])
async def test_without_a_new_refresh_token_the_old_one_is_kept(answer):
    grant, _ = await renewed(ok(answer))
    assert grant.refresh_token == OLD
    assert grant.access_token.value == "CNRY-access"


@pytest.mark.parametrize("scopes", ["orders:read", {}, 5, [["orders:read"]], "missing"])
async def test_scopes_that_cannot_be_read_are_not_told(scopes):
    answer = without("scopes") if scopes == "missing" else tokens(scopes=scopes)
    grant, _ = await renewed(ok(answer))
    assert grant.scopes is None
    assert grant.access_token.value == "CNRY-access"


async def test_a_scope_that_cannot_be_one_is_none():
    grant, _ = await renewed(ok(tokens(scopes=["", "orders:read", "two words", "x" * 900])))
    assert grant.scopes == ("orders:read",)


async def test_a_first_grant_needs_a_refresh_token():
    with pytest.raises(ReplyNotUnderstood):
        await redeemed(ok(without("refresh_token")))


async def test_an_expiry_without_offset_is_utc():
    grant, _ = await renewed(ok(tokens(expiry_time="2026-12-20T12:00:00")))
    assert grant.expires_at == datetime(2026, 12, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "answer",
    [
        without("access_token"),
        without("expiry_time"),
        without("merchant_id"),
        tokens(access_token=""),
        tokens(access_token=12345),
        tokens(access_token="x" * 1_000_000),
        tokens(access_token="two words"),
        tokens(access_token="line\r\nHeader: x"),
        tokens(refresh_token=""),
        tokens(refresh_token=7),
        tokens(merchant_id=""),
        tokens(merchant_id=None),
        tokens(expiry_time="2026-11-20T11:59:59Z"),
        tokens(expiry_time="9999-12-31T23:59:59Z"),
        tokens(expiry_time="0001-01-01T00:00:00+05:00"),
        tokens(expiry_time="soon"),
        tokens(expiry_time=1793534400),
        [],
        None,
    ],
)
async def test_a_grant_that_cannot_be_used_is_rejected_whole_and_not_asked_for_again(answer):
    with pytest.raises(ReplyNotUnderstood) as raised:
        await renewed(ok(answer))
    assert "CNRY" not in f"{raised.value!r}"


async def test_a_grant_may_last_four_hundred_days_at_most():
    inside, outside = ((NOW + timedelta(days=days)).isoformat() for days in (399, 401))
    assert (await renewed(ok(tokens(expiry_time=inside))))[0].merchant_id == "m1"
    with pytest.raises(ReplyNotUnderstood):
        await renewed(ok(tokens(expiry_time=outside)))


@pytest.mark.parametrize(
    ("code", "name"),
    [(10001, "client_rejected"), (10002, "code_used"), ("10004", "code_expired"), (10008, "code_wrong")],
)
async def test_a_code_that_does_not_work_says_why(code, name):
    with pytest.raises(GrantRejected) as raised:
        await redeemed(refused(code, message="CNRY-code is bad"))
    assert raised.value.code == name
    assert "CNRY" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refused(1006), GrantRejected, "refresh_token_rejected"),
        (refused("1006", 200), GrantRejected, "refresh_token_rejected"),
        (refused(1008), GrantRejected, "grant_rejected"),
        (refused(10001), ClientRejected, "client_rejected"),
        (refused(1002), AccountDisabled, "account_disabled"),
        (refused(1001), ChannelRefused, "1001"),
        (refused(1056), RateLimited, "rate_limited"),
        (refused(1, 429), RateLimited, "rate_limited"),
        (httpx.Response(401, text="?"), ChannelRefused, "http_401"),
    ],
)
async def test_a_refused_renewal_is_not_tried_again(answer, kind, code):
    with pytest.raises(ChannelError) as raised:
        await renewed(answer)
    assert (type(raised.value), raised.value.code) == (kind, code)


LOST = [
    httpx.ReadTimeout("lost"),
    httpx.RemoteProtocolError("cut"),
    httpx.Response(500),
    httpx.Response(502, html="<html>"),
    httpx.Response(200, html="<html>"),
    httpx.Response(200, content=b'{"code":0,"data":{"access_to'),
]


@pytest.mark.parametrize("lost", LOST)
async def test_a_renewal_whose_answer_is_lost_is_repeated_once_with_the_same_token(lost):
    grant, calls = await renewed(lost, ok(tokens()))
    assert grant.access_token.value == "CNRY-access"
    assert [call.request.url.params["refresh_token"] for call in calls] == [OLD.value] * 2


@pytest.mark.parametrize("lost", LOST)
async def test_a_renewal_lost_twice_is_never_the_merchants_fault(lost):
    with pytest.raises((ChannelUnavailable, ReplyNotUnderstood)):
        await renewed(lost, lost)


@pytest.mark.parametrize("lost", LOST)
async def test_a_code_is_never_sent_twice(lost):
    with pytest.raises((ChannelUnavailable, ReplyNotUnderstood)):
        await redeemed(lost)


async def test_neither_log_nor_error_nor_grant_shows_a_secret(caplog):
    caplog.set_level(logging.DEBUG)
    seen = []
    for answer in (
        *LOST,
        refused(10001, message="CNRY"),
        refused(1006, message="CNRY"),
        ok(tokens(access_token=1)),
    ):
        with pytest.raises(ChannelError) as raised:
            await renewed(answer, answer) if answer in LOST else await renewed(answer)
        seen.append(f"{raised.value} {raised.value!r} {raised.value.message}")
    seen.append(repr((await renewed(ok(tokens())))[0]))
    shown = caplog.text + "".join(seen)
    assert not any(secret in shown for secret in SECRETS)
