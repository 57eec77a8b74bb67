"""A merchant consents once more for a shop that is connected: whoever has it goes on, or says that it stopped.

The marketplace may end earlier tokens at a new consent, or not: both ways nothing that works is lost unnoticed.
"""

import pytest
from tests.connecting import RETURN_ORIGIN, TENANT, Desk, ticket_of
from tests.flows.answer_steps import answered, said_yes

from channel_sync.domain.errors import Conflict
from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.authorise import Reauthorisation
from channel_sync.flows.connecting.outcomes import AlreadyConnected, CallbackResult, Question, Setback
from channel_sync.flows.connecting.paste import PastedCredentials
from channel_sync.flows.integrations.lifecycle import IntegrationChange

REVOKES = pytest.mark.parametrize("revokes", [True, False], ids=["ends earlier tokens", "keeps them"])


async def works(desk: Desk, integration: Integration) -> bool:
    """Whether its shop opens with what is stored, without a renewal."""
    renewals = desk.channel.calls["renew"]
    merchant_id = await desk.shop(integration.id).call(lambda shop: shop.merchant_id())
    return merchant_id == integration.merchant_id and desk.channel.calls["renew"] == renewals


def pasted(desk: Desk, merchant_id: str = "m1", client_id: str = "app1") -> PastedCredentials:
    if desk.channel.new_consent_revokes:
        desk.channel.revoke_access(merchant_id)
    grant = desk.channel.issue(merchant_id)
    return PastedCredentials(client_id, Secret("s3cret-of-app1"), grant.access_token, grant.refresh_token)


@REVOKES
async def test_the_integration_that_has_the_shop_gets_the_new_grant_and_the_draft_ends_in_it(database, revokes):
    desk = Desk(database)
    desk.channel.new_consent_revokes = revokes
    first = await desk.active(name="First")
    draft, redirect = await desk.left(name="Second", default_currency="GBP", return_url=f"{RETURN_ORIGIN}/done")
    callback = desk.answer(redirect)

    completion = [await desk.come_back(callback, redirect) for _ in range(2)]
    await desk.doubts.finish()

    for callback_result in completion:
        assert (callback_result.integration_id, callback_result.result, callback_result.error) == (
            first.id,
            "connected",
            None,
        )
        assert (callback_result.integration_name, callback_result.return_url) == ("First", f"{RETURN_ORIGIN}/done")
    assert await desk.find(draft.id) is None
    after = await desk.read(first.id)
    assert (after.status, after.generation) == (Status.ACTIVE, first.generation + 1)
    assert await works(desk, after)
    assert (await desk.told())[-1] == "integration.reauthorised"


@REVOKES
async def test_without_a_state_it_gets_the_grant_and_the_draft_ends_when_a_person_says_so(database, revokes):
    desk = Desk(database)
    desk.channel.new_consent_revokes = revokes
    first = await desk.active(name="First")
    draft, redirect = await desk.left(name="Second", default_currency="GBP")

    told = await answered(desk, "m1", redirect, kind=AlreadyConnected)

    assert (told.integration_name, told.shop_name) == ("First", "Shop")
    assert [candidate.integration_name for candidate in told.candidates] == ["Second"]
    assert await works(desk, first)
    assert (await desk.read(draft.id)).status is Status.DRAFT
    for _ in range(2):
        callback_result = await desk.callbacks.accept(told.callback_id, redirect.ref, [redirect.cookie])
        assert isinstance(callback_result, CallbackResult)
        assert (callback_result.integration_id, callback_result.result) == (first.id, "connected")
    assert await desk.find(draft.id) is None


async def test_after_that_another_shop_may_be_connected_to_the_draft_instead(database):
    desk = Desk(database)
    await desk.active(name="First")
    draft, redirect = await desk.left(name="Second", default_currency="GBP")
    await answered(desk, "m1", redirect, kind=AlreadyConnected)

    again = await desk.consent_redirects.again(redirect.ref, [redirect.cookie])
    await said_yes(desk, await answered(desk, "m2", again, kind=Question), again)

    assert (await desk.read(draft.id)).merchant_id == "m2"


@REVOKES
async def test_reauthorising_with_its_own_shop_needs_no_question(database, revokes):
    desk = Desk(database)
    desk.channel.new_consent_revokes = revokes
    integration = await desk.active()
    invitation = await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation())
    redirect = await desk.consent_redirects.start(ticket_of(invitation.authorise_url), [])

    callback_result = await answered(desk, "m1", redirect, kind=CallbackResult)

    assert (callback_result.integration_id, callback_result.result) == (integration.id, "connected")
    assert await works(desk, await desk.read(integration.id))


@REVOKES
@pytest.mark.parametrize("with_state", [True, False])
async def test_signing_in_with_the_shop_of_another_integration_harms_neither(database, revokes, with_state):
    desk = Desk(database)
    desk.channel.new_consent_revokes = revokes
    first, second = await desk.active("m1", name="First"), await desk.active("m2", name="Second")
    before = await desk.read(second.id)
    invitation = await desk.authorise.reauthorise(TENANT, second.id, Reauthorisation())
    redirect = await desk.consent_redirects.start(ticket_of(invitation.authorise_url), [])
    callback = desk.answer(redirect, "m1", with_state)

    outcome = await desk.callbacks.arrive(callback, [redirect.cookie])

    assert isinstance(outcome, CallbackResult if with_state else Setback)
    assert outcome.error == "account_mismatch"
    assert await works(desk, await desk.read(first.id))
    assert await desk.is_as_before(before)
    assert await works(desk, second)


@REVOKES
async def test_by_another_app_it_is_refused_and_the_one_that_has_it_is_looked_into(database, revokes):
    desk = Desk(database)
    first = await desk.active(name="First")
    draft, ticket = await desk.draft(client_id="app2", default_currency="GBP")
    desk.channel.new_consent_revokes = revokes

    callback_result = await desk.arrive(ticket)
    await desk.doubts.finish()

    assert (callback_result.integration_id, callback_result.error) == (draft.id, "account_already_connected")
    after = await desk.read(first.id)
    assert after.status is (Status.NEEDS_REAUTH if revokes else Status.ACTIVE)


@REVOKES
@pytest.mark.parametrize("with_state", [True, False])
async def test_another_tenant_gets_nothing_and_the_one_that_has_it_says_at_once_if_it_stopped(
    database, revokes, with_state
):
    desk = Desk(database)
    first = await desk.active(name="Secret name")
    theirs, redirect = await desk.left(tenant="others", default_currency="GBP")
    desk.channel.new_consent_revokes = revokes

    outcome = await desk.callbacks.arrive(desk.answer(redirect, "m1", with_state), [redirect.cookie])
    await desk.doubts.finish()

    assert isinstance(outcome, CallbackResult if with_state else Setback)
    assert outcome.error == "account_in_use"
    assert "Secret name" not in repr(outcome)
    assert (await desk.read(theirs.id)).access_token_last4 is None
    after = await desk.read(first.id)
    assert after.status is (Status.NEEDS_REAUTH if revokes else Status.ACTIVE)
    assert ("integration.needs_reauth" in await desk.told()) == revokes


@REVOKES
async def test_a_consent_that_covers_too_little_shows_on_the_integration_whose_tokens_it_ended(database, revokes):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.new_consent_revokes = revokes
    desk.channel.granted_scopes = ("merchant:read",)

    callback_result = await desk.reauthorise(integration.id)
    await desk.doubts.finish()

    assert callback_result.error == "insufficient_scope"
    assert (await desk.read(integration.id)).status is (Status.NEEDS_REAUTH if revokes else Status.ACTIVE)


async def test_one_that_is_switched_off_gets_the_grant_and_stays_off_and_is_not_called(database):
    desk = Desk(database)
    first = await desk.active()
    await desk.lifecycle.set_enabled(TENANT, first.id, False)
    _, ticket = await desk.draft(default_currency="GBP")

    assert (await desk.arrive(ticket)).integration_id == first.id
    off = await desk.read(first.id)
    assert (off.status, off.generation) == (Status.DISABLED, first.generation + 1)

    _, theirs = await desk.draft("others", default_currency="GBP")
    asked = desk.channel.calls["merchant_id"]
    await desk.arrive(theirs)
    await desk.doubts.finish()
    assert desk.channel.calls["merchant_id"] == asked


async def test_the_secret_that_was_just_proven_comes_with_the_grant(database):
    desk = Desk(database)
    first = await desk.active()
    desk.channel.client_secrets["app1"] = "rotated-at-wish"
    _, ticket = await desk.draft(client_secret=Secret("rotated-at-wish"), default_currency="GBP")

    assert (await desk.arrive(ticket)).integration_id == first.id

    async with database.read() as work:
        assert (await work.credentials.app(first.id)).client_secret == Secret("rotated-at-wish")
    assert (await desk.credentials.verify(TENANT, first.id)).ok


class TestDrafts:
    """Drafts that have a shop and lack their currency have it without an account."""

    async def test_of_two_with_one_shop_and_app_the_newest_consent_counts(self, database):
        desk = Desk(database)
        desk.channel.new_consent_revokes = True
        first, one = await desk.draft(name="First")
        second, two = await desk.draft(name="Second")
        await desk.arrive(one)
        await desk.arrive(two)

        older = await desk.read(first.id)
        assert (older.connected, older.merchant_id, older.status_reason) == (False, None, None)
        waiting = await desk.lifecycle.change(TENANT, first.id, IntegrationChange(default_currency="GBP"))
        assert waiting.status is Status.DRAFT
        active = await desk.lifecycle.change(TENANT, second.id, IntegrationChange(default_currency="GBP"))
        assert active.status is Status.ACTIVE
        assert await works(desk, active)

    @REVOKES
    async def test_a_draft_of_another_tenant_says_at_once_if_it_stopped(self, database, revokes):
        desk = Desk(database)
        draft, ticket = await desk.draft("others")
        await desk.arrive(ticket)
        desk.channel.new_consent_revokes = revokes

        await desk.active()
        await desk.doubts.finish()

        after = await desk.read(draft.id)
        assert after.status_reason == ("refresh_token_rejected" if revokes else "currency_missing")


class TestPasted:
    """Tokens made by hand are a new consent, too."""

    @REVOKES
    async def test_the_integration_that_has_the_shop_gets_them_and_is_named(self, database, revokes):
        desk = Desk(database)
        desk.channel.new_consent_revokes = revokes
        first = await desk.active()
        draft, _ = await desk.draft()

        with pytest.raises(Conflict) as refused:
            await desk.credentials.paste(TENANT, draft.id, pasted(desk))

        assert (refused.value.code, refused.value.related_id) == ("account_already_connected", first.id)
        assert await works(desk, await desk.read(first.id))

    @REVOKES
    async def test_of_another_tenant_they_are_refused_unused_and_the_owner_says_if_it_stopped(
        self, database, revokes
    ):
        desk = Desk(database)
        first = await desk.active()
        theirs, _ = await desk.draft("others")
        desk.channel.new_consent_revokes = revokes
        renewals = desk.channel.calls["renew"]

        with pytest.raises(Conflict) as refused:
            await desk.credentials.paste("others", theirs.id, pasted(desk))
        assert (refused.value.code, refused.value.related_id) == ("account_in_use", None)
        assert desk.channel.calls["renew"] == renewals
        await desk.doubts.finish()

        assert (await desk.read(first.id)).status is (Status.NEEDS_REAUTH if revokes else Status.ACTIVE)

    @REVOKES
    async def test_into_an_integration_of_another_shop_they_are_refused_unused(self, database, revokes):
        desk = Desk(database)
        first, second = await desk.active("m1"), await desk.active("m2")
        desk.channel.new_consent_revokes = revokes

        with pytest.raises(Conflict) as refused:
            await desk.credentials.paste(TENANT, second.id, pasted(desk))
        assert refused.value.code == "account_mismatch"
        await desk.doubts.finish()

        assert await desk.is_as_before(second)
        assert (await desk.read(first.id)).status is (Status.NEEDS_REAUTH if revokes else Status.ACTIVE)
