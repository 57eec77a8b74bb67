"""How a long history is listed and pruned: by the index made for it, however many rows lie beside."""

import pytest
from tests.factories import NOW, TENANT
from tests.persistence.plans import plans_of, postgres_plans_of

from channel_sync.domain.runs import RunKind, RunStatus
from channel_sync.persistence.runs import RunQuery
from channel_sync.persistence.sql.paging import PageRequest

PRUNED = {
    "ix_attempts_expires_at": lambda work: work.attempts.prune(NOW, 10),
    "ix_events_created_at": lambda work: work.events.prune(NOW, 10),
    "ix_idempotency_created_at": lambda work: work.idempotency.prune(NOW, 10),
    "ix_runs_heartbeat_at": lambda work: work.runs.prune(NOW, 10),
}
NARROWED = [RunQuery(), RunQuery(kind=RunKind.STOCK), RunQuery(status=RunStatus.CANCELLED)]


def runs(query):
    return lambda work: work.runs.list(TENANT, query, PageRequest(50))


@pytest.mark.parametrize("query", NARROWED)
async def test_runs_of_a_kind_or_status_come_from_one_index_in_their_order(sqlite_database, query):
    plans = await plans_of(sqlite_database, runs(query))

    assert plans == ["SEARCH runs USING INDEX ix_runs_feed (tenant=?)"]


@pytest.mark.unused_store
@pytest.mark.parametrize("query", NARROWED)
async def test_on_postgresql_that_index_decides_about_kind_and_status(postgres_database, query):
    plan = await postgres_plans_of(postgres_database, runs(query))

    assert any("using ix_runs_feed" in step for step in plan)
    assert not [step for step in plan if "Sort" in step or "Seq Scan" in step]
    conditions = [step for step in plan if step.startswith("Index Cond")]
    assert all(name in conditions[0] for name in ("kind", "status") if getattr(query, name) is not None)


@pytest.mark.parametrize("index", PRUNED)
async def test_what_is_to_be_pruned_is_found_by_its_age(sqlite_database, index):
    plans = await plans_of(sqlite_database, PRUNED[index])

    assert [plan for plan in plans if f"INDEX {index} (" in plan]
    assert not [plan for plan in plans if "TEMP B-TREE" in plan or plan.startswith("SCAN")]


@pytest.mark.unused_store
@pytest.mark.parametrize("index", PRUNED)
async def test_what_is_to_be_pruned_is_found_by_its_age_on_postgresql(postgres_database, index):
    plan = await postgres_plans_of(postgres_database, PRUNED[index])

    assert any(f"using {index}" in step for step in plan), plan
    assert not [step for step in plan if "Seq Scan" in step]
