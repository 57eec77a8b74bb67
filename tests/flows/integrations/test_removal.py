import asyncio
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select
from tests.connecting import TENANT, Desk, ticket_of, utc_now
from tests.factories import a_channel_listing, a_channel_order
from tests.stored import held_grant, order_rows

from channel_sync.domain.errors import ConfirmationRequired, Conflict, Invalid, NotFound
from channel_sync.domain.integrations import Status
from channel_sync.domain.orders import OrderState
from channel_sync.domain.runs import RunKind
from channel_sync.domain.secrets import Secret
from channel_sync.domain.stock import StockItem
from channel_sync.flows.connecting.authorise import Reauthorisation
from channel_sync.flows.connecting.pkce import hash_of
from channel_sync.persistence.sql.consent_tables import attempts


async def test_a_cancelled_draft_leaves_nothing(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()
    await desk.arrive(ticket)

    await desk.lifecycle.remove(TENANT, draft.id, None)

    assert await desk.find(draft.id) is None
    assert await desk.account() is None
    assert await desk.told() == []
    with pytest.raises(NotFound):
        await desk.lifecycle.remove(TENANT, draft.id, None)


@pytest.mark.parametrize("confirm", [None, "", "my shop", "My shop "])
async def test_a_removal_needs_the_exact_name(database, confirm):
    desk = Desk(database)
    integration = await desk.active()

    with pytest.raises(ConfirmationRequired):
        await desk.lifecycle.remove(TENANT, integration.id, confirm)

    assert await desk.read(integration.id) == integration


async def test_a_removal_stops_everything_and_destroys_the_credentials(database):
    desk = Desk(database)
    integration = await desk.active()
    run_id = await desk.queued_run(integration)
    invitation = await desk.authorise.reauthorise(TENANT, integration.id, Reauthorisation())

    await desk.lifecycle.remove(TENANT, integration.id, "My shop")

    removed = await desk.read(integration.id)
    assert (removed.status, removed.client_secret_last4, removed.access_token_last4) == (Status.REMOVED, "", None)
    assert await desk.is_cancelled(run_id)
    assert [await desk.next_at(integration.id, kind) for kind in RunKind] == [None] * len(RunKind)
    async with database.read() as work:
        assert await held_grant(work, integration.id) is None
        with pytest.raises(NotFound):
            await work.credentials.app(integration.id)
        attempt = await work.attempts.by_ticket(hash_of(ticket_of(invitation.authorise_url)))
    assert attempt is not None
    assert (attempt.result, attempt.code_verifier) == ("closed", Secret(""))
    account = await desk.account()
    assert account is not None
    assert account.integration_id is None
    assert (await desk.told())[-1] == "integration.removed"


async def test_removing_twice_is_removing_once(database):
    desk = Desk(database)
    integration = await desk.active()

    for _ in range(2):
        await desk.lifecycle.remove(TENANT, integration.id, "My shop")

    assert (await desk.told()).count("integration.removed") == 1


async def test_a_restored_integration_waits_for_its_merchant_and_has_its_account(database):
    desk = Desk(database)
    integration = await desk.active()
    before = await desk.account()
    await desk.lifecycle.remove(TENANT, integration.id, "My shop")

    restored = await desk.lifecycle.restore(TENANT, integration.id)

    assert restored.status is Status.NEEDS_REAUTH
    assert await desk.account() == before
    assert (await desk.told())[-1] == "integration.restored"
    with pytest.raises(Invalid) as refused:
        await desk.reauthorise(integration.id)
    assert refused.value.code == "client_secret_needed"
    callback_result = await desk.reauthorise(integration.id, client_secret=Secret("s3cret-of-app1"))
    assert callback_result.result == "connected"
    assert (await desk.read(integration.id)).status is Status.ACTIVE


async def test_a_merchant_taken_over_meanwhile_is_not_restored(database):
    desk = Desk(database)
    old = await desk.active()
    await desk.lifecycle.remove(TENANT, old.id, "My shop")
    new = await desk.active(name="New")

    with pytest.raises(Conflict) as refused:
        await desk.lifecycle.restore(TENANT, old.id)

    assert (refused.value.code, refused.value.related_id) == ("account_already_connected", new.id)


async def test_a_merchant_that_another_tenant_connected_meanwhile_is_not_restored(database):
    desk = Desk(database)
    old = await desk.active()
    await desk.lifecycle.remove(TENANT, old.id, "My shop")
    await desk.active(tenant="other")

    with pytest.raises(Conflict) as refused:
        await desk.lifecycle.restore(TENANT, old.id)

    assert (refused.value.code, refused.value.related_id) == ("account_in_use", None)


async def test_a_removal_destroys_the_secret_of_a_browser_that_just_came_back(database):
    desk = Desk(database)
    integration = await desk.active()
    gate = desk.channel.hold("redeem")
    arriving = asyncio.create_task(desk.reauthorise(integration.id, client_secret=Secret("s3cret-of-app1")))
    await gate.reached.wait()

    await desk.lifecycle.remove(TENANT, integration.id, "My shop")

    async with database.session() as session:
        kept = await session.rows(select(attempts.c.client_secret, attempts.c.code_verifier))
    gate.open.set()
    callback_result = await arriving
    assert callback_result.integration_id is None
    assert {secret for row in kept for secret in row} == {None}


async def test_after_thirty_days_nothing_is_restored(database):
    desk = Desk(database)
    integration = await desk.active()
    await desk.lifecycle.remove(TENANT, integration.id, "My shop")

    with time_machine.travel(utc_now() + timedelta(days=30, minutes=1), tick=True), pytest.raises(NotFound):
        await desk.lifecycle.restore(TENANT, integration.id)


async def test_only_removed_integrations_are_restored(database):
    desk = Desk(database)
    integration = await desk.active()

    with pytest.raises(Conflict):
        await desk.lifecycle.restore(TENANT, integration.id)


async def test_the_preview_counts_what_a_removal_would_touch(database):
    desk = Desk(database)
    integration = await desk.active()
    account = await desk.account()
    assert account is not None
    now = utc_now()
    orders = [a_channel_order(), a_channel_order(), a_channel_order(state=OrderState.SHIPPED)]
    listings = [a_channel_listing(sku="A"), a_channel_listing(sku="B"), a_channel_listing(sku=None)]
    async with database.begin() as work:
        await work.orders.store_rows(account, order_rows(database, account, orders, now))
        await work.listings.replace(account.id, listings, now)
        await work.stock.put(TENANT, [StockItem("A", 7)], now)

    preview = await desk.lifecycle.preview(TENANT, integration.id)

    assert (preview.open_orders, preview.unsent_stock, preview.mapped_listings) == (2, 1, 2)
    assert len(preview.kept) > 0
    assert len(preview.lost) > 0
    assert await desk.read(integration.id) == integration


async def test_of_a_draft_nothing_is_kept(database):
    desk = Desk(database)
    draft, _ = await desk.draft()

    preview = await desk.lifecycle.preview(TENANT, draft.id)

    assert (preview.open_orders, preview.unsent_stock, preview.mapped_listings) == (0, 0, 0)
    assert preview.kept == ()
