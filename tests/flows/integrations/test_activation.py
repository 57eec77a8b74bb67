import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.connecting import TENANT, Desk, utc_now

from channel_sync.domain.errors import Conflict
from channel_sync.domain.integrations import Status
from channel_sync.domain.runs import RunKind, RunStatus, Trigger
from channel_sync.domain.secrets import Secret
from channel_sync.flows.integrations.lifecycle import IntegrationChange
from channel_sync.persistence.runs import RunQuery
from channel_sync.persistence.sql.paging import PageRequest

EARLY = datetime(2026, 1, 1, tzinfo=UTC)


async def test_reauthorising_keeps_everything_but_the_grant(database):
    desk = Desk(database)
    before = await desk.active()
    account = await desk.account()

    callback_result = await desk.reauthorise(before.id)

    after = await desk.read(before.id)
    assert callback_result.result == "connected"
    assert (after.generation, after.status) == (before.generation + 1, Status.ACTIVE)
    assert (after.name, after.default_currency, after.client_id) == ("My shop", "GBP", "app1")
    assert after.client_secret_updated_at == before.client_secret_updated_at
    assert await desk.account() == account
    assert (await desk.told())[-1] == "integration.reauthorised"


async def test_reauthorising_catches_up(database):
    desk = Desk(database)
    integration = await desk.active()

    await desk.reauthorise(integration.id)

    async with database.read() as work:
        runs = await work.runs.list(TENANT, RunQuery(integration_id=integration.id), PageRequest(10, None))
    assert [(run.kind, run.trigger, run.status) for run in runs.items] == [
        (RunKind.ORDERS, Trigger.CATCH_UP, RunStatus.QUEUED)
    ]


async def test_reauthorising_never_switches_a_disabled_integration_on(database):
    desk = Desk(database)
    integration = await desk.active()
    disabled = await desk.lifecycle.set_enabled(TENANT, integration.id, False)

    callback_result = await desk.reauthorise(integration.id)

    after = await desk.read(integration.id)
    assert callback_result.result == "connected"
    assert (after.enabled, after.status, after.status_since) == (False, Status.DISABLED, disabled.status_since)
    assert await desk.next_at(integration.id) is None


async def test_new_app_credentials_count_only_once_the_merchant_agreed(database):
    desk = Desk(database)
    integration = await desk.active()
    desk.channel.client_secrets["app2"] = "another-secret"
    app2 = {"client_id": "app2", "client_secret": Secret("another-secret")}

    failed = await desk.reauthorise(integration.id, "m2", **app2)
    assert failed.error == "account_mismatch"
    assert (await desk.read(integration.id)).client_id == "app1"

    await desk.reauthorise(integration.id, "m1", **app2)
    async with database.read() as work:
        app = await work.credentials.app(integration.id)
    assert (app.client_id, app.client_secret) == ("app2", Secret("another-secret"))


async def test_another_merchant_is_refused_and_the_old_grant_stays(database):
    desk = Desk(database)
    integration = await desk.active()
    token = await desk.token(integration.id)

    callback_result = await desk.reauthorise(integration.id, "m2")

    assert (callback_result.result, callback_result.error) == ("failed", "account_mismatch")
    assert await desk.token(integration.id) == token
    assert await desk.is_as_before(integration)
    assert "integration.reauthorised" not in await desk.told()


async def test_a_merchant_is_connected_once_per_tenant(database):
    desk = Desk(database)
    first = await desk.active()
    second, ticket = await desk.draft(default_currency="GBP", client_id="app2")

    callback_result = await desk.arrive(ticket)

    assert callback_result.error == "account_already_connected"
    assert (await desk.read(second.id)).access_token_last4 is None
    account = await desk.account()
    assert account is not None
    assert account.integration_id == first.id


async def test_another_tenant_cannot_use_the_same_app_and_merchant(database):
    desk = Desk(database)
    await desk.active()
    theirs, ticket = await desk.draft("others", default_currency="GBP")

    callback_result = await desk.arrive(ticket)

    assert callback_result.error == "account_in_use"
    assert (await desk.read(theirs.id)).access_token_last4 is None
    assert await desk.told("others") == ["integration.authorisation_failed"]


async def test_another_tenant_may_connect_the_merchant_by_its_own_app(database):
    desk = Desk(database)
    await desk.active()

    theirs = await desk.active(tenant="others", client_id="app2")

    assert theirs.status is Status.ACTIVE
    assert await desk.told("others") == ["integration.created", "integration.connected"]


async def test_of_two_connected_drafts_of_a_merchant_the_first_to_finish_gets_it(database):
    desk = Desk(database)
    drafts = [await desk.draft(client_id=f"app{number}") for number in range(2)]
    for _, ticket in drafts:
        assert (await desk.arrive(ticket)).result == "connected"

    first, second = (draft.id for draft, _ in drafts)
    await desk.lifecycle.change(TENANT, first, IntegrationChange(default_currency="GBP"))
    with pytest.raises(Conflict) as refused:
        await desk.lifecycle.change(TENANT, second, IntegrationChange(default_currency="GBP"))

    assert (refused.value.code, refused.value.related_id) == ("account_already_connected", first)
    assert (await desk.read(second)).status is Status.DRAFT


async def test_two_first_connections_of_a_merchant_at_once_make_one(database):
    desk = Desk(database)
    desk.channel.delays["redeem"] = 0.05
    drafts = [await desk.draft(default_currency="GBP", client_id=f"app{number}") for number in range(4)]

    completion = await asyncio.gather(*(desk.arrive(ticket) for _, ticket in drafts))

    errors = sorted(callback_result.error or "" for callback_result in completion)
    assert errors == ["", *["account_already_connected"] * 3]


async def test_a_draft_connected_to_the_wrong_shop_may_be_connected_to_another(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()
    await desk.arrive(ticket, "m2")

    callback_result = await desk.reauthorise(draft.id, "m1")
    await desk.lifecycle.change(TENANT, draft.id, IntegrationChange(default_currency="GBP"))

    integration = await desk.read(draft.id)
    assert (callback_result.result, integration.merchant_id, integration.shop_name) == ("connected", "m1", "Shop")
    assert await desk.account("m2") is None


async def test_connecting_a_removed_merchant_again_takes_its_account_over(database):
    desk = Desk(database)
    old = await desk.active(orders_from=EARLY)
    account = await desk.account()
    assert account is not None
    cursor = EARLY + timedelta(days=100)
    async with database.begin() as work:
        await work.accounts.move_cursor(account.id, cursor)
    await desk.lifecycle.remove(TENANT, old.id, "My shop")

    new = await desk.active(name="Again", orders_from=EARLY + timedelta(days=200))

    taken = await desk.account()
    assert taken is not None
    assert (taken.id, taken.integration_id) == (account.id, new.id)
    assert taken.order_cursor == cursor
    assert (await desk.read(new.id)).account_id == account.id


async def test_connecting_clears_what_stood_in_the_way(database):
    desk = Desk(database)
    integration = await desk.active()
    await desk.grants.pause(await desk.grants.access(integration.id), desk.channel)
    assert (await desk.read(integration.id)).status is Status.PAUSED

    await desk.reauthorise(integration.id)

    after = await desk.read(integration.id)
    assert (after.status, after.status_reason) == (Status.ACTIVE, None)
    next_at = await desk.next_at(integration.id)
    assert next_at is not None
    assert next_at <= utc_now()
