"""Row-level security: the wall below the repositories, which a query without its tenant meets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.factories import NOW, a_channel_order, a_run, an_event, connected
from tests.persistence.order_steps import store
from tests.persistence.plans import postgres_plans_of
from tests.pgbouncer import CONNECTIONS

from channel_sync.domain.calls import Call
from channel_sync.domain.runs import RunKind
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.engine.tenancy import for_every_tenant, for_tenant
from channel_sync.persistence.integrations import IntegrationQuery
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.runs import RunQuery
from channel_sync.persistence.sql.paging import PageRequest
from channel_sync.persistence.sql.tables import metadata

TENANTS = ("acme", "o'brien \\' ümlaut", "*")
CALL = Call(NOW, "GET", "/orders", 200, 0, 5, "request-1")
# The database's own, and the names that a marketplace has for carriers: nobody's and everybody's.
OF_NOBODY = {"carrier_lists", "meta", "turns"}


async def fill(database: Database, tenant: str) -> None:
    """At least a row of the tenant in most of the tables that have some."""
    shop = await connected(database, tenant=tenant)
    integration, account = shop
    await store(database, account, a_channel_order())
    run = a_run(*shop, tenant=tenant)
    async with database.begin() as work:
        await work.events.add([an_event(id=f"event-{integration.id}", tenant=tenant)])
        await work.runs.open(run)
        await work.run_batches.add_calls({run.id: [CALL]})
        await work.schedules.set_next(integration.id, RunKind.ORDERS, NOW)


@asynccontextmanager
async def asking(database: Database) -> AsyncIterator[Session]:
    """The statements of a transaction, without the repositories that name the tenant in each."""
    async with database.begin() as work:
        yield work.events._session


async def counts(database: Database, tables: list[str]) -> dict[str, int]:
    """How many rows a transaction finds that does not say whose it wants."""
    async with asking(database) as session:
        return {name: await session.value(text(f"SELECT count(*) FROM {name}")) for name in tables}


FILLED = ["accounts", "events", "integrations", "orders", "positions", "run_calls", "runs", "schedules"]


async def test_a_query_without_its_tenant_finds_only_that_of_its_transaction(postgres_database):
    for tenant in TENANTS:
        await fill(postgres_database, tenant)
    with for_every_tenant():
        all_rows = await counts(postgres_database, FILLED)

    for tenant in TENANTS:
        with for_tenant(tenant):
            mine = await counts(postgres_database, FILLED)
            async with asking(postgres_database) as session:
                assert await session.column(text("SELECT DISTINCT tenant FROM orders")) == [tenant]
        assert mine == {name: count // len(TENANTS) for name, count in all_rows.items()}
        assert all(mine.values())


async def test_what_is_not_a_tenant_finds_nothing(postgres_database):
    await fill(postgres_database, "acme")

    for tenant in ("", "ACME", "acme'", "%", "on"):
        with for_tenant(tenant):
            assert set((await counts(postgres_database, FILLED)).values()) == {0}


async def test_another_tenants_rows_can_be_neither_written_nor_changed(postgres_database):
    await fill(postgres_database, "acme")
    await fill(postgres_database, "bolt")

    with for_tenant("acme"):
        async with asking(postgres_database) as session:
            assert await session.change(text("UPDATE orders SET tenant = tenant")) == 1
            assert await session.change(text("DELETE FROM run_calls")) == 1
        for write in ("UPDATE orders SET tenant = 'bolt'", "INSERT INTO positions VALUES ('bolt', 1, 1)"):
            with pytest.raises(DBAPIError, match="row-level security"):
                async with asking(postgres_database) as session:
                    await session.execute(text(write))

    with for_tenant("bolt"):
        assert (await counts(postgres_database, ["orders", "run_calls"])) == {"orders": 1, "run_calls": 1}


async def test_a_connection_that_says_nothing_finds_nothing(postgres_database, app_url):
    await fill(postgres_database, "acme")
    connection = await asyncpg.connect(app_url)
    found = {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in FILLED}
    # The setting of a transaction that is over is empty, which is not the same as unset.
    async with connection.transaction():
        await connection.execute("SET LOCAL channel_sync.tenant = 'acme'")
        assert await connection.fetchval("SELECT count(*) FROM orders") == 1
    found["orders"] += await connection.fetchval("SELECT count(*) FROM orders")
    await connection.close()

    assert set(found.values()) == {0}


async def test_no_table_was_forgotten_and_the_role_is_bound(postgres_database):
    async with postgres_database.session() as session:
        protected = "SELECT relname FROM pg_class WHERE relrowsecurity"
        bypasses = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        owns = "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole"

        assert set(await session.column(text(protected))) == set(metadata.tables) - OF_NOBODY
        assert await session.value(text(bypasses)) is False
        assert await session.value(text(owns)) == 0


async def test_a_task_is_for_whom_the_task_that_started_it_is(postgres_database):
    await fill(postgres_database, "acme")
    await fill(postgres_database, "bolt")

    with for_tenant("acme"):
        task = asyncio.create_task(counts(postgres_database, ["orders"]))
    with for_tenant("bolt"):
        assert await task == {"orders": 1}
        with for_every_tenant():
            assert await counts(postgres_database, ["orders"]) == {"orders": 2}
        assert await counts(postgres_database, ["orders"]) == {"orders": 1}


async def test_whom_a_transaction_is_for_must_be_said(database):
    async def begin():
        async with database.begin():
            pass

    async def read():
        async with database.read():
            pass

    for forgetful in (begin, read):
        with pytest.raises(RuntimeError, match="for_tenant"):
            await asyncio.create_task(forgetful(), context=Context())


async def test_a_merchant_that_another_tenant_has_is_noticed_all_the_same(postgres_database):
    _, theirs = await connected(postgres_database, tenant="bolt")
    place = (theirs.channel, theirs.environment, theirs.client_id, theirs.merchant_id)

    with for_tenant("acme"):
        async with postgres_database.begin() as work:
            assert await work.accounts.used_elsewhere("acme", *place)
            assert await work.events._session.value(text("SELECT count(*) FROM accounts")) == 0


@pytest.mark.unused_store
async def test_the_wall_does_not_keep_queries_from_their_indexes(postgres_database):
    await fill(postgres_database, "acme")
    asked = {
        "ix_integrations_by_name": lambda work: work.integrations.list(
            "acme", IntegrationQuery(), PageRequest(50, None)
        ),
        "ix_orders_feed": lambda work: work.orders.feed(
            "acme", OrderFeedQuery(), PageRequest(50, None), personal=True
        ),
        "ix_runs_feed": lambda work: work.runs.list("acme", RunQuery(), PageRequest(50, None)),
        "pk_events": lambda work: work.events.after("acme", None, (), 50),
        "ix_schedules_due": lambda work: work.schedules.due(RunKind.ORDERS, NOW, 50),
    }

    with for_tenant("acme"):
        plans = {index: await postgres_plans_of(postgres_database, ask) for index, ask in asked.items()}

    for index, plan in plans.items():
        assert any(f"using {index}" in step for step in plan), plan
        assert not [step for step in plan if "Seq Scan" in step]


async def test_behind_a_pooler_no_transaction_is_for_the_tenant_of_the_one_before(pooled_database):
    tenants = [f"tenant-{number}" for number in range(10)]
    for tenant in tenants:
        await connected(pooled_database, tenant=tenant)

    async def seen(tenant: str) -> list[str]:
        with for_tenant(tenant):
            async with asking(pooled_database) as session:
                return await session.column(text("SELECT tenant FROM accounts"))

    found = await asyncio.gather(*(seen(tenant) for tenant in tenants * 5))

    assert found == [[tenant] for tenant in tenants * 5]


async def left_in_every_session(pooled_url: str, *settings: str) -> None:
    """What a stranger set for a session and left behind, on each connection that the pooler has to the server."""
    strangers = [await asyncpg.connect(pooled_url, statement_cache_size=0) for _ in range(CONNECTIONS)]
    for stranger in strangers:
        await stranger.execute("BEGIN")
    sessions = {await stranger.fetchval("SELECT pg_backend_pid()") for stranger in strangers}
    for stranger in strangers:
        for setting in settings:
            await stranger.execute(f"SET {setting}")
        await stranger.execute("COMMIT")
        await stranger.close()
    assert len(sessions) == CONNECTIONS


async def test_what_a_stranger_left_set_in_a_session_does_not_open_the_wall(pooled_database, pooled_app_url):
    for tenant in ("acme", "bolt"):
        await connected(pooled_database, tenant=tenant)
    plain_url = pooled_app_url.replace("&pooler=transaction", "")
    await left_in_every_session(plain_url, "channel_sync.every_tenant = 'on'", "channel_sync.tenant = 'bolt'")

    async def seen(tenant: str) -> list[str]:
        with for_tenant(tenant):
            async with asking(pooled_database) as session:
                return await session.column(text("SELECT tenant FROM accounts ORDER BY 1"))

    assert await asyncio.gather(*(seen("acme") for _ in range(20))) == [["acme"]] * 20
    assert await seen("nobody") == []
    async with asking(pooled_database) as session:
        assert await session.column(text("SELECT tenant FROM accounts ORDER BY 1")) == ["acme", "bolt"]
        assert await session.value(text("SELECT current_setting('channel_sync.tenant')")) == ""


async def test_looking_for_another_tenants_row_ends_with_the_question(pooled_database, pooled_app_url):
    _, theirs = await connected(pooled_database, tenant="bolt")
    place = (theirs.channel, theirs.environment, theirs.client_id, theirs.merchant_id)
    plain_url = pooled_app_url.replace("&pooler=transaction", "")
    await left_in_every_session(plain_url, "channel_sync.every_tenant = 'on'")

    with for_tenant("acme"):
        async with pooled_database.begin() as work:
            assert await work.accounts.used_elsewhere("acme", *place)
            assert await work.events._session.value(text("SELECT count(*) FROM accounts")) == 0
