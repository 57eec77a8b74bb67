"""Many values as one parameter, with both databases' own words, and without losing the index."""

from weakref import ref

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import sqlite
from tests.factories import connected
from tests.persistence.plans import plans_of, postgres_plans_of

from channel_sync.domain.runs import RunKind
from channel_sync.persistence.sql.any_of import any_of, any_of_given
from channel_sync.persistence.sql.tables import integrations


async def ids_where(database, condition, parameters=None):
    async with database.session() as session:
        return set(await session.column(select(integrations.c.id).where(condition), parameters))


async def test_rows_with_one_of_the_values_are_found(database):
    one, other, third = [(await connected(database))[0].id for _ in range(3)]
    column = integrations.c.id

    assert await ids_where(database, any_of(column, [one, other, "nobody"])) == {one, other}
    assert await ids_where(database, ~any_of(column, [one, other])) == {third}
    assert await ids_where(database, any_of(column, [])) == set()


async def test_a_statement_is_built_once_for_values_to_come(database):
    one, other = [(await connected(database))[0].id for _ in range(2)]
    given = any_of_given(integrations.c.id, "ids")

    assert await ids_where(database, given, {"ids": [one]}) == {one}
    assert await ids_where(database, given, {"ids": {one, other}}) == {one, other}
    assert await ids_where(database, given, {"ids": ()}) == set()


def test_a_statement_keeps_no_more_than_the_values():
    class Page(dict[str, bytes]):
        """A dictionary that a weak reference may be to."""

    page = Page(ord_1=b"a reply")
    alive = ref(page)
    statement = select(integrations.c.id).where(any_of(integrations.c.id, page))
    del page

    assert alive() is None
    assert "ord_1" in str(statement.compile(dialect=sqlite.dialect()).params)


MANY = {
    "schedules": lambda work: work.schedules.of(["int_1", "int_2"], [RunKind.ORDERS, RunKind.STOCK]),
    "integrations": lambda work: work.integrations.find_all(["int_1", "int_2"]),
    "accounts": lambda work: work.pushes.accounts_with_stale(["acc_1", "acc_2"]),
    "runs": lambda work: work.run_batches.finish_quiet(["run_1", "run_2"], None),
}


@pytest.mark.parametrize("table", MANY)
async def test_sqlite_looks_for_the_values_in_an_index(sqlite_database, table):
    plans = await plans_of(sqlite_database, MANY[table])

    assert any(step.startswith(f"SEARCH {table} USING") for step in plans)
    assert not [step for step in plans if step.startswith(f"SCAN {table}")]


@pytest.mark.unused_store
@pytest.mark.parametrize("table", ["accounts", "integrations", "schedules"])
async def test_postgresql_looks_for_the_values_in_an_index(postgres_database, table):
    plans = await postgres_plans_of(postgres_database, MANY[table])

    assert any("Index Cond" in step and "ANY" in step for step in plans)
