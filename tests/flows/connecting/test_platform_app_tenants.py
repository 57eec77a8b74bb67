"""The platform's one application beside several tenants: a shop is one tenant's, whoever else asks for it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.connecting import TENANT, Desk, ticket_of
from tests.platform_apps import CLIENT_ID, SECRET, SetApps, a_draft, connected

from channel_sync.flows.connecting.authorise import Reauthorisation
from channel_sync.flows.connecting.outcomes import CallbackResult, Setback
from channel_sync.persistence.database import Database


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    database.platform_apps = SetApps()
    desk = Desk(database)
    desk.channel.client_secrets[CLIENT_ID] = SECRET
    yield desk
    await desk.doubts.finish()


async def test_a_shop_of_the_platforms_app_belongs_to_one_tenant(desk: Desk):
    await connected(desk)
    _, ticket = await a_draft(desk, tenant="globex")

    refused = await desk.arrive(ticket)

    assert refused.error == "account_in_use"


async def test_of_tenants_that_connect_one_shop_at_once_one_has_it(desk: Desk):
    tenants = [f"tenant-{number}" for number in range(8)]
    redirects = [await desk.consent_redirects.start((await a_draft(desk, one))[1], []) for one in tenants]
    answers = [desk.answer(redirect) for redirect in redirects]

    ends = await asyncio.gather(*map(desk.come_back, answers, redirects))

    assert sorted(end.error or "connected" for end in ends) == [*["account_in_use"] * 7, "connected"]


@pytest.mark.parametrize("with_state", [True, False])
async def test_a_shop_that_another_tenant_asks_for_goes_on_where_it_is(desk: Desk, with_state: bool):
    """The seller's second consent, in the wrong place, has ended the tokens of the first."""
    integration = await connected(desk)
    desk.channel.new_consent_revokes = True
    _, ticket = await a_draft(desk, tenant="globex")
    redirect = await desk.consent_redirects.start(ticket, [])

    refused = await desk.callbacks.arrive(desk.answer(redirect, with_state=with_state), [redirect.cookie])

    await desk.doubts.finish()
    assert isinstance(refused, CallbackResult | Setback)
    assert refused.error == "account_in_use"
    newest = await desk.read(integration.id)
    assert (newest.status, newest.generation, newest.tenant) == ("active", integration.generation + 1, TENANT)
    assert await desk.shop(integration.id).call(lambda shop: shop.merchant_id()) == "m1"
    assert desk.channel.calls["renew"] == 0


async def test_a_shop_of_another_tenant_taken_for_ones_own_goes_on_where_it_is(desk: Desk):
    theirs = await connected(desk, "m2", tenant="globex")
    own = await connected(desk)
    desk.channel.new_consent_revokes = True
    invitation = await desk.authorise.reauthorise(TENANT, own.id, Reauthorisation())

    mistaken = await desk.arrive(ticket_of(invitation.authorise_url), "m2")

    await desk.doubts.finish()
    assert mistaken.error == "account_mismatch"
    assert (await desk.read(theirs.id)).generation == theirs.generation + 1
    assert await desk.is_as_before(own)
