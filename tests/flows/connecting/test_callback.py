import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from tests.connecting import OVERDUE, RETURN_ORIGIN, TENANT, Desk, utc_now

from channel_sync.domain.errors import ChannelUnavailable, NoAnswer, ReplyNotUnderstood
from channel_sync.domain.integrations import AuthState, Status
from channel_sync.domain.runs import RunKind
from channel_sync.flows.connecting.outcomes import Callback, CallbackResult


async def test_consent_makes_a_draft_with_a_currency_active(database):
    desk = Desk(database)
    draft, ticket = await desk.draft(default_currency="GBP", return_url=f"{RETURN_ORIGIN}/done")

    callback_result = await desk.arrive(ticket)

    assert (callback_result.integration_id, callback_result.result, callback_result.error) == (
        draft.id,
        "connected",
        None,
    )
    assert (callback_result.return_url, callback_result.shop_name) == (f"{RETURN_ORIGIN}/done", "Shop")
    integration = await desk.read(draft.id)
    assert (integration.status, integration.enabled) == (Status.ACTIVE, True)
    assert (integration.merchant_id, integration.shop_name) == ("m1", "Shop")
    assert integration.draft_expires_at is None
    assert set(integration.scopes) == set(desk.channel.granted_scopes)
    assert await desk.told() == ["integration.created", "integration.connected"]
    for kind in (RunKind.ORDERS, RunKind.LISTINGS, RunKind.STOCK):
        next_at = await desk.next_at(draft.id, kind)
        assert next_at is not None
        assert next_at <= utc_now()
    assert desk.nudges == 1


async def test_consent_without_a_currency_leaves_a_connected_draft_that_nobody_hears_of(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()

    callback_result = await desk.arrive(ticket)

    integration = await desk.read(draft.id)
    assert callback_result.result == "connected"
    assert integration.status is Status.DRAFT
    assert integration.auth_state(utc_now(), OVERDUE) is AuthState.CONNECTED
    assert await desk.told() == []
    assert await desk.account() is None
    assert await desk.next_at(draft.id) is None


async def test_fifty_callbacks_at_once_make_one_token_call_and_share_its_result(database):
    desk = Desk(database)
    desk.channel.delays["redeem"] = 0.3
    draft, ticket = await desk.draft(default_currency="GBP")
    redirect = await desk.consent_redirects.start(ticket, [])
    callback = desk.answer(redirect)

    completion = await asyncio.gather(*(desk.come_back(callback, redirect) for _ in range(50)))

    assert desk.channel.calls["redeem"] == 1
    assert Counter((a.integration_id, a.result) for a in completion) == {(draft.id, "connected"): 50}
    assert await desk.told() == ["integration.created", "integration.connected"]


async def test_a_callback_loaded_again_repeats_the_result(database):
    desk = Desk(database)
    desk.channel.fail("redeem", ChannelUnavailable("server_error", "Down."))
    _, ticket = await desk.draft()
    redirect = await desk.consent_redirects.start(ticket, [])
    callback = desk.answer(redirect)

    completion = [await desk.come_back(callback, redirect) for _ in range(3)]

    assert {callback_result.error for callback_result in completion} == {"exchange_failed"}
    assert desk.channel.calls["redeem"] == 1


@pytest.mark.parametrize("cookies", [[], [""], ["guess"], ["y" * 4096, "z"]])
async def test_without_its_cookie_nothing_changes(database, cookies):
    desk = Desk(database)
    draft, ticket = await desk.draft()
    redirect = await desk.consent_redirects.start(ticket, [])
    before = await desk.read(draft.id)

    callback_result = await desk.callbacks.arrive(desk.answer(redirect), cookies)

    assert isinstance(callback_result, CallbackResult)
    assert (callback_result.integration_id, callback_result.return_url, callback_result.result) == (
        None,
        None,
        "failed",
    )
    assert desk.channel.calls["redeem"] == 0
    assert await desk.read(draft.id) == before


async def test_the_state_that_comes_back_must_be_the_one_that_went(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()
    redirect = await desk.consent_redirects.start(ticket, [])
    good = desk.answer(redirect)
    state = good.state or ""
    flipped = ("a" if state[0] != "a" else "b") + state[1:]

    for wrong in ("", "unknown", flipped, state + "x", "x" * 4096):
        callback_result = await desk.come_back(replace(good, state=wrong), redirect)
        assert (callback_result.integration_id, callback_result.error) == (None, "state_mismatch")
    assert desk.channel.calls["redeem"] == 0
    right = await desk.come_back(good, redirect)
    assert (right.integration_id, right.result) == (draft.id, "connected")


async def test_the_state_of_another_attempt_is_refused(database):
    desk = Desk(database)
    _, first = await desk.draft()
    _, second = await desk.draft()
    one, two = await desk.consent_redirects.start(first, []), await desk.consent_redirects.start(second, [])
    foreign = desk.answer(two).state

    callback_result = await desk.come_back(replace(desk.answer(one), state=foreign), one)

    assert callback_result.error == "state_mismatch"
    assert desk.channel.calls["redeem"] == 0


@pytest.mark.parametrize(
    ("issuer", "result"),
    [
        ("https://production.wish.example", "connected"),
        ("https://production.wish.example/", "connected"),
        ("https://sandbox.wish.example", "failed"),
        ("https://evil.example", "failed"),
        ("", "failed"),
    ],
)
async def test_an_issuer_that_is_named_must_be_the_one_that_was_asked(database, issuer, result):
    desk = Desk(database)
    _, ticket = await desk.draft()
    redirect = await desk.consent_redirects.start(ticket, [])

    callback_result = await desk.come_back(replace(desk.answer(redirect), iss=issuer), redirect)

    assert callback_result.result == result
    assert desk.channel.calls["redeem"] == (1 if result == "connected" else 0)


async def test_a_refused_consent_ends_the_attempt_and_changes_nothing_else(database):
    desk = Desk(database)
    integration = await desk.active()
    draft, ticket = await desk.draft()
    redirect = await desk.consent_redirects.start(ticket, [])

    answer = desk.answer(redirect, "m2")
    denied = await desk.come_back(Callback(error="access_denied", state=answer.state), redirect)
    late = await desk.come_back(answer, redirect)

    assert denied.error == late.error == "access_denied"
    assert desk.channel.calls["redeem"] == 1
    assert (await desk.read(draft.id)).auth_state(utc_now(), OVERDUE) is AuthState.NONE
    assert await desk.read(integration.id) == integration


async def test_an_error_of_the_marketplace_is_no_refusal(database):
    desk = Desk(database)
    _, ticket = await desk.draft()
    redirect = await desk.consent_redirects.start(ticket, [])

    answer = Callback(error="<script>", state=desk.answer(redirect).state)
    callback_result = await desk.come_back(answer, redirect)

    assert callback_result.error == "exchange_failed"


@pytest.mark.parametrize("code", [None, "", "c\x00de", "cöde", "c" * 10_000])
async def test_a_callback_without_a_usable_code_uses_nothing_up(database, code):
    desk = Desk(database)
    _, ticket = await desk.draft()
    redirect = await desk.consent_redirects.start(ticket, [])

    good = desk.answer(redirect)
    for state in (good.state, None):
        callback_result = await desk.come_back(Callback(code=code, state=state), redirect)
        assert (callback_result.integration_id, callback_result.result) == (None, "failed")
    assert desk.channel.calls["redeem"] == 0
    assert (await desk.come_back(good, redirect)).result == "connected"


async def test_a_browser_that_comes_back_after_ten_minutes_is_too_late(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()
    redirect = await desk.consent_redirects.start(ticket, [])
    answer = desk.answer(redirect)

    with time_machine.travel(utc_now() + timedelta(minutes=10, seconds=1), tick=True):
        callback_result = await desk.come_back(answer, redirect)

    assert (callback_result.integration_id, callback_result.error) == (draft.id, "attempt_expired")
    assert desk.channel.calls["redeem"] == 0


async def test_the_way_to_the_marketplace_has_its_own_ten_minutes(database):
    desk = Desk(database)
    _, ticket = await desk.draft()
    began = utc_now()

    with time_machine.travel(began + timedelta(minutes=9), tick=True):
        redirect = await desk.consent_redirects.start(ticket, [])
    with time_machine.travel(began + timedelta(minutes=18), tick=True):
        callback_result = await desk.come_back(desk.answer(redirect), redirect)

    assert callback_result.result == "connected"


@pytest.mark.parametrize(
    "error", [NoAnswer("timeout", "No answer."), ReplyNotUnderstood("unexpected_shape", "At ''.")]
)
async def test_a_failed_exchange_stores_nothing(database, error):
    desk = Desk(database)
    draft, ticket = await desk.draft(default_currency="GBP")
    desk.channel.fail("redeem", error)

    callback_result = await desk.arrive(ticket)

    assert (callback_result.integration_id, callback_result.error) == (draft.id, "exchange_failed")
    stored = await desk.read(draft.id)
    assert (stored.status, stored.access_token_last4) == (Status.DRAFT, None)
    assert await desk.told() == ["integration.authorisation_failed"]


async def test_a_consent_that_covers_too_little_is_not_stored(database):
    desk = Desk(database)
    integration = await desk.active()
    token = await desk.token(integration.id)
    desk.channel.granted_scopes = ("merchant:read",)

    callback_result = await desk.reauthorise(integration.id)

    assert callback_result.error == "insufficient_scope"
    assert await desk.token(integration.id) == token
    assert await desk.is_as_before(integration)


async def test_a_shop_whose_name_cannot_be_read_is_connected_all_the_same(database):
    desk = Desk(database)
    desk.channel.fail("name", ChannelUnavailable("server_error", "Down."))

    integration = await desk.active()

    assert (integration.status, integration.shop_name) == (Status.ACTIVE, None)


async def test_a_callback_after_the_draft_was_cancelled_connects_nothing(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()
    redirect = await desk.consent_redirects.start(ticket, [])
    await desk.lifecycle.remove(TENANT, draft.id, None)

    callback_result = await desk.come_back(desk.answer(redirect), redirect)

    assert (callback_result.integration_id, desk.channel.calls["redeem"]) == (None, 0)
    assert await desk.find(draft.id) is None


async def test_a_callback_after_removal_does_not_bring_the_integration_back(database):
    desk = Desk(database)
    integration = await desk.active()
    calls = desk.channel.calls["redeem"]
    gate = desk.channel.hold("redeem")
    way_back = asyncio.create_task(desk.reauthorise(integration.id))
    await gate.reached.wait()
    await desk.lifecycle.remove(TENANT, integration.id, "My shop")
    gate.open.set()

    callback_result = await way_back

    assert (callback_result.integration_id, callback_result.result) == (None, "failed")
    assert desk.channel.calls["redeem"] == calls + 1
    removed = await desk.read(integration.id)
    assert (removed.status, removed.access_token_last4) == (Status.REMOVED, None)


async def test_killed_between_code_and_grant_leaves_a_used_attempt_and_nothing_else(database):
    desk = Desk(database)
    draft, ticket = await desk.draft(default_currency="GBP")
    gate = desk.channel.hold("redeem")
    killed = asyncio.create_task(desk.arrive(ticket))
    await gate.reached.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)

    stored = await desk.read(draft.id)
    assert (stored.status, stored.access_token_last4) == (Status.DRAFT, None)
    assert (await desk.reauthorise(draft.id)).result == "connected"
