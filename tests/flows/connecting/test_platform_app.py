"""One application of the platform for all its sellers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select
from tests.connecting import TENANT, Desk, ticket_of
from tests.platform_apps import CLIENT_ID, SECRET, SetApps, a_draft, an_app, connected

from channel_sync.domain.channel import Environment
from channel_sync.domain.errors import Conflict, Invalid
from channel_sync.domain.integrations import Integration
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.authorise import NewIntegration, Reauthorisation
from channel_sync.flows.connecting.outcomes import CallbackResult
from channel_sync.flows.connecting.paste import PastedCredentials
from channel_sync.flows.integrations.lifecycle import IntegrationChange
from channel_sync.persistence.database import Database
from channel_sync.persistence.sql.consent_tables import attempts
from channel_sync.persistence.sql.tables import integrations

OWN: dict[str, Any] = {"client_id": "app1", "client_secret": Secret("s3cret-of-app1")}


@pytest.fixture
def apps(database: Database) -> SetApps:
    apps = SetApps()
    database.platform_apps = apps
    return apps


@pytest.fixture
async def desk(database: Database, apps: SetApps) -> AsyncIterator[Desk]:
    desk = Desk(database)
    desk.channel.client_secrets[CLIENT_ID] = SECRET
    yield desk
    await desk.doubts.finish()


async def asked_again(desk: Desk, integration: Integration, **wanted: Any) -> CallbackResult:
    invitation = await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation(**wanted))
    return await desk.arrive(ticket_of(invitation.authorise_url), "m1")


async def test_a_seller_gives_nothing_but_a_name_and_a_consent(desk: Desk):
    integration = await connected(desk)

    assert (integration.status, integration.merchant_id) == ("active", "m1")
    assert (integration.platform_app, integration.client_id) == (True, CLIENT_ID)
    assert integration.client_secret_last4 == ""


async def test_the_secret_of_the_platform_is_in_no_row(desk: Desk, database: Database):
    await connected(desk)

    async with database.session() as session:
        kept = await session.column(select(integrations.c.client_secret))
        kept += await session.column(select(attempts.c.client_secret))
    assert kept == [None, None]


async def test_its_consent_is_asked_with_the_platforms_client_id(desk: Desk):
    _, ticket = await a_draft(desk)

    departure = await desk.consent_redirects.start(ticket, [])

    assert f"client_id={CLIENT_ID}" in departure.consent_url


async def test_the_page_before_names_no_app_that_the_seller_never_made(desk: Desk):
    _, of_platform = await a_draft(desk)
    _, of_seller = await desk.draft()

    assert (await desk.consent_redirects.describe(of_platform, [])).client_id is None
    assert (await desk.consent_redirects.describe(of_seller, [])).client_id == "app1"


async def test_without_an_app_of_the_platform_the_sellers_own_is_needed(desk: Desk, apps: SetApps):
    for app in (None, an_app()):
        apps.app, apps.environment = app, Environment.SANDBOX
        with pytest.raises(Invalid) as refused:
            await a_draft(desk)

        assert (refused.value.code, refused.value.pointer) == ("client_id_needed", "/client_id")


@pytest.mark.parametrize(
    ("given", "pointer"),
    [({"client_id": "app1"}, "/client_secret"), ({"client_secret": Secret("s3cret-of-app1")}, "/client_id")],
)
async def test_half_an_app_is_not_made_whole_by_the_platforms(desk: Desk, given, pointer):
    with pytest.raises(Invalid) as refused:
        await desk.authorise.begin(TENANT, NewIntegration(channel="wish", name="Mugs", **given))
    assert refused.value.pointer == pointer

    integration = await connected(desk)
    with pytest.raises(Invalid) as refused:
        await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation(**given))
    assert refused.value.pointer == pointer

    draft, _ = await a_draft(desk)
    with pytest.raises(Invalid) as refused:
        await desk.lifecycle.change(TENANT, draft.id, IntegrationChange(**given))
    assert refused.value.pointer == pointer


async def test_a_seller_may_still_have_an_app_of_their_own(desk: Desk):
    integration = await desk.active()

    assert (integration.platform_app, integration.client_id) == (False, "app1")


async def test_consent_is_asked_again_without_anything_to_paste(desk: Desk):
    integration = await connected(desk)

    again = await asked_again(desk, integration)

    assert (again.result, again.integration_id) == ("connected", integration.id)
    assert (await desk.read(integration.id)).generation > integration.generation


async def test_it_moves_to_an_app_of_the_sellers_own_and_back(desk: Desk):
    integration = await connected(desk)
    assert (await asked_again(desk, integration, **OWN)).result == "connected"
    own = await desk.read(integration.id)
    assert (own.platform_app, own.client_id, own.client_secret_last4) == (False, "app1", "app1")

    assert (await asked_again(desk, own, platform_app=True)).result == "connected"

    back = await desk.read(integration.id)
    assert (back.platform_app, back.client_id, back.client_secret_last4) == (True, CLIENT_ID, "")
    assert await works(desk, back)


async def works(desk: Desk, integration: Integration) -> bool:
    """Whether its credentials can be renewed."""
    return (await desk.credentials.verify(TENANT, integration.id)).ok


async def test_a_denied_consent_leaves_the_app_as_it_was(desk: Desk):
    integration = await desk.active()
    await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation(platform_app=True))

    now = await desk.read(integration.id)
    assert (now.platform_app, now.client_id) == (False, "app1")
    assert await works(desk, now)


async def test_the_platforms_app_and_another_are_not_asked_for_at_once(desk: Desk):
    integration = await desk.active()

    with pytest.raises(Invalid) as refused:
        await asked_again(desk, integration, platform_app=True, **OWN)

    assert refused.value.pointer == "/platform_app"


async def test_a_draft_changed_to_its_own_app_lets_go_of_the_consent_under_way(desk: Desk):
    draft, ticket = await a_draft(desk)
    departure = await desk.consent_redirects.start(ticket, [])
    await desk.lifecycle.change(TENANT, draft.id, IntegrationChange(**OWN))

    late = await desk.come_back(desk.answer(departure), departure)

    assert late.error == "attempt_expired"
    own = await desk.read(draft.id)
    assert (own.platform_app, own.client_id, own.connected) == (False, "app1", False)


async def test_another_app_for_a_connection_needs_the_merchant(desk: Desk):
    integration = await connected(desk)

    with pytest.raises(Conflict) as refused:
        await desk.lifecycle.change(TENANT, integration.id, IntegrationChange(**OWN))

    assert refused.value.code == "reauthorise_required"
    renamed = await desk.lifecycle.change(
        TENANT, integration.id, IntegrationChange(name="Cups", client_id=CLIENT_ID)
    )
    assert (renamed.name, renamed.platform_app) == ("Cups", True)


async def test_a_removed_one_comes_back_with_one_consent(desk: Desk):
    integration = await connected(desk)
    await desk.lifecycle.remove(TENANT, integration.id, integration.name)
    await desk.lifecycle.restore(TENANT, integration.id)

    assert (await asked_again(desk, integration)).result == "connected"
    assert (await desk.read(integration.id)).status == "active"


async def test_a_second_consent_to_a_shop_goes_to_the_integration_that_has_it(desk: Desk):
    integration = await connected(desk)
    _, ticket = await a_draft(desk, name="Again")

    second = await desk.arrive(ticket)

    assert (second.result, second.integration_id) == ("connected", integration.id)
    assert (await desk.read(integration.id)).platform_app


async def test_an_app_that_was_exchanged_meanwhile_does_not_redeem_for_the_one_before(desk: Desk, apps: SetApps):
    draft, ticket = await a_draft(desk)
    departure = await desk.consent_redirects.start(ticket, [])
    answer = desk.answer(departure)
    apps.app = an_app("platform-2")

    refused = await desk.come_back(answer, departure)

    assert (refused.error, desk.channel.calls["redeem"]) == ("exchange_failed", 0)
    invitation = await desk.authorise.reauthorise(TENANT, draft.id, Reauthorisation())
    assert (await desk.arrive(ticket_of(invitation.authorise_url))).result == "connected"
    assert (await desk.read(draft.id)).client_id == "platform-2"


async def test_its_secret_goes_with_no_other_id(desk: Desk, database: Database):
    """An attempt with an id of its own relied on the secret that was stored, and it is not any more."""
    integration = await desk.active()
    invitation = await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation(client_id="app2"))
    departure = await desk.consent_redirects.start(ticket_of(invitation.authorise_url), [])
    async with database.begin() as work:
        await work.credentials.use_platform_app(integration.id, CLIENT_ID, integration.updated_at)

    refused = await desk.come_back(desk.answer(departure), departure)

    assert (refused.error, desk.channel.calls["redeem"]) == ("exchange_failed", 1)


async def test_pasted_credentials_of_an_app_of_the_sellers_own_take_its_place(desk: Desk):
    integration = await connected(desk)
    grant = desk.channel.issue("m1")
    pasted = PastedCredentials("app1", Secret("s3cret-of-app1"), grant.access_token, grant.refresh_token)

    await desk.credentials.paste(TENANT, integration.id, pasted)

    own = await desk.read(integration.id)
    assert (own.platform_app, own.client_id, own.client_secret_last4) == (False, "app1", "app1")
    assert await works(desk, own)
