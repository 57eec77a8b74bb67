"""What is asked of a shop's stock all the time: found by an index, however many listings the shop has."""

import pytest
from tests.factories import NOW, TENANT, an_account, connected
from tests.persistence.plans import plans_of, postgres_plans_of

from channel_sync.domain.listings import Mapping, PushState, Waiting
from channel_sync.domain.stock import Arithmetic, CountedOrders, DriftPolicy, StockSettings
from channel_sync.persistence.listings import ListingQuery
from channel_sync.persistence.sql.paging import PageRequest

BY = Arithmetic(StockSettings())
WAITING = Waiting("lst_1", "p", (), 1, NOW)
LINE = "what waits", "the line of what waits", "the rest of that line"
ASKED = {
    "whether there is stock to send": lambda work: work.pushes.accounts_with_stale(["acc_1", "acc_2"]),
    "what waits": lambda work: work.pushes.stale("acc_1", 100),
    "the line of what waits": lambda work: work.pushes.waiting("acc_1", None, 100),
    "the rest of that line": lambda work: work.pushes.waiting("acc_1", WAITING, 100),
    "some of what waits": lambda work: work.pushes.stale_of(["lst_1", "lst_2"]),
    "the next to be told anew": lambda work: work.stock_rules.follow(TENANT, "acc_1", "lst_1", BY, NOW),
    "when to look at the shops": lambda work: work.doubts.next_looks(["acc_1", "acc_2"]),
    "what to look at": lambda work: work.doubts.due("acc_1", NOW, 100),
    "whether calls are lost": lambda work: work.doubts.are_calls_lost("acc_1", "run_1"),
    "what drifted": lambda work: work.drifts.suspects("acc_1", DriftPolicy.CORRECT, "lst_1", 100),
    "since when any differs": lambda work: work.drifts.oldest("acc_1", DriftPolicy.REPORT),
    "what is looked at again": lambda work: work.drifts.suspects_of(["lst_1", "lst_2"], DriftPolicy.REPORT),
    "whether somebody else keeps writing": lambda work: work.drifts.are_any_contested("acc_1", NOW),
    "what products have": lambda work: work.listings.there_of(an_account(), ["pro-1", "pro-2"]),
    "what ceased": lambda work: work.listings.note_ceased("acc_1", 100),
    "whether any ceased": lambda work: work.listings.has_ceased("acc_1"),
    "what is sent again": lambda work: work.pushes.push_again(TENANT, ["A", "B"], NOW),
    "what was refused": lambda work: work.pushes.retry("acc_1", PushState.REJECTED, "90001", NOW, 100),
    "what was refused by code": lambda work: work.pushes.rejections("acc_1"),
    "what a failed job had": lambda work: work.pushes.unsend("sjb_1", 100),
    "what a lost job had": lambda work: work.doubts.unanswered_job("sjb_1", NOW, 100),
    "how many listings SKUs feed": lambda work: work.stock.count_fed(TENANT, ["A", "B"]),
    "what orders have reserved": lambda work: work.reservations.settle(TENANT, 100),
    "who has reserved anything": lambda work: work.reservations.unsettled_tenants(9),
    "what a level counts": lambda work: work.reservations.count(TENANT, ["A", "B"], CountedOrders.ACKNOWLEDGED),
    "what a level counts at once": lambda work: work.reservations.count_unsettled(TENANT, ["A", "B"]),
    "what orders give back": lambda work: work.reservations.give_back(["ord_1", "ord_2"]),
    "the listing of a variation": lambda work: work.listings.of_variation(TENANT, "acc_1", "v"),
    "the listings of SKUs": lambda work: work.listings.by_skus(TENANT, ["A", "B"]),
}


@pytest.mark.parametrize("question", ASKED)
async def test_sqlite_asks_an_index(sqlite_database, question):
    plans = await plans_of(sqlite_database, ASKED[question])

    assert not [
        step for step in plans if step.startswith(("SCAN listings", "SCAN accounts", "SCAN stock", "SCAN orders"))
    ], plans


@pytest.mark.unused_store
@pytest.mark.parametrize("question", ASKED)
async def test_postgresql_asks_an_index(postgres_database, question):
    plan = await postgres_plans_of(postgres_database, ASKED[question])

    assert not [step for step in plan if "Seq Scan" in step], plan


@pytest.mark.parametrize("question", ["whether there is stock to send", *LINE])
async def test_what_waits_is_found_among_what_waits_alone(sqlite_database, question):
    plans = await plans_of(sqlite_database, ASKED[question])

    assert [step for step in plans if "ix_listings_pending (account_id=?" in step], plans
    assert not [step for step in plans if "SEARCH listings" in step and "pending" not in step], plans


@pytest.mark.parametrize("question", LINE)
async def test_what_waits_lies_in_its_order(sqlite_database, question):
    plans = await plans_of(sqlite_database, ASKED[question])

    assert not [step for step in plans if "TEMP B-TREE" in step], plans


@pytest.mark.parametrize("question", ["when to look at the shops", "what to look at", "whether calls are lost"])
async def test_a_shop_without_doubt_has_nothing_to_look_through(sqlite_database, question):
    plans = await plans_of(sqlite_database, ASKED[question])

    assert [step for step in plans if "ix_listings_checks (account_id=?" in step], plans
    assert not [step for step in plans if "SEARCH listings" in step and "checks" not in step], plans


@pytest.mark.unused_store
@pytest.mark.parametrize("question", ["when to look at the shops", "what to look at", "whether calls are lost"])
async def test_on_postgresql_neither(postgres_database, question):
    plan = await postgres_plans_of(postgres_database, ASKED[question])

    assert [step for step in plan if "using ix_listings_checks" in step], plan


IN_STATE = {
    PushState.PENDING: "ix_listings_on_their_way_by_sku",
    PushState.SENT: "ix_listings_on_their_way_by_sku",
    PushState.SUPERSEDED: "ix_listings_on_their_way_by_sku",
    PushState.REJECTED: "ix_listings_marked_by_sku",
    PushState.DRIFTED: "ix_listings_marked_by_sku",
    PushState.SKIPPED: "ix_listings_skipped_by_sku",
    PushState.CONFIRMED: "ix_listings_by_sku",
}


def levels_in(state):
    return lambda work: work.stock.list(TENANT, PageRequest(50, ("A",)), state=state)


@pytest.mark.parametrize("state", IN_STATE)
async def test_levels_in_a_state_are_found_by_sku_among_the_listings_in_it(sqlite_database, state):
    plans = await plans_of(sqlite_database, levels_in(state))

    assert [step for step in plans if f"INDEX {IN_STATE[state]} (tenant=?" in step], plans
    assert not [step for step in plans if "TEMP B-TREE" in step], plans


@pytest.mark.unused_store
@pytest.mark.parametrize("state", IN_STATE)
async def test_levels_in_a_state_are_found_in_an_index_on_postgresql(postgres_database, state):
    plan = await postgres_plans_of(postgres_database, levels_in(state))

    assert [step for step in plan if f"using {IN_STATE[state]}" in step], plan
    assert not [step for step in plan if "Seq Scan" in step], plan


NARROWED = {
    "ix_listings_of_account": ListingQuery(),
    "ix_listings_unfed": ListingQuery(mapping=Mapping.AMBIGUOUS),
    "ix_listings_by_sku": ListingQuery(sku="A"),
    "ix_listings_by_hand": ListingQuery(sku="A"),
    "ix_listings_not_writable": ListingQuery(writable=False),
    "ix_listings_marked_in_turn": ListingQuery(state=PushState.DRIFTED),
}


@pytest.mark.parametrize("index", NARROWED)
async def test_a_shops_listings_are_narrowed_by_an_index(sqlite_database, index):
    _, account = await connected(sqlite_database)

    plans = await plans_of(
        sqlite_database,
        lambda work: work.listings.list(TENANT, account.integration_id or "", PageRequest(50), NARROWED[index]),
    )

    assert [step for step in plans if f"INDEX {index} (" in step], plans
    assert not [step for step in plans if "TEMP B-TREE" in step], plans
