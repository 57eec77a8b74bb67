"""Answers without a state: a person says whether they are theirs, and for which connection."""

import asyncio
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text
from tests.connecting import RETURN_ORIGIN, TENANT, Desk, ticket_of, utc_now
from tests.flows.answer_steps import answered, is_untouched, said_yes, seen

from channel_sync.domain.errors import GrantRejected, NoAnswer
from channel_sync.domain.integrations import Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.authorise import Reauthorisation
from channel_sync.flows.connecting.outcomes import Callback, CallbackResult, Question, Setback

WRONG_CODE = GrantRejected("grant_rejected", "No.")


async def kept_grants(desk: Desk) -> int:
    async with desk.database.session() as session:
        return int(await session.value(text("SELECT count(*) FROM callbacks WHERE kept_grant IS NOT NULL")))


async def test_a_shop_is_connected_only_when_a_person_says_so(database):
    desk = Desk(database)
    draft, redirect = await desk.left(default_currency="GBP", return_url=f"{RETURN_ORIGIN}/done")

    asked = await answered(desk, "m1", redirect, kind=Question)

    assert (asked.shop_name, asked.merchant_id) == ("Shop", "m1")
    [candidate] = asked.candidates
    assert (candidate.integration_name, candidate.tenant, candidate.ref) == ("My shop", TENANT, redirect.ref)
    assert await is_untouched(desk, draft)
    assert await desk.told() == []
    callback_result = await said_yes(desk, asked, redirect)
    assert isinstance(callback_result, CallbackResult)
    assert (callback_result.integration_id, callback_result.result) == (draft.id, "connected")
    assert callback_result.return_url == f"{RETURN_ORIGIN}/done"
    connected = await desk.read(draft.id)
    assert (connected.status, connected.merchant_id, connected.shop_name) == (Status.ACTIVE, "m1", "Shop")
    assert await desk.told() == ["integration.created", "integration.connected"]
    assert await kept_grants(desk) == 0
    assert desk.nudges == 1


async def test_loaded_again_it_asks_the_same_and_the_marketplace_nothing(database):
    desk = Desk(database)
    desk.channel.delays["redeem"] = 0.2
    _, redirect = await desk.left()
    callback = desk.answer(redirect, with_state=False)

    asked = await asyncio.gather(*(seen(desk, callback, redirect, kind=Question) for _ in range(10)))

    assert len(set(asked)) == 1
    assert desk.channel.calls["redeem"] == 1


async def test_said_twice_it_is_connected_once_and_later_loads_say_so(database):
    desk = Desk(database)
    draft, redirect = await desk.left(default_currency="GBP")
    callback = desk.answer(redirect, with_state=False)
    asked = await seen(desk, callback, redirect, kind=Question)

    completion = await asyncio.gather(*(said_yes(desk, asked, redirect) for _ in range(5)))
    later = await seen(desk, callback, redirect, kind=CallbackResult)

    assert {
        (one.integration_id, one.result) for one in (*completion, later) if isinstance(one, CallbackResult)
    } == {(draft.id, "connected")}
    assert await desk.told() == ["integration.created", "integration.connected"]
    assert desk.channel.calls["redeem"] == 1


async def test_a_shop_that_was_sent_in_by_somebody_else_disturbs_nothing(database):
    desk = Desk(database)
    draft, redirect = await desk.left(default_currency="GBP")
    foreign = await answered(desk, "m2", redirect, kind=Question)
    mine = await answered(desk, "m1", redirect, kind=Question)
    again = await answered(desk, "m2", redirect, kind=Question)

    assert (foreign.merchant_id, mine.merchant_id, again.merchant_id) == ("m2", "m1", "m2")
    assert await said_yes(desk, mine, redirect)
    assert (await desk.read(draft.id)).merchant_id == "m1"
    late = await said_yes(desk, foreign, redirect)
    assert isinstance(late, CallbackResult)
    assert (await desk.read(draft.id)).merchant_id == "m1"
    assert await kept_grants(desk) == 0


async def test_no_cookie_no_answer(database):
    desk = Desk(database)
    draft, redirect = await desk.left(default_currency="GBP")
    _, others = await desk.left(name="Of another browser")
    asked = await answered(desk, "m1", redirect, kind=Question)

    for cookies in ([], ["guess"], [others.cookie]):
        for ref in (redirect.ref, others.ref):
            callback_result = await desk.callbacks.confirm(asked.callback_id, ref, cookies)
            assert isinstance(callback_result, CallbackResult)
            assert callback_result.integration_id is None
    assert await is_untouched(desk, draft)


async def test_cancel_ends_the_attempt_and_forgets_the_grant(database):
    desk = Desk(database)
    draft, redirect = await desk.left(return_url=f"{RETURN_ORIGIN}/done")
    asked = await answered(desk, "m1", redirect, kind=Question)

    callback_result = await desk.callbacks.stop(redirect.ref, "access_denied", [redirect.cookie])

    assert (callback_result.integration_id, callback_result.error) == (draft.id, "access_denied")
    assert await kept_grants(desk) == 0
    late = await said_yes(desk, asked, redirect)
    assert isinstance(late, CallbackResult)
    assert late.error == "access_denied"
    assert await is_untouched(desk, draft)


async def test_a_kept_grant_is_sealed_and_forgotten_when_nobody_came_in_time(database):
    desk = Desk(database)
    draft, redirect = await desk.left(default_currency="GBP")
    asked = await answered(desk, "m1", redirect, kind=Question)
    [token] = desk.channel.tokens
    async with database.session() as session:
        sealed = await session.value(text("SELECT kept_grant FROM callbacks"))
    assert token.encode() not in sealed

    with time_machine.travel(utc_now() + timedelta(minutes=10, seconds=1), tick=True):
        late = await said_yes(desk, asked, redirect)
        await desk.prune.forget_grants()

    assert isinstance(late, CallbackResult)
    assert late.error == "attempt_expired"
    assert await kept_grants(desk) == 0
    assert await is_untouched(desk, draft)


@pytest.mark.parametrize("ending", ["cancelled", "superseded"])
async def test_a_grant_of_an_attempt_that_ended_otherwise_is_forgotten_at_once(database, ending):
    desk = Desk(database)
    draft, redirect = await desk.left()
    asked = await answered(desk, "m1", redirect, kind=Question)

    if ending == "cancelled":
        await desk.lifecycle.remove(TENANT, draft.id, None)
    else:
        await desk.authorise.reauthorise(TENANT, draft.id, Reauthorisation())

    assert await kept_grants(desk) == 0
    late = await said_yes(desk, asked, redirect)
    assert isinstance(late, CallbackResult)
    assert late.result == "failed"


async def test_a_person_has_ten_minutes_from_the_answer_on(database):
    desk = Desk(database)
    draft, redirect = await desk.left(default_currency="GBP")
    began = utc_now()

    with time_machine.travel(began + timedelta(minutes=9), tick=True):
        asked = await answered(desk, "m1", redirect, kind=Question)
    with time_machine.travel(began + timedelta(minutes=18), tick=True):
        await said_yes(desk, asked, redirect)

    assert (await desk.read(draft.id)).status is Status.ACTIVE


async def test_a_refusal_that_names_nobody_ends_nothing(database):
    desk = Desk(database)
    draft, redirect = await desk.left(default_currency="GBP")

    for error in ("access_denied", "server_error"):
        told = await seen(desk, Callback(error=error), redirect, kind=Setback)
        assert told.error == ("access_denied" if error == "access_denied" else "exchange_failed")
        assert [candidate.ref for candidate in told.candidates] == [redirect.ref]

    assert (await desk.come_back(desk.answer(redirect), redirect)).integration_id == draft.id


@pytest.mark.parametrize("error", [WRONG_CODE, NoAnswer("timeout", "No answer.")])
async def test_a_code_that_fails_may_be_anothers_and_ends_nothing(database, error):
    desk = Desk(database)
    draft, redirect = await desk.left(default_currency="GBP")
    desk.channel.fail("redeem", error)
    callback = desk.answer(redirect, with_state=False)

    for _ in range(3):
        told = await seen(desk, callback, redirect, kind=Setback)
        assert told.error == "exchange_failed"
    assert desk.channel.calls["redeem"] == 1
    asked = await answered(desk, "m1", redirect, kind=Question)
    await said_yes(desk, asked, redirect)
    assert (await desk.read(draft.id)).status is Status.ACTIVE


@pytest.mark.parametrize("wrong", ["secret", "scopes"])
async def test_what_is_wrong_with_the_app_is_told_to_the_platform_at_once(database, wrong):
    desk = Desk(database)
    draft, redirect = await desk.left(return_url=f"{RETURN_ORIGIN}/done")
    if wrong == "secret":
        desk.channel.client_secrets["app1"] = "another"
    else:
        desk.channel.granted_scopes = ("merchant:read",)

    callback_result = await answered(desk, "m1", redirect, kind=CallbackResult)

    assert callback_result.error == ("exchange_failed" if wrong == "secret" else "insufficient_scope")
    assert (callback_result.integration_id, callback_result.return_url) == (draft.id, f"{RETURN_ORIGIN}/done")
    assert await is_untouched(desk, draft)


async def test_invented_codes_are_not_asked_about_without_end(database):
    desk = Desk(database)
    _, redirect = await desk.left()

    for number in range(15):
        await seen(desk, Callback(code=f"invented-{number}"), redirect, kind=Setback)

    assert desk.channel.calls["redeem"] == 10


async def test_killed_while_it_is_redeemed_leaves_the_attempt_as_it_was(database):
    desk = Desk(database)
    draft, redirect = await desk.left(default_currency="GBP")
    gate = desk.channel.hold("redeem")
    killed = asyncio.create_task(answered(desk, "m1", redirect, kind=Question))
    await gate.reached.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)

    assert await is_untouched(desk, draft)
    await said_yes(desk, await answered(desk, "m1", redirect, kind=Question), redirect)
    assert (await desk.read(draft.id)).status is Status.ACTIVE


async def test_another_merchant_on_reauthorising_changes_nothing_and_ends_nothing(database):
    desk = Desk(database)
    integration = await desk.active()
    invitation = await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation())
    redirect = await desk.consent_redirects.start(ticket_of(invitation.authorise_url), [])

    told = await answered(desk, "m2", redirect, kind=Setback)

    assert (told.error, told.shop_name) == ("account_mismatch", "Second shop")
    assert await desk.read(integration.id) == integration
    assert (await answered(desk, "m1", redirect, kind=CallbackResult)).integration_id == integration.id
    assert (await desk.read(integration.id)).generation == integration.generation + 1


async def test_new_app_credentials_are_stored_with_the_answer_that_was_confirmed(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.client_secrets["app2"] = "another-secret"
    wanted = Reauthorisation(client_id="app2", client_secret=Secret("another-secret"))
    invitation = await desk.authorise.reauthorise(TENANT, integration.id, wanted)
    redirect = await desk.consent_redirects.start(ticket_of(invitation.authorise_url), [])

    asked = await answered(desk, "m1", redirect, kind=Question)
    assert (await desk.read(integration.id)).client_id == "app1"
    await said_yes(desk, asked, redirect)

    assert (await desk.read(integration.id)).client_id == "app2"
