"""What becomes of sellers' grants when something is wrong with the one application that all of them use."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.connecting import TENANT, Desk
from tests.platform_apps import CLIENT_ID, SECRET, SetApps, an_app, connected

from channel_sync.domain.errors import ChannelUnavailable
from channel_sync.domain.integrations import Integration
from channel_sync.persistence.database import Database

NEWER = "the-newer-secret-of-the-platform"


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


async def ageing(desk: Desk, days_left: float) -> Integration:
    """An active integration of the platform's app, whose access token has so many days to live."""
    desk.channel.lifetime = timedelta(days=days_left)
    integration = await connected(desk)
    desk.channel.lifetime = timedelta(days=30)
    return integration


async def test_a_secret_that_was_exchanged_is_used_for_the_next_renewal(desk: Desk, apps: SetApps):
    integration = await ageing(desk, days_left=3)
    desk.channel.client_secrets[CLIENT_ID] = NEWER
    apps.rotate(NEWER)

    await desk.grants.renew_due()

    assert (await desk.read(integration.id)).generation == integration.generation + 1


async def test_a_wrong_secret_stops_nobody_and_is_tried_again(desk: Desk, apps: SetApps, database: Database):
    integration = await ageing(desk, days_left=3)
    apps.rotate("mistyped-by-the-operator")

    await desk.grants.renew_due()

    assert desk.channel.calls["renew"] == 1
    now = await desk.read(integration.id)
    assert (now.status, now.generation) == ("active", integration.generation)
    assert now.renewal_failing_since is not None
    # What it has goes on working for as long as it would have.
    assert await desk.shop(integration.id).call(lambda shop: shop.merchant_id()) == "m1"


async def test_once_the_secret_is_right_again_a_person_may_have_it_tried_at_once(desk: Desk, apps: SetApps):
    integration = await ageing(desk, days_left=3)
    apps.rotate("mistyped-by-the-operator")
    await desk.grants.renew_due()

    refused = await desk.credentials.verify(TENANT, integration.id)
    apps.rotate(SECRET)
    verified = await desk.credentials.verify(TENANT, integration.id)

    told = {check.field: check.code for check in refused.checks}
    assert (told["client_id"], told["client_secret"]) == ("platform_app_rejected", "platform_app_rejected")
    assert (told["access_token"], told["refresh_token"]) == (None, "not_checked")
    assert verified.ok
    assert (await desk.read(integration.id)).renewal_failing_since is None


@pytest.mark.parametrize("app", [None, an_app("another-app")])
async def test_an_app_that_is_not_set_any_more_is_not_the_merchants_matter(desk: Desk, apps: SetApps, app):
    integration = await ageing(desk, days_left=3)
    apps.app = app

    await desk.grants.renew_due()

    assert desk.channel.calls["renew"] == 0
    assert (await desk.read(integration.id)).status == "active"
    assert await desk.shop(integration.id).call(lambda shop: shop.merchant_id()) == "m1"
    told = {check.field: check.code for check in (await desk.credentials.verify(TENANT, integration.id)).checks}
    assert told["client_secret"] == "platform_app_missing"


async def test_without_it_a_token_at_its_end_waits_for_the_operator(desk: Desk, apps: SetApps):
    integration = await ageing(desk, days_left=1e-9)
    # A token that was just made is tried whatever its end; this one was given by consent, not by a renewal.
    apps.app = None

    with pytest.raises(ChannelUnavailable) as away:
        await desk.shop(integration.id).call(lambda shop: shop.merchant_id())

    assert away.value.code == "platform_app_missing"
    assert (await desk.read(integration.id)).status == "active"


async def test_a_secret_of_the_sellers_own_that_is_wrong_still_asks_for_the_seller(desk: Desk):
    integration = await desk.ageing()
    desk.channel.client_secrets["app1"] = "another"

    await desk.grants.renew_due()

    assert (await desk.read(integration.id)).status == "needs_reauth"
