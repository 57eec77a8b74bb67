import asyncio

import pytest
from tests.connecting import TENANT, Desk, utc_now
from tests.factories import a_channel_listing
from tests.stored import newest_run

from channel_sync.domain.errors import Conflict, Invalid, NotFound, StaleVersion
from channel_sync.domain.integrations import Status
from channel_sync.domain.listings import ListingStock, PushState, StockOutcome
from channel_sync.domain.push_states import push_state
from channel_sync.domain.runs import RunKind, Trigger
from channel_sync.domain.secrets import Secret
from channel_sync.domain.stock import StockItem
from channel_sync.flows.integrations.lifecycle import IntegrationChange


async def test_a_currency_makes_a_connected_draft_active(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()
    await desk.arrive(ticket)

    integration = await desk.lifecycle.change(TENANT, draft.id, IntegrationChange(default_currency="EUR"))

    assert (integration.status, integration.enabled) == (Status.ACTIVE, True)
    assert integration == await desk.read(draft.id)
    assert await desk.told() == ["integration.created", "integration.connected"]
    next_at = await desk.next_at(draft.id)
    assert next_at is not None
    assert next_at <= utc_now()


async def test_a_currency_alone_does_not_make_a_draft_active(database):
    desk = Desk(database)
    draft, ticket = await desk.draft()

    changed = await desk.lifecycle.change(TENANT, draft.id, IntegrationChange(default_currency="EUR"))
    assert changed.status is Status.DRAFT
    await desk.arrive(ticket)

    assert (await desk.read(draft.id)).status is Status.ACTIVE


async def test_what_is_left_out_of_a_change_is_kept(database):
    desk = Desk(database)
    integration = await desk.active()

    renamed = await desk.lifecycle.change(TENANT, integration.id, IntegrationChange(name="Renamed"))
    same = await desk.lifecycle.change(TENANT, integration.id, IntegrationChange(name="Renamed"))

    assert (renamed.name, renamed.default_currency, renamed.settings) == ("Renamed", "GBP", integration.settings)
    assert renamed.version == integration.version + 1
    assert same == renamed


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        (IntegrationChange(name=""), "blank", "/name"),
        (IntegrationChange(default_currency="XXX"), "currency_not_offered", "/default_currency"),
        (IntegrationChange(client_secret=Secret("••••")), "secret_masked", "/client_secret"),
        (IntegrationChange(settings={"orders": {"interval_s": 14}}), "too_small", "/settings/orders/interval_s"),
        (IntegrationChange(settings={"stock": {"interval_s": 0}}), "too_small", "/settings/stock/interval_s"),
        (IntegrationChange(settings={"stock": {"buffer": -1}}), "too_small", "/settings/stock/buffer"),
        (IntegrationChange(settings={"stock": {"maximum": -1}}), "too_small", "/settings/stock/maximum"),
        (IntegrationChange(settings={"stock": {"percent": 0}}), "too_small", "/settings/stock/percent"),
        (IntegrationChange(settings={"stock": {"percent": 101}}), "too_large", "/settings/stock/percent"),
    ],
)
async def test_a_change_that_cannot_be_made_is_named_and_changes_nothing(database, change, code, pointer):
    desk = Desk(database)
    integration = await desk.active()

    with pytest.raises(Invalid) as refused:
        await desk.lifecycle.change(TENANT, integration.id, change)

    assert (refused.value.code, refused.value.pointer) == (code, pointer)
    assert await desk.read(integration.id) == integration


async def test_settings_are_merged_member_by_member(database):
    desk = Desk(database)
    integration = await desk.active()
    change = desk.lifecycle.change

    await change(TENANT, integration.id, IntegrationChange(settings={"orders": {"interval_s": 15}}))
    await change(TENANT, integration.id, IntegrationChange(settings={"stock": {"buffer": 2, "maximum": 9}}))
    await change(TENANT, integration.id, IntegrationChange(settings={"stock": {"maximum": None}}))

    settings = (await desk.read(integration.id)).settings
    assert settings.orders.interval_s == 15
    assert (settings.stock.buffer, settings.stock.maximum) == (2, None)


async def test_a_job_switched_off_in_the_settings_stops_and_comes_back(database):
    desk = Desk(database)
    integration = await desk.active()
    orders = await desk.queued_run(integration, RunKind.ORDERS)
    stock = await desk.queued_run(integration, RunKind.STOCK)

    await desk.lifecycle.change(TENANT, integration.id, IntegrationChange(settings={"orders": {"enabled": False}}))
    assert await desk.next_at(integration.id) is None
    assert await desk.next_at(integration.id, RunKind.STOCK) is not None
    assert (await desk.is_cancelled(orders), await desk.is_cancelled(stock)) == (True, False)

    await desk.lifecycle.change(TENANT, integration.id, IntegrationChange(settings={"orders": {"enabled": True}}))
    assert await desk.next_at(integration.id) is not None


async def test_changed_stock_rules_are_applied_to_every_listing(database):
    desk = Desk(database)
    integration = await desk.active()
    account = await desk.account()
    assert account is not None
    now = utc_now()
    async with database.begin() as work:
        await work.listings.replace(account.id, [a_channel_listing(sku="A")], now)
        await work.stock.put(TENANT, [StockItem("A", 7)], now)
        ((listing, level),) = await work.pushes.stale(account.id, 10)
        sent = ListingStock(listing.id, listing.variation_id, level.version, 7, (("warehouse-1", 7),))
        await work.pushes.mark_sent([sent], now)
        await work.pushes.settle([StockOutcome(listing.id, level.version, accepted=True)], now)
        assert await work.pushes.stale(account.id, 10) == []

    await desk.lifecycle.change(TENANT, integration.id, IntegrationChange(settings={"stock": {"interval_s": 9}}))
    async with database.read() as work:
        assert await work.pushes.accounts_with_stale([account.id]) == set()
    await desk.lifecycle.change(TENANT, integration.id, IntegrationChange(settings={"stock": {"buffer": 2}}))
    async with database.read() as work:
        assert await work.pushes.accounts_with_stale([account.id]) == {account.id}
        ((waiting,),) = (await work.listings.by_skus(TENANT, ["A"])).values()
    assert push_state(waiting, level.version) is PushState.PENDING


async def test_a_new_app_secret_replaces_the_stored_one(database):
    desk = Desk(database)
    integration = await desk.active()

    changed = await desk.lifecycle.change(
        TENANT, integration.id, IntegrationChange(client_secret=Secret("the-second-secret"))
    )

    assert changed.client_secret_last4 == "cret"
    assert changed.client_secret_updated_at > integration.client_secret_updated_at
    async with database.read() as work:
        assert (await work.credentials.app(integration.id)).client_secret == Secret("the-second-secret")


async def test_another_client_id_needs_the_merchants_consent(database):
    desk = Desk(database)
    integration = await desk.active()
    draft, _ = await desk.draft()

    with pytest.raises(Conflict) as refused:
        await desk.lifecycle.change(TENANT, integration.id, IntegrationChange(client_id="app2"))
    corrected = await desk.lifecycle.change(TENANT, draft.id, IntegrationChange(client_id="app2"))

    assert refused.value.code == "reauthorise_required"
    assert corrected.client_id == "app2"
    assert (await desk.read(integration.id)).client_id == "app1"


async def test_switching_off_stops_every_job_and_on_catches_up(database):
    desk = Desk(database)
    integration = await desk.active()
    run_id = await desk.queued_run(integration)

    off = await desk.lifecycle.set_enabled(TENANT, integration.id, False)
    assert off.status is Status.DISABLED
    assert {await desk.next_at(integration.id, kind) for kind in RunKind} == {None}
    assert await desk.is_cancelled(run_id)

    on = await desk.lifecycle.set_enabled(TENANT, integration.id, True)
    assert on.status is Status.ACTIVE
    async with database.read() as work:
        run = await newest_run(work, integration.id, RunKind.ORDERS)
    assert run is not None
    assert run.trigger is Trigger.CATCH_UP
    assert (await desk.told())[-2:] == ["integration.disabled", "integration.enabled"]


async def test_switching_twice_is_switching_once(database):
    desk = Desk(database)
    integration = await desk.active()

    first = await desk.lifecycle.set_enabled(TENANT, integration.id, False)
    second = await desk.lifecycle.set_enabled(TENANT, integration.id, False)

    assert first == second
    assert (await desk.told()).count("integration.disabled") == 1


async def test_an_integration_that_needs_its_merchant_can_be_switched_but_starts_nothing(database):
    desk = Desk(database)
    integration = await desk.active()
    await desk.lifecycle.remove(TENANT, integration.id, "My shop")
    await desk.lifecycle.restore(TENANT, integration.id)
    await desk.lifecycle.set_enabled(TENANT, integration.id, False)

    on = await desk.lifecycle.set_enabled(TENANT, integration.id, True)

    assert on.status is Status.NEEDS_REAUTH
    assert await desk.next_at(integration.id) is None


async def test_a_draft_has_no_switch(database):
    desk = Desk(database)
    draft, _ = await desk.draft()

    with pytest.raises(Conflict):
        await desk.lifecycle.set_enabled(TENANT, draft.id, True)


async def test_a_removed_integration_is_neither_changed_nor_switched(database):
    desk = Desk(database)
    integration = await desk.active()
    await desk.lifecycle.remove(TENANT, integration.id, "My shop")

    with pytest.raises(Conflict):
        await desk.lifecycle.change(TENANT, integration.id, IntegrationChange(name="Ghost"))
    with pytest.raises(Conflict):
        await desk.lifecycle.set_enabled(TENANT, integration.id, False)


async def test_a_stale_version_changes_nothing(database):
    desk = Desk(database)
    integration = await desk.active()
    seen = integration.version
    await desk.lifecycle.change(TENANT, integration.id, IntegrationChange(name="Newer"))

    for step in (
        desk.lifecycle.change(TENANT, integration.id, IntegrationChange(name="Lost"), seen),
        desk.lifecycle.set_enabled(TENANT, integration.id, False, seen),
        desk.lifecycle.remove(TENANT, integration.id, "Newer", seen),
    ):
        with pytest.raises(StaleVersion):
            await step

    after = await desk.read(integration.id)
    assert (after.name, after.enabled, after.removed_at) == ("Newer", True, None)


async def test_of_fifty_changes_of_one_version_one_wins(database):
    desk = Desk(database)
    integration = await desk.active()

    results = await asyncio.gather(
        *(
            desk.lifecycle.change(TENANT, integration.id, IntegrationChange(name=f"n{n}"), integration.version)
            for n in range(50)
        ),
        return_exceptions=True,
    )

    losers = [result for result in results if isinstance(result, StaleVersion)]
    assert len(losers) == 49
    assert (await desk.read(integration.id)).version == integration.version + 1


async def test_without_a_version_every_change_is_made(database):
    desk = Desk(database)
    integration = await desk.active()

    await asyncio.gather(
        *(desk.lifecycle.change(TENANT, integration.id, IntegrationChange(name=f"n{n}")) for n in range(20))
    )

    assert (await desk.read(integration.id)).version == integration.version + 20


async def test_another_tenant_finds_nothing(database):
    desk = Desk(database)
    integration = await desk.active()

    for step in (
        desk.lifecycle.change("others", integration.id, IntegrationChange(name="Mine")),
        desk.lifecycle.set_enabled("others", integration.id, False),
        desk.lifecycle.remove("others", integration.id, "My shop"),
        desk.lifecycle.preview("others", integration.id),
        desk.lifecycle.restore("others", integration.id),
    ):
        with pytest.raises(NotFound):
            await step

    assert await desk.read(integration.id) == integration
