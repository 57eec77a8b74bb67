"""What support asks for comes from the keys and indexes made for it, however long the history."""

import pytest
from tests.factories import TENANT, connected
from tests.persistence.plans import plans_of, postgres_plans_of

ASKED = {
    "failures": lambda work: work.run_log.failed(TENANT, "int_1", 5, 500),
    "calls": lambda work: work.run_log.calls(["run_1", "run_2"], 25),
    "trace": lambda work: work.order_versions.trace(TENANT, "int_1", "o1"),
    "shipped": lambda work: work.order_versions.once_shipped(["ord_1"]),
}


async def test_on_sqlite_nothing_is_scanned(sqlite_database):
    await connected(sqlite_database, id="int_1")
    for name, ask in ASKED.items():
        plans = await plans_of(sqlite_database, ask)
        assert plans
        scans = [plan for plan in plans if plan.startswith("SCAN") and "json_each" not in plan]
        assert not [plan for plan in scans if "SUBQUERY" not in plan], (name, plans)


@pytest.mark.unused_store
async def test_on_postgresql_neither(postgres_database):
    await connected(postgres_database, id="int_1")
    for name, ask in ASKED.items():
        plan = await postgres_plans_of(postgres_database, ask)
        assert any("Index" in step for step in plan), (name, plan)
        assert not [step for step in plan if "Seq Scan" in step], (name, plan)
