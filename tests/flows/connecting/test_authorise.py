import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from tests.connecting import (
    OVERDUE,
    PUBLIC_URL,
    RETURN_ORIGIN,
    TENANT,
    Desk,
    a_new_integration,
    ticket_of,
    utc_now,
)

from channel_sync.domain.errors import Conflict, Invalid, NotFound
from channel_sync.domain.integrations import AttemptKind, AuthState, Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.authorise import Reauthorisation


async def test_a_draft_waits_an_hour_and_its_invitation_ten_minutes(database):
    desk = Desk(database)
    began = utc_now()

    draft, invitation = await desk.authorise.begin(TENANT, a_new_integration())

    assert invitation.authorise_url.startswith(f"{PUBLIC_URL}/wish/authorise?ticket=")
    assert timedelta(minutes=9) < invitation.expires_at - began < timedelta(minutes=11)
    stored = await desk.read(draft.id)
    assert stored == draft
    assert stored.status is Status.DRAFT
    assert stored.auth_state(began, OVERDUE) is AuthState.PENDING
    assert stored.draft_expires_at is not None
    assert timedelta(minutes=59) < stored.draft_expires_at - began < timedelta(minutes=61)
    assert timedelta(days=29) < began - stored.orders_from < timedelta(days=31)
    assert await desk.told() == []


async def test_the_ticket_itself_is_not_stored(database):
    desk = Desk(database)
    _, ticket = await desk.draft()

    async with database.read() as work:
        assert await work.attempts.by_ticket(ticket) is None
        assert await work.attempts.by_ticket(hashlib.sha256(ticket.encode()).hexdigest()) is not None


async def test_tickets_states_and_cookies_are_long_and_never_repeat(database):
    desk = Desk(database)
    seen = set()
    for _ in range(5):
        _, ticket = await desk.draft()
        redirect = await desk.consent_redirects.start(ticket, [])
        state = parse_qs(urlsplit(redirect.consent_url).query)["state"][0]
        seen |= {ticket, redirect.cookie, state}

    assert len(seen) == 15
    assert min(len(token) for token in seen) >= 40


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ({"channel": "mars"}, "unknown_channel", "/channel"),
        ({"name": " "}, "blank", "/name"),
        ({"client_id": ""}, "blank", "/client_id"),
        ({"client_secret": Secret("")}, "secret_masked", "/client_secret"),
        ({"client_secret": Secret("••••••••")}, "secret_masked", "/client_secret"),
        ({"default_currency": "XXX"}, "currency_not_offered", "/default_currency"),
        ({"return_url": "https://evil.example/"}, "return_url_not_allowed", "/return_url"),
    ],
)
async def test_what_cannot_be_used_is_named_and_nothing_is_stored(database, members, code, pointer):
    desk = Desk(database)

    with pytest.raises(Invalid) as refused:
        await desk.draft(**members)

    assert (refused.value.code, refused.value.pointer) == (code, pointer)
    async with database.read() as work:
        assert await work.integrations.expired_drafts(utc_now() + timedelta(days=1), 10) == []


async def test_the_page_says_what_is_about_to_be_connected_and_uses_nothing_up(database):
    desk = Desk(database)
    _, ticket = await desk.draft(name="My shop", client_id="app9")

    for _ in range(2):
        view = await desk.consent_redirects.describe(ticket, [])

    assert (view.channel_name, view.integration_name, view.client_id) == ("Fake", "My shop", "app9")
    assert (view.merchant_id, view.kind) == (None, AttemptKind.CONNECT)


async def test_the_page_of_a_reauthorisation_names_the_shop(database):
    desk = Desk(database)
    integration = await desk.active()

    invitation = await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation(client_id="app2"))

    view = await desk.consent_redirects.describe(ticket_of(invitation.authorise_url), [])
    assert (view.merchant_id, view.shop_name, view.client_id) == ("m1", "Shop", "app2")
    assert view.kind is AttemptKind.REAUTHORISE


async def test_a_ticket_is_good_for_ten_minutes(database):
    desk = Desk(database)
    _, ticket = await desk.draft()

    with time_machine.travel(utc_now() + timedelta(minutes=10, seconds=1), tick=True):
        for step in (desk.consent_redirects.start, desk.consent_redirects.describe):
            with pytest.raises(Invalid) as refused:
                await step(ticket, [])
            assert refused.value.code == "attempt_expired"


@pytest.mark.parametrize("ticket", ["", "guess", "x" * 4096, "\x00"])
async def test_an_invented_ticket_opens_nothing(database, ticket):
    with pytest.raises(Invalid) as refused:
        await Desk(database).consent_redirects.describe(ticket, [])

    assert refused.value.code == "attempt_expired"


async def test_a_ticket_of_a_cancelled_draft_opens_nothing(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()
    await desk.lifecycle.remove(TENANT, draft.id, None)

    with pytest.raises(Invalid):
        await desk.consent_redirects.start(ticket, [])


async def test_the_address_at_the_marketplace_has_a_challenge_that_the_verifier_meets(database):
    desk = Desk(database)
    _, ticket = await desk.draft(default_currency="GBP")

    redirect = await desk.consent_redirects.start(ticket, [])

    query = parse_qs(urlsplit(redirect.consent_url).query)
    assert len(query["code_challenge"][0]) == 43
    assert query["client_id"] == ["app1"]
    assert 0 < redirect.max_age_s <= 600


async def test_a_step_keeps_a_draft_alive(database):
    desk = Desk(database)
    draft, _ = await desk.draft()

    with time_machine.travel(utc_now() + timedelta(minutes=50), tick=True):
        invitation = await desk.authorise.reauthorise(TENANT, draft.id, Reauthorisation())
        await desk.consent_redirects.start(ticket_of(invitation.authorise_url), [])
    with time_machine.travel(utc_now() + timedelta(minutes=100), tick=True):
        await desk.prune.run()

    assert await desk.find(draft.id) is not None


async def test_a_fresh_ticket_ends_the_one_before(database):
    desk = Desk(database)
    draft, old = await desk.draft(default_currency="GBP")

    invitation = await desk.authorise.reauthorise(TENANT, draft.id, Reauthorisation())

    with pytest.raises(Invalid):
        await desk.consent_redirects.start(old, [])
    callback_result = await desk.arrive(ticket_of(invitation.authorise_url))
    assert callback_result.result == "connected"


async def test_an_invitation_to_reauthorise_changes_nothing(database):
    desk = Desk(database)
    integration = await desk.active()

    await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation("app2", Secret("another-secret")))

    assert await desk.read(integration.id) == integration


async def test_another_tenant_cannot_reauthorise(database):
    desk = Desk(database)
    integration = await desk.active()

    with pytest.raises(NotFound):
        await desk.authorise.reauthorise("others", integration.id, Reauthorisation())


async def test_a_removed_integration_is_restored_before_it_is_reauthorised(database):
    desk = Desk(database)
    integration = await desk.active()
    await desk.lifecycle.remove(TENANT, integration.id, "My shop")

    with pytest.raises(Conflict) as refused:
        await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation())

    assert refused.value.code == "integration_removed"


async def test_orders_from_is_the_first_cursor(database):
    desk = Desk(database)
    since = datetime(2026, 1, 1, tzinfo=UTC)

    await desk.active(orders_from=since, return_url=f"{RETURN_ORIGIN}/done")

    account = await desk.account()
    assert account is not None
    assert account.order_cursor == since
