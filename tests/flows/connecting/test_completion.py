"""What attempts come to, once each, and what an integration says of the last one."""

from datetime import timedelta

import pytest
import time_machine
from tests.connecting import TENANT, Desk, ticket_of, utc_now
from tests.flows.answer_steps import answered

from channel_sync.domain.errors import NoAnswer
from channel_sync.domain.integrations import Integration
from channel_sync.flows.connecting.authorise import Reauthorisation
from channel_sync.flows.connecting.consent import ConsentRedirect
from channel_sync.flows.connecting.outcomes import Callback, Question, Setback


async def noted(desk: Desk, integration: Integration) -> str | None:
    """The error that is noted; it was noted a moment ago."""
    last = (await desk.read(integration.id)).last_authorisation
    assert last is not None
    assert utc_now() - last.at < timedelta(seconds=10)
    return last.error


async def failures_told(desk: Desk) -> list[object]:
    told = [event for event in await desk.events() if event.type == "integration.authorisation_failed"]
    return [event.members["error"] for event in told]


async def reauthorising(desk: Desk, integration: Integration) -> ConsentRedirect:
    invitation = await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation())
    return await desk.consent_redirects.start(ticket_of(invitation.authorise_url), [])


async def test_nobody_has_tried_a_new_draft(database):
    desk = Desk(database)
    draft, _ = await desk.draft()

    assert (await desk.read(draft.id)).last_authorisation is None


async def test_success_is_noted_and_takes_the_place_of_an_earlier_failure(database):
    desk = Desk(database)
    integration = await desk.active()
    assert await noted(desk, integration) is None

    await desk.reauthorise(integration.id, "m2")
    assert await noted(desk, integration) == "account_mismatch"
    await desk.reauthorise(integration.id)
    assert await noted(desk, integration) is None
    assert await failures_told(desk) == ["account_mismatch"]


@pytest.mark.parametrize("error", ["access_denied", "exchange_failed", "insufficient_scope", "account_mismatch"])
async def test_a_failure_is_noted_and_told_and_nothing_else_changes(database, error):
    desk = Desk(database)
    integration = await desk.active()
    redirect = await reauthorising(desk, integration)
    callback = desk.answer(redirect, "m2" if error == "account_mismatch" else "m1")
    match error:
        case "access_denied":
            callback = Callback(error="access_denied", state=callback.state)
        case "exchange_failed":
            desk.channel.fail("redeem", NoAnswer("timeout", "No answer."))
        case "insufficient_scope":
            desk.channel.granted_scopes = ()

    for _ in range(3):
        assert (await desk.come_back(callback, redirect)).error == error

    assert await noted(desk, integration) == error
    assert await desk.is_as_before(integration)
    assert await failures_told(desk) == [error]


async def test_whoever_comes_back_too_late_is_noted_once(database):
    desk = Desk(database)
    integration = await desk.active()
    redirect = await reauthorising(desk, integration)

    with time_machine.travel(utc_now() + timedelta(minutes=11), tick=True):
        for _ in range(2):
            await desk.come_back(desk.answer(redirect), redirect)
        assert await noted(desk, integration) == "attempt_expired"
    assert await failures_told(desk) == ["attempt_expired"]


async def test_a_failure_of_a_draft_is_told_too(database):
    desk = Desk(database)
    desk.channel.client_secrets["app1"] = "another"
    draft, redirect = await desk.left()

    await desk.come_back(desk.answer(redirect), redirect)

    assert await noted(desk, draft) == "exchange_failed"
    assert await failures_told(desk) == ["exchange_failed"]


async def test_what_may_be_anybodys_is_not_noted_until_a_person_stops_there(database):
    desk = Desk(database)
    integration = await desk.active()
    redirect = await reauthorising(desk, integration)
    before = await desk.read(integration.id)

    await answered(desk, "m2", redirect, kind=Setback)
    assert await desk.read(integration.id) == before
    await desk.callbacks.stop(redirect.ref, "account_mismatch", [redirect.cookie])

    assert await noted(desk, integration) == "account_mismatch"


async def test_a_no_to_the_question_is_noted(database):
    desk = Desk(database)
    draft, redirect = await desk.left()
    await answered(desk, "m1", redirect, kind=Question)

    for _ in range(2):
        await desk.callbacks.stop(redirect.ref, "access_denied", [redirect.cookie])

    assert await noted(desk, draft) == "access_denied"
    assert await failures_told(desk) == ["access_denied"]


async def test_a_draft_that_is_gone_tells_nothing(database):
    desk = Desk(database)
    draft, redirect = await desk.left()
    await desk.lifecycle.remove(TENANT, draft.id, None)

    await desk.come_back(desk.answer(redirect), redirect)

    assert await desk.told() == []


async def test_the_first_answer_brings_the_end_about_and_later_ones_repeat_it(database):
    desk = Desk(database)
    draft, redirect = await desk.left(default_currency="GBP", return_url="https://shop.example/done")
    callback = desk.answer(redirect)

    results = [await desk.come_back(callback, redirect) for _ in range(2)]

    assert results[0] == results[1]
    assert (results[0].integration_id, results[0].result, results[0].error) == (draft.id, "connected", None)
    assert (results[0].return_url, results[0].shop_name) == ("https://shop.example/done", "Shop")
    assert (results[0].integration_name, results[0].kept_until) == ("My shop", None)
    assert (desk.channel.calls["redeem"], desk.nudges) == (1, 1)


async def test_a_draft_whose_shop_is_connected_already_ends_in_that_one(database):
    desk = Desk(database)
    keeper = await desk.active(name="Keeper")
    token = await desk.token(keeper.id)
    draft, redirect = await desk.left()

    results = [await desk.come_back(desk.answer(redirect), redirect) for _ in range(2)]

    assert [(result.integration_id, result.result) for result in results] == [(keeper.id, "connected")] * 2
    assert await desk.find(draft.id) is None
    assert await desk.token(keeper.id) != token


async def test_a_reauthorisation_by_a_shop_that_another_has_is_a_mismatch_and_that_one_has_the_grant(database):
    desk = Desk(database)
    keeper, second = await desk.active(), await desk.active("m2")
    kept, before = await desk.token(keeper.id), await desk.token(second.id)
    redirect = await reauthorising(desk, second)

    results = [await desk.come_back(desk.answer(redirect, "m1"), redirect) for _ in range(2)]

    assert [(result.integration_id, result.error) for result in results] == [(second.id, "account_mismatch")] * 2
    assert await desk.token(second.id) == before
    assert await desk.token(keeper.id) != kept
    assert await noted(desk, second) == "account_mismatch"
