"""Several connections under way in one browser, and an answer that does not say which one it is for."""

from tests.connecting import TENANT, Desk
from tests.flows.answer_steps import answered, is_untouched, said_yes, seen

from channel_sync.flows.connecting.outcomes import CallbackResult, Choice, Question, Setback


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
