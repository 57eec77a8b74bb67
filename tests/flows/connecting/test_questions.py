"""Several connections under way in one browser, and an answer that does not say which one it is for."""

import asyncio

from tests.connecting import TENANT, Desk, ticket_of
from tests.flows.answer_steps import answered, is_untouched, said_yes, seen

from channel_sync.domain.integrations import Integration
from channel_sync.flows.connecting.authorise import Reauthorisation
from channel_sync.flows.connecting.consent import ConsentRedirect
from channel_sync.flows.connecting.outcomes import (
    UNKNOWN_ATTEMPT,
    AlreadyConnected,
    CallbackResult,
    Choice,
    Question,
    Setback,
)


async def test_of_two_with_one_app_a_person_says_which_the_shop_is_for(database):
    desk = Desk(database)
    desk.channel.knows_pkce = False
    first, one = await desk.left(name="First", default_currency="GBP")
    second, two = await desk.left(name="Second", default_currency="GBP")

    asked = await answered(desk, "m1", one, two, kind=Question)

    assert {candidate.integration_name for candidate in asked.candidates} == {"First", "Second"}
    assert await is_untouched(desk, first)
    assert await is_untouched(desk, second)
    callback_result = await said_yes(desk, asked, one, two, ref=one.ref)
    assert isinstance(callback_result, CallbackResult)
    assert callback_result.integration_id == first.id
    assert (await desk.read(first.id)).merchant_id == "m1"
    assert await is_untouched(desk, second)
    await said_yes(desk, await answered(desk, "m2", two, one, kind=Question), two, one)
    assert (await desk.read(second.id)).merchant_id == "m2"


async def test_of_two_with_two_apps_a_person_says_first_whose_answer_it_is(database):
    desk = Desk(database)
    first, one = await desk.left(name="First", client_id="app1", default_currency="GBP")
    second, two = await desk.left(name="Second", client_id="app2", default_currency="GBP")
    cookies = [one.cookie, two.cookie]
    callback = desk.answer(one, "m1", with_state=False)

    choice = await seen(desk, callback, one, two, kind=Choice)
    assert {candidate.client_id for candidate in choice.candidates} == {"app1", "app2"}
    assert desk.channel.calls["redeem"] == 0
    asked = await desk.callbacks.choose(one.ref, callback, cookies)
    assert isinstance(asked, Question)
    assert [candidate.integration_name for candidate in asked.candidates] == ["First"]
    await said_yes(desk, asked, one, two)

    assert (await desk.read(first.id)).merchant_id == "m1"
    assert await is_untouched(desk, second)
    await said_yes(desk, await answered(desk, "m2", two, one, kind=Question), two, one)
    assert (await desk.read(second.id)).merchant_id == "m2"


async def test_a_wrong_choice_uses_nothing_up(database):
    desk = Desk(database)
    first, one = await desk.left(name="First", client_id="app1", default_currency="GBP")
    second, two = await desk.left(name="Second", client_id="app2", default_currency="GBP")
    callback = desk.answer(one, "m1", with_state=False)

    told = await desk.callbacks.choose(two.ref, callback, [one.cookie, two.cookie])

    assert isinstance(told, Setback)
    assert {candidate.integration_name for candidate in told.candidates} >= {"Second"}
    assert await is_untouched(desk, first)
    assert await is_untouched(desk, second)


async def test_a_state_finds_its_own_among_them(database):
    desk = Desk(database)
    first, one = await desk.left(name="First", default_currency="GBP")
    second, two = await desk.left(name="Second", default_currency="GBP")

    completion = [
        await desk.come_back(desk.answer(one, "m1"), two, one),
        await desk.come_back(desk.answer(two, "m2"), one, two),
    ]

    assert [callback_result.integration_id for callback_result in completion] == [first.id, second.id]


async def test_tenants_of_one_app_are_never_offered_each_others_shop(database):
    desk = Desk(database)
    _, one = await desk.left(name="Ours")
    _, two = await desk.left(tenant="others", name="Theirs")

    choice = await answered(desk, "m1", one, two, kind=Choice)

    assert {(c.tenant, c.integration_name) for c in choice.candidates} == {
        (TENANT, "Ours"),
        ("others", "Theirs"),
    }
    assert desk.channel.calls["redeem"] == 0


async def reauthorising(desk: Desk, integration: Integration) -> ConsentRedirect:
    invitation = await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation())
    return await desk.consent_redirects.start(ticket_of(invitation.authorise_url), [])


async def test_loaded_again_it_asks_the_same_and_another_browser_is_told_nothing(database):
    desk = Desk(database)
    _, mine = await desk.left()
    _, foreign = await desk.left()
    callback = desk.answer(mine, with_state=False)

    asked = [await seen(desk, callback, mine, kind=Question) for _ in range(2)]

    assert asked[0] == asked[1]
    assert (asked[0].merchant_id, asked[0].shop_name) == ("m1", "Shop")
    assert await seen(desk, callback, foreign, kind=CallbackResult) == UNKNOWN_ATTEMPT
    assert desk.channel.calls["redeem"] == 1


async def test_once_it_is_connected_a_later_load_says_so(database):
    desk = Desk(database)
    draft, mine = await desk.left(default_currency="GBP")
    callback = desk.answer(mine, with_state=False)
    await said_yes(desk, await seen(desk, callback, mine, kind=Question), mine)

    told = await seen(desk, callback, mine, kind=CallbackResult)

    assert (told.integration_id, told.result) == (draft.id, "connected")


async def test_whoever_comes_while_the_code_is_redeemed_waits_for_what_it_is_good_for(sqlite_database):
    desk = Desk(sqlite_database)
    _, mine = await desk.left()
    callback = desk.answer(mine, with_state=False)
    gate = desk.channel.hold("redeem")
    first = asyncio.create_task(seen(desk, callback, mine, kind=Question))
    await gate.reached.wait()
    second = asyncio.create_task(seen(desk, callback, mine, kind=Question))
    await asyncio.sleep(0.02)
    gate.open.set()

    assert await first == await second
    assert desk.channel.calls["redeem"] == 1


async def test_a_shop_that_another_integration_has_may_have_the_drafts_and_no_others(database):
    desk = Desk(database)
    desk.channel.knows_pkce = False
    keeper = await desk.active(name="Keeper")
    _, draft = await desk.left(name="Draft")
    second = await reauthorising(desk, await desk.active("m2", name="Second"))
    callback = desk.answer(draft, with_state=False)

    asked = [await seen(desk, callback, draft, second, kind=AlreadyConnected) for _ in range(2)]

    assert asked[0] == asked[1]
    assert asked[0].integration_name == "Keeper"
    assert [candidate.integration_name for candidate in asked[0].candidates] == ["Draft"]
    assert await desk.token(keeper.id) in desk.channel.tokens


async def test_a_shop_that_another_has_is_no_end_of_a_reauthorisation(database):
    desk = Desk(database)
    await desk.active()
    redirect = await reauthorising(desk, await desk.active("m2", name="Second"))
    callback = desk.answer(redirect, "m1", with_state=False)

    told = [await seen(desk, callback, redirect, kind=Setback) for _ in range(2)]

    assert told[0] == told[1]
    assert (told[0].error, told[0].shop_name) == ("account_mismatch", "Shop")
    assert [candidate.integration_name for candidate in told[0].candidates] == ["Second"]


async def test_a_shop_that_nobody_here_may_have_is_told_why(database):
    desk = Desk(database)
    desk.channel.open_shop("m3")
    redirect = await reauthorising(desk, await desk.active())
    callback = desk.answer(redirect, "m3", with_state=False)

    told = [await seen(desk, callback, redirect, kind=Setback) for _ in range(2)]

    assert told[0] == told[1]
    assert told[0].error == "account_mismatch"
