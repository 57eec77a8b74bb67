from dataclasses import replace
from itertools import product

import pytest
from tests.factories import NOW, TENANT, a_draft, a_run, an_integration, connected, later

from channel_sync.domain.errors import Invalid, NotFound, StaleVersion
from channel_sync.domain.integrations import IntegrationSettings, OrderSettings, Status
from channel_sync.domain.runs import RunKind
from channel_sync.domain.secrets import Secret
from channel_sync.domain.stock import StockSettings
from channel_sync.persistence.integrations import IntegrationQuery
from channel_sync.persistence.sql.paging import PageRequest

SECRET = Secret("a-secret-of-the-app")


async def store(database, *integrations):
    async with database.begin() as work:
        for integration in integrations:
            await work.integrations.add(integration, SECRET)


async def names(database, query=None, tenant=TENANT, limit=50):
    """The names of every page, one after another."""
    found, after = [], None
    async with database.read() as work:
        while True:
            page = await work.integrations.list(tenant, query or IntegrationQuery(), PageRequest(limit, after))
            found += [integration.name for integration in page.items]
            if page.next is None:
                return found
            after = page.next


async def test_an_integration_comes_back_as_it_was_stored(database):
    settings = IntegrationSettings(OrderSettings(False, 60), StockSettings(buffer=2, maximum=9, warehouse_id="w"))
    integration = an_integration(
        settings=settings, scopes=("orders:read",), pending_until=later(600), generation=3
    )
    await store(database, integration)

    async with database.read() as work:
        assert await work.integrations.get(TENANT, integration.id) == integration
        assert await work.integrations.find(integration.id) == integration


async def test_a_foreign_integration_is_as_good_as_missing(database):
    integration = an_integration()
    await store(database, integration)

    async with database.read() as work:
        with pytest.raises(NotFound):
            await work.integrations.get("other", integration.id)
        with pytest.raises(NotFound):
            await work.integrations.get(TENANT, "int_none")
        assert await work.integrations.find("int_none") is None
    assert await names(database, tenant="other") == []


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["apple", "Banana", "cherry", "cherry"]),
        ("-name", ["cherry", "cherry", "Banana", "apple"]),
        ("created_at", ["cherry", "apple", "Banana", "cherry"]),
        ("-created_at", ["cherry", "Banana", "apple", "cherry"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_pages_follow_each_other_in_the_order_asked_for(database, sort, expected, limit):
    for seconds, name in enumerate(["cherry", "apple", "Banana", "cherry"]):
        await store(database, an_integration(name=name, created_at=later(seconds)))

    assert await names(database, IntegrationQuery(sort=sort), limit=limit) == expected


async def test_integrations_of_one_moment_are_all_listed_once(database):
    wanted = {f"Shop {number}" for number in range(7)}
    await store(database, *(an_integration(name=name) for name in wanted))

    found = await names(database, IntegrationQuery(sort="created_at"), limit=2)

    assert sorted(found) == sorted(wanted)


async def test_a_part_of_the_name_finds_it_whatever_its_case(database):
    await store(database, *(an_integration(name=name) for name in ("Äpfel 100% bio", "Birnen", "apfel_1")))

    assert await names(database, IntegrationQuery(q="äPFEL")) == ["Äpfel 100% bio"]
    assert await names(database, IntegrationQuery(q="%")) == ["Äpfel 100% bio"]
    assert await names(database, IntegrationQuery(q="_")) == ["apfel_1"]


async def test_the_channel_narrows_the_list(database):
    await store(database, an_integration(name="one"), an_integration(name="two", channel="other"))

    assert await names(database, IntegrationQuery(channel="other")) == ["two"]


async def test_drafts_and_removed_ones_are_listed_only_by_their_status(database):
    await store(
        database,
        an_integration(name="active"),
        a_draft(name="draft"),
        an_integration(name="removed", removed_at=NOW),
        a_draft(name="removed draft", removed_at=NOW),
    )

    assert await names(database) == ["active"]
    assert await names(database, IntegrationQuery(status=Status.DRAFT)) == ["draft"]
    assert await names(database, IntegrationQuery(status=Status.REMOVED)) == ["removed", "removed draft"]


async def test_the_status_in_sql_is_the_status_of_the_domain(database):
    combinations = product((None, NOW), (None, NOW), (True, False), (None, "r"), (None, "", "aaaa"), (None, "p"))
    integrations = [
        an_integration(
            name=f"{number:03}",
            removed_at=removed,
            activated_at=activated,
            enabled=enabled,
            rejected_reason=rejected,
            access_token_last4=token,
            paused_reason=paused,
        )
        for number, (removed, activated, enabled, rejected, token, paused) in enumerate(combinations)
    ]
    await store(database, *integrations)

    for status in Status:
        expected = [integration.name for integration in integrations if integration.status is status]
        assert expected
        assert await names(database, IntegrationQuery(status=status)) == expected


@pytest.mark.parametrize("after", [("x", "int_1"), ("2026-13-01", "int_1"), ("", ""), (3, 4)])
async def test_a_cursor_with_odd_values_breaks_nothing(database, after):
    async with database.read() as work:
        page = await work.integrations.list(TENANT, IntegrationQuery(sort="name"), PageRequest(10, after))
        assert page.items == []
        with pytest.raises(Invalid):
            await work.integrations.list(TENANT, IntegrationQuery(sort="created_at"), PageRequest(10, after))


async def test_saving_stores_the_next_version(database):
    integration = an_integration()
    await store(database, integration)

    async with database.begin() as work:
        saved = await work.integrations.save(replace(integration, name="Other", enabled=False))

    assert saved == replace(integration, name="Other", enabled=False, version=2)
    async with database.read() as work:
        assert await work.integrations.get(TENANT, integration.id) == saved
    assert await names(database, IntegrationQuery(q="other")) == ["Other"]


async def test_only_the_first_of_two_saves_of_one_version_wins(database):
    integration = an_integration()
    await store(database, integration)

    async with database.begin() as work:
        await work.integrations.save(replace(integration, name="First"))
        with pytest.raises(StaleVersion):
            await work.integrations.save(replace(integration, name="Second"))

    assert await names(database) == ["First"]


async def test_saving_never_touches_credentials(database):
    integration = an_integration()
    await store(database, integration)

    async with database.begin() as work:
        await work.credentials.set_app(integration.id, "client-2", Secret("another-secret-5678"), later(1))
        saved = await work.integrations.save(replace(integration, name="Other", access_token_last4=None))

    assert (saved.client_id, saved.client_secret_last4) == ("client-2", "5678")
    assert saved.access_token_last4 == integration.access_token_last4


async def test_deleting_takes_attempts_schedules_and_runs_along_and_leaves_the_account(database):
    integration, account = await connected(database)
    run = a_run(integration, account)
    async with database.begin() as work:
        await work.runs.open(run)
        await work.schedules.set_next(integration.id, RunKind.ORDERS, NOW)
        await work.integrations.delete(integration.id)

    async with database.read() as work:
        assert await work.integrations.find(integration.id) is None
        assert await work.schedules.due(RunKind.ORDERS, NOW, 10) == []
        assert await work.accounts.get(account.id) == account
        with pytest.raises(NotFound):
            await work.runs.get(TENANT, run.id)


async def test_drafts_whose_time_is_over_are_found(database):
    over, going_on = a_draft(draft_expires_at=NOW), a_draft(draft_expires_at=later(1))
    await store(database, over, going_on, an_integration(), a_draft(draft_expires_at=NOW, removed_at=NOW))

    async with database.read() as work:
        assert await work.integrations.expired_drafts(NOW, 10) == [over]
        assert await work.integrations.expired_drafts(later(1), 1) in ([over], [going_on])


async def test_integrations_removed_long_ago_are_found(database):
    old, new = an_integration(removed_at=NOW), an_integration(removed_at=later(5))
    await store(database, old, new, an_integration())

    async with database.read() as work:
        assert await work.integrations.removed_before(later(1), 10) == [old]
