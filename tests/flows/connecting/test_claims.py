"""A tenant claims a shop that its seller added."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from tests.connecting import TENANT, Desk, utc_now
from tests.platform_apps import CLIENT_ID, SECRET, SetApps

from channel_sync.domain.channel import Environment
from channel_sync.domain.errors import ChannelSyncError, Conflict, Invalid
from channel_sync.domain.integrations import CONNECTED_DRAFT_LIFETIME, Integration
from channel_sync.domain.platform_apps import PlatformAppMissing
from channel_sync.domain.quotas import QuotaExceeded
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.added_apps import CLAIMABLE_FOR
from channel_sync.flows.connecting.claims import ClaimedIntegration, Claims
from channel_sync.flows.connecting.outcomes import Added, Callback
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_tenant


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    database.platform_apps = SetApps()
    desk = Desk(database)
    desk.channel.client_secrets[CLIENT_ID] = SECRET
    yield desk
    await desk.doubts.finish()


async def a_claim(desk: Desk, merchant_id: str = "m1") -> Secret:
    outcome = await desk.added_apps.arrive("wish", Callback(code=desk.channel.add_app(CLIENT_ID, merchant_id)))
    assert isinstance(outcome, Added), outcome
    return Secret(parse_qs(urlsplit(outcome.url).query)["claim"][0])


async def complete(desk: Desk, claim: Secret, tenant: str = TENANT, **members: Any) -> Integration:
    """The claim completed as the API does, in transactions of the tenant."""
    wanted = {"channel": "wish", "name": "Mugs", "default_currency": "GBP"} | members
    with for_tenant(tenant):
        return await desk.claims.complete(tenant, ClaimedIntegration(claim=claim, **wanted))


async def refusal(desk: Desk, claim: Secret, tenant: str = TENANT, **members: Any) -> ChannelSyncError:
    with pytest.raises(ChannelSyncError) as refused:
        await complete(desk, claim, tenant, **members)
    return refused.value


async def test_the_shop_is_shown_before_it_is_connected(desk: Desk):
    claim = await a_claim(desk)

    with for_tenant(TENANT):
        shown = [await desk.claims.preview(TENANT, claim) for _ in range(2)]

    assert shown[0] == shown[1]
    assert (shown[0].shop_name, shown[0].merchant_id, shown[0].refusal) == ("Shop", "m1", None)
    assert (shown[0].channel, shown[0].environment) == ("wish", Environment.PRODUCTION)
    assert await desk.told() == []


async def test_a_claim_makes_an_active_integration(desk: Desk):
    claim = await a_claim(desk)
    nudges = desk.nudges

    integration = await complete(desk, claim)

    assert (integration.status, integration.merchant_id, integration.shop_name) == ("active", "m1", "Shop")
    assert (integration.platform_app, integration.client_id) == (True, CLIENT_ID)
    assert await desk.shop(integration.id).call(lambda shop: shop.merchant_id()) == "m1"
    assert (await desk.credentials.verify(TENANT, integration.id)).ok
    assert await desk.told() == ["integration.created", "integration.connected"]
    assert (desk.nudges > nudges, await desk.next_at(integration.id) is not None) == (True, True)


async def test_without_a_currency_it_is_a_connected_draft(desk: Desk):
    draft = await complete(desk, await a_claim(desk), default_currency=None)

    assert (draft.status, draft.status_reason) == ("draft", "currency_missing")
    assert draft.draft_expires_at is not None
    assert draft.draft_expires_at > utc_now() + CONNECTED_DRAFT_LIFETIME - timedelta(minutes=1)


async def test_a_claim_is_used_once_and_whoever_used_it_is_told_what_came_of_it(desk: Desk):
    claim = await a_claim(desk)
    integration = await complete(desk, claim)

    again = await refusal(desk, claim)
    elsewhere = await refusal(desk, claim, tenant="globex")

    assert isinstance(again, Conflict)
    assert (again.code, again.related_id) == ("claim_used", integration.id)
    assert (elsewhere.code, isinstance(elsewhere, Invalid)) == ("claim_unknown", True)


async def test_of_many_at_once_one_tenant_has_the_shop(desk: Desk):
    claim = await a_claim(desk)
    tenants = [f"tenant-{number}" for number in range(6)]

    ends = await asyncio.gather(*(complete(desk, claim, tenant) for tenant in tenants), return_exceptions=True)

    won = [one for one in ends if isinstance(one, Integration)]
    lost = [one.code for one in ends if isinstance(one, ChannelSyncError)]
    assert (len(won), len(lost)) == (1, 5)
    assert set(lost) <= {"claim_unknown", "account_in_use"}
    assert (await desk.read(won[0].id)).tenant in tenants


@pytest.mark.parametrize("claim", ["invented", "", "*", "%"])
async def test_a_claim_that_nobody_gave_out_is_unknown(desk: Desk, claim: str):
    await a_claim(desk)

    refused = await refusal(desk, Secret(claim))

    assert isinstance(refused, Invalid)
    assert (refused.code, refused.pointer) == ("claim_unknown", "/claim")


async def test_a_claim_is_good_for_an_hour(desk: Desk):
    claim = await a_claim(desk)

    with time_machine.travel(utc_now() + CLAIMABLE_FOR, tick=True):
        assert (await refusal(desk, claim)).code == "claim_unknown"


async def test_a_claim_of_before_the_app_was_added_again_is_unknown(desk: Desk):
    first, _ = await a_claim(desk), await a_claim(desk)

    assert (await refusal(desk, first)).code == "claim_unknown"


async def test_a_shop_that_the_tenant_has_already_is_said_with_its_integration(desk: Desk):
    own = await complete(desk, await a_claim(desk))
    again = await a_claim(desk)

    with for_tenant(TENANT):
        shown = await desk.claims.preview(TENANT, again)
    refused = await refusal(desk, again)

    assert isinstance(refused, Conflict)
    assert (refused.code, refused.related_id) == ("account_already_connected", own.id)
    assert shown.refusal is not None
    assert (shown.refusal.code, shown.refusal.related_id) == ("account_already_connected", own.id)


async def test_a_shop_of_another_tenant_is_said_without_a_word_of_where(desk: Desk):
    await complete(desk, await a_claim(desk), tenant="globex")
    again = await a_claim(desk)

    with for_tenant(TENANT):
        shown = await desk.claims.preview(TENANT, again)
    refused = await refusal(desk, again)

    assert isinstance(refused, Conflict)
    assert (refused.code, refused.related_id) == ("account_in_use", None)
    assert shown.refusal is not None
    assert (shown.refusal.code, shown.refusal.related_id) == ("account_in_use", None)


async def test_a_refused_claim_uses_nothing_up(desk: Desk):
    """The shop is the tenant's by an app of its own; once that integration is removed it is free."""
    own = await desk.active("m1")
    claim = await a_claim(desk)
    assert (await refusal(desk, claim)).code == "account_already_connected"

    await desk.lifecycle.remove(TENANT, own.id, own.name)

    assert (await complete(desk, claim)).status == "active"


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"channel": "nowhere"}, "/channel"),
        ({"environment": Environment.SANDBOX}, "/environment"),
        ({"default_currency": "XXX"}, "/default_currency"),
    ],
)
async def test_what_does_not_fit_is_named_and_uses_nothing_up(desk: Desk, members: dict[str, Any], pointer: str):
    claim = await a_claim(desk)

    refused = await refusal(desk, claim, **members)

    assert isinstance(refused, Invalid)
    assert refused.pointer == pointer
    assert (await complete(desk, claim)).status == "active"


async def test_an_app_that_is_another_by_now_is_the_operators_matter(desk: Desk, database: Database):
    claim = await a_claim(desk)
    database.platform_apps = SetApps(app=None)

    assert isinstance(await refusal(desk, claim), PlatformAppMissing)


async def test_a_tenant_with_as_many_drafts_as_it_may_have_keeps_its_claim(desk: Desk, database: Database):
    claim = await a_claim(desk)
    few = Claims(database, {"wish": desk.channel}, desk.doubts, desk.nudge, most_drafts=0)

    with for_tenant(TENANT), pytest.raises(QuotaExceeded):
        await few.complete(TENANT, ClaimedIntegration("wish", "Mugs", claim))

    assert (await complete(desk, claim)).status == "active"
