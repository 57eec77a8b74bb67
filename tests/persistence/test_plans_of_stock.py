"""What is asked of a shop's stock all the time: found by an index, however many listings the shop has."""

import pytest
from tests.factories import NOW, TENANT
from tests.persistence.plans import plans_of, postgres_plans_of

ASKED = {
    "whether there is stock to send": lambda work: work.pushes.accounts_with_stale(["acc_1", "acc_2"]),
    "how much waits": lambda work: work.pushes.pending(["acc_1", "acc_2"]),
    "what waits": lambda work: work.pushes.stale("acc_1", 100),
    "the next to be told anew": lambda work: work.pushes.resend(TENANT, "acc_1", "lst_1", NOW),
    "when to look at the shops": lambda work: work.doubts.next_looks(["acc_1", "acc_2"]),
    "what to look at": lambda work: work.doubts.due("acc_1", NOW, 100),
    "whether calls are lost": lambda work: work.doubts.are_calls_lost("acc_1", "run_1"),
    "the listings of SKUs": lambda work: work.listings.by_skus(TENANT, ["A", "B"]),
}


@pytest.mark.parametrize("question", ASKED)
async def test_sqlite_asks_an_index(sqlite_database, question):
    plans = await plans_of(sqlite_database, ASKED[question])

    assert not [step for step in plans if step.startswith(("SCAN listings", "SCAN accounts", "SCAN stock"))], plans


@pytest.mark.parametrize("question", ASKED)
async def test_postgresql_asks_an_index(postgres_database, question):
    plan = await postgres_plans_of(postgres_database, ASKED[question])

    assert not [step for step in plan if "Seq Scan" in step], plan


@pytest.mark.parametrize("question", ["whether there is stock to send", "how much waits", "what waits"])
async def test_what_waits_is_found_among_what_waits_alone(sqlite_database, question):
    plans = await plans_of(sqlite_database, ASKED[question])

    assert [step for step in plans if "ix_listings_pending (account_id=?" in step], plans
    assert not [step for step in plans if "SEARCH listings" in step and "pending" not in step], plans


@pytest.mark.parametrize("question", ["when to look at the shops", "what to look at", "whether calls are lost"])
async def test_a_shop_without_doubt_has_nothing_to_look_through(sqlite_database, question):
    plans = await plans_of(sqlite_database, ASKED[question])

    assert [step for step in plans if "ix_listings_checks (account_id=?" in step], plans
    assert not [step for step in plans if "SEARCH listings" in step and "checks" not in step], plans


@pytest.mark.parametrize("question", ["when to look at the shops", "what to look at", "whether calls are lost"])
async def test_on_postgresql_neither(postgres_database, question):
    plan = await postgres_plans_of(postgres_database, ASKED[question])

    assert [step for step in plan if "using ix_listings_checks" in step], plan
