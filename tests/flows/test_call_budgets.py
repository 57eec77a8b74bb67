import asyncio
import time

import pytest
from tests.factories import connected

from channel_sync.domain.budgets import CallAllowance
from channel_sync.flows.call_budgets import CallBudgets
from channel_sync.persistence.database import Database

QUICK = CallAllowance(rate_per_s=50, burst=10)
SLOW = CallAllowance(rate_per_s=1, burst=10)


@pytest.fixture
def database(postgres_database: Database) -> Database:
    """Only PostgreSQL has several processes."""
    return postgres_database


async def test_after_a_rest_a_burst_and_then_nothing_for_a_while(database):
    integration, _ = await connected(database)
    budgets = CallBudgets(database)

    first = await budgets.lease(integration.id, 7, SLOW)
    second = await budgets.lease(integration.id, 7, SLOW)

    assert (first.calls, second.calls) == (7, 3)
    assert second.ask_again_s == pytest.approx(1, abs=0.2)
    assert (await budgets.lease(integration.id, 1, SLOW)).calls == 0


async def test_a_pause_is_everybodys_and_leaves_one_call_at_its_end(database):
    integration, _ = await connected(database)
    budgets = CallBudgets(database)
    await budgets.lease(integration.id, 1, SLOW)
    await budgets.pause(integration.id, 0.3, SLOW)

    paused = await CallBudgets(database).lease(integration.id, 5, SLOW)
    await asyncio.sleep(0.35)
    after = await budgets.lease(integration.id, 5, SLOW)

    assert paused.calls == 0
    assert paused.pause_s == pytest.approx(0.3, abs=0.2)
    assert after.calls == 1


async def test_a_shorter_pause_does_not_end_a_longer_one(database):
    integration, _ = await connected(database)
    budgets = CallBudgets(database)
    await budgets.pause(integration.id, 60, SLOW)
    await budgets.pause(integration.id, 1, SLOW)

    assert (await budgets.lease(integration.id, 1, SLOW)).pause_s > 50


async def test_integrations_have_budgets_of_their_own_in_one_statement(database):
    ids = [(await connected(database))[0].id for _ in range(3)]
    budgets = CallBudgets(database)
    await budgets.pause(ids[1], 60, SLOW)

    leases = await asyncio.gather(*(budgets.lease(integration_id, 20, SLOW) for integration_id in ids))

    assert [lease.calls for lease in leases] == [10, 0, 10]


async def test_an_integration_that_is_gone_has_nothing_to_spend(database):
    assert (await CallBudgets(database).lease("int_gone", 1, SLOW)).calls == 0


async def test_three_processes_spend_what_one_may_and_hardly_less(postgres_url, cipher):
    """G12: at least 95 % of the limit is used, and never more than it."""
    databases = [Database(postgres_url, cipher) for _ in range(3)]
    integration, _ = await connected(databases[0])
    started = time.monotonic()
    until = started + 2

    async def spend(budgets: CallBudgets) -> int:
        spent = 0
        while time.monotonic() < until:
            lease = await budgets.lease(integration.id, 1, QUICK)
            spent += lease.calls
            if not lease.calls:
                await asyncio.sleep(lease.ask_again_s)
        return spent

    spent = sum(await asyncio.gather(*(spend(CallBudgets(database)) for database in databases)))
    took = time.monotonic() - started
    for database in databases:
        await database.close()

    assert 0.95 * (10 + 50 * 2) <= spent <= 10 + 50 * took + 1
