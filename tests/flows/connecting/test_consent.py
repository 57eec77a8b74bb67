"""Leaving for the marketplace: one browser, as often as it likes until it is back."""

import asyncio
from datetime import timedelta

import pytest
import time_machine
from tests.connecting import TENANT, Desk, a_new_integration, ticket_of, utc_now

from channel_sync.domain.errors import Invalid
from channel_sync.flows.connecting.consent import MOST_UNDER_WAY, ConsentRedirect
from channel_sync.flows.connecting.pkce import new_token


async def refused(step) -> str:
    with pytest.raises(Invalid) as invalid:
        await step
    return invalid.value.code


async def test_the_browser_that_left_may_look_and_leave_again(database):
    desk = Desk(database)
    draft, ticket = await desk.draft(default_currency="GBP")
    first = await desk.consent_redirects.start(ticket, [])

    view = await desk.consent_redirects.describe(ticket, [first.cookie])
    second = await desk.consent_redirects.start(ticket, [first.cookie])

    assert (view.integration_name, view.tenant) == ("My shop", TENANT)
    assert (second.ref, second.cookie) == (first.ref, first.cookie)
    assert desk.answer(second).state != desk.answer(first).state
    assert (await desk.come_back(desk.answer(second), second)).integration_id == draft.id


async def test_only_the_newest_state_counts(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()
    first = await desk.consent_redirects.start(ticket, [])
    second = await desk.consent_redirects.start(ticket, [first.cookie])

    late = await desk.come_back(desk.answer(first), first)

    assert late.error == "state_mismatch"
    assert (await desk.come_back(desk.answer(second), second)).integration_id == draft.id


@pytest.mark.parametrize("cookies", [[], ["guess"], ["x" * 43]])
async def test_any_other_browser_is_told_that_the_link_was_used(database, cookies):
    desk = Desk(database)
    _, ticket = await desk.draft()
    await desk.consent_redirects.start(ticket, [])

    assert await refused(desk.consent_redirects.describe(ticket, cookies)) == "attempt_used"
    assert await refused(desk.consent_redirects.start(ticket, cookies)) == "attempt_used"
    assert await refused(desk.consent_redirects.start(ticket, cookies, new_token())) == "attempt_used"


async def test_of_browsers_that_leave_at_once_one_does(database):
    desk = Desk(database)
    _, ticket = await desk.draft()

    left = await asyncio.gather(
        *(desk.consent_redirects.start(ticket, []) for _ in range(5)), return_exceptions=True
    )

    assert sum(not isinstance(one, Exception) for one in left) == 1


async def test_a_button_pressed_twice_is_one_browsers(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()
    offered = new_token()

    first, second = [await desk.consent_redirects.start(ticket, [], offered) for _ in range(2)]

    assert first.cookie == second.cookie == offered
    assert (await desk.come_back(desk.answer(second), second)).integration_id == draft.id


@pytest.mark.parametrize("offered", ["short", "x" * 44, "ü" * 43, " " * 43])
async def test_a_cookie_that_could_be_guessed_is_not_taken(database, offered):
    desk = Desk(database)
    _, ticket = await desk.draft()

    assert (await desk.consent_redirects.start(ticket, [], offered)).cookie != offered


@pytest.mark.parametrize("ended", ["connected", "failed"])
async def test_a_link_that_came_to_its_end_leads_nowhere(database, ended):
    desk = Desk(database)
    _, ticket = await desk.draft()
    redirect = await desk.consent_redirects.start(ticket, [])
    if ended == "failed":
        desk.channel.granted_scopes = ()
    await desk.come_back(desk.answer(redirect), redirect)

    assert await refused(desk.consent_redirects.start(ticket, [redirect.cookie])) == "attempt_used"
    assert await refused(desk.consent_redirects.again(redirect.ref, [redirect.cookie])) == "attempt_expired"


async def test_each_press_has_its_ten_minutes(database):
    desk = Desk(database)
    draft, ticket = await desk.draft(default_currency="GBP")
    began = utc_now()
    first = await desk.consent_redirects.start(ticket, [])

    with time_machine.travel(began + timedelta(minutes=9), tick=True):
        second = await desk.consent_redirects.start(ticket, [first.cookie])
    with time_machine.travel(began + timedelta(minutes=18), tick=True):
        callback_result = await desk.come_back(desk.answer(second), second)
        assert callback_result.integration_id == draft.id
    with time_machine.travel(began + timedelta(minutes=30), tick=True):
        assert await refused(desk.consent_redirects.again(first.ref, [first.cookie])) == "attempt_expired"


async def test_from_a_page_of_ours_the_cookie_alone_leads_on(database):
    desk = Desk(database)
    draft, redirect = await desk.left(default_currency="GBP")

    again = await desk.consent_redirects.again(redirect.ref, [redirect.cookie])

    assert again.cookie == redirect.cookie
    assert (await desk.come_back(desk.answer(again), again)).integration_id == draft.id


@pytest.mark.parametrize("cookies", [[], ["guess"]])
async def test_a_ref_without_its_cookie_leads_nowhere(database, cookies):
    desk = Desk(database)
    _, redirect = await desk.left()

    assert await refused(desk.consent_redirects.again(redirect.ref, cookies)) == "attempt_expired"


async def test_a_browser_keeps_so_many_under_way_and_the_newest_of_them(database):
    desk = Desk(database)
    under_way: list[ConsentRedirect] = []
    for number in range(MOST_UNDER_WAY + 2):
        _, ticket = await desk.draft(name=f"Shop {number}")
        under_way.append(await desk.consent_redirects.start(ticket, [one.cookie for one in under_way]))

    newest = under_way[-1]

    assert newest.others == tuple(one.ref for one in reversed(under_way[-MOST_UNDER_WAY:-1]))


async def test_what_is_over_is_not_among_the_others(database):
    desk = Desk(database)
    _, over = await desk.left(default_currency="GBP")
    await desk.come_back(desk.answer(over), over)
    _, invitation = await desk.authorise.begin(TENANT, a_new_integration())

    redirect = await desk.consent_redirects.start(ticket_of(invitation.authorise_url), [over.cookie])

    assert redirect.others == ()
