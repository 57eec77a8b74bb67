from dataclasses import replace

import pytest
from tests.factories import NOW, a_draft, an_integration, connected, later
from tests.flows.scheduling.steps import due_at, runs_of

from channel_sync.domain.errors import Conflict, Invalid
from channel_sync.domain.runs import OPEN_ASIDE, Counts, RunKind, RunRequest, RunStatus, Trigger
from channel_sync.domain.stock import UnitRules
from channel_sync.flows.scheduling.opening import check_request, opened_or_adopted, queued_run, work_again

SHOP = an_integration(account_id="acc_1")


def a_request(kind=RunKind.ORDERS, trigger=Trigger.MANUAL, **members):
    return RunRequest(SHOP.id, kind, trigger, **members)


def refusal(request, integration=SHOP):
    """Code and pointer of what is refused, or None."""
    try:
        check_request(integration, request)
    except Conflict as refused:
        return refused.code
    except Invalid as refused:
        return refused.code, refused.pointer
    return None


@pytest.mark.parametrize("kind", RunKind)
def test_any_kind_may_be_asked_for_of_an_integration_that_works(kind):
    assert refusal(a_request(kind)) is None


def test_none_may_be_of_one_that_does_not():
    assert refusal(a_request(), replace(SHOP, enabled=False)) == "integration_disabled"


WINDOW_INVALID = ("window_invalid", "/to")


@pytest.mark.parametrize(
    ("members", "refused"),
    [
        ({"window_from": NOW}, None),
        ({"window_from": NOW, "window_to": later(1)}, None),
        ({"window_from": NOW, "window_to": NOW}, WINDOW_INVALID),
        ({"window_from": later(1), "window_to": NOW}, WINDOW_INVALID),
        ({"window_to": NOW}, WINDOW_INVALID),
        ({"dry_run": True}, None),
    ],
)
def test_a_window_of_orders_has_a_beginning_before_its_end(members, refused):
    assert refusal(a_request(**members)) == refused


@pytest.mark.parametrize("kind", [RunKind.STOCK, RunKind.LISTINGS, RunKind.RECONCILE])
@pytest.mark.parametrize(
    ("members", "pointer"),
    [({"window_from": NOW}, "/from"), ({"window_to": NOW}, "/to"), ({"rules": UnitRules(buffer=1)}, "/rules")],
)
def test_other_kinds_take_neither_a_window_nor_rules_to_try(kind, members, pointer):
    assert refusal(a_request(kind, **members)) == ("not_for_this_kind", pointer)


@pytest.mark.parametrize("kind", [RunKind.LISTINGS, RunKind.RECONCILE])
def test_only_orders_and_stock_are_tried_dry(kind):
    assert refusal(a_request(kind, dry_run=True)) == ("not_for_this_kind", "/dry_run")


def test_a_dry_run_of_stock_may_go_by_other_rules():
    assert refusal(a_request(RunKind.STOCK, dry_run=True, rules=UnitRules(buffer=1))) is None


def test_a_queued_run_is_what_was_asked_for():
    request = a_request(trigger=Trigger.BACKFILL, window_from=NOW, window_to=later(9), dry_run=True)

    run = queued_run(SHOP, request, later(1))

    assert run.id.startswith("run_")
    assert (run.tenant, run.integration_id, run.account_id) == (SHOP.tenant, SHOP.id, "acc_1")
    assert (run.kind, run.trigger, run.status) == (RunKind.ORDERS, Trigger.BACKFILL, RunStatus.QUEUED)
    assert (run.window_from, run.window_to, run.dry_run) == (NOW, later(9), True)
    assert (run.created_at, run.heartbeat_at, run.started_at, run.finished_at) == (later(1), later(1), None, None)
    assert (run.counts, run.outcome, run.error, run.owner, run.cancel_requested) == (
        Counts(),
        None,
        None,
        None,
        False,
    )


def test_there_is_no_run_of_an_integration_without_an_account():
    with pytest.raises(Conflict) as refused:
        queued_run(a_draft(), a_request(), NOW)

    assert refused.value.code == "integration_draft"


async def ask(database, shop, **members):
    """The new run, and the open one that was there in its place."""
    run = queued_run(shop[0], a_request(**members), NOW)
    async with database.begin() as work:
        return run, await opened_or_adopted(work, run)


async def test_what_is_open_already_becomes_the_persons_who_asks(database):
    shop = await connected(database)
    scheduled, _ = await ask(database, shop, trigger=Trigger.SCHEDULE)

    _, adopted = await ask(database, shop)

    assert adopted is not None
    assert (adopted.id, adopted.trigger) == (scheduled.id, Trigger.MANUAL)
    assert [run.id for run in await runs_of(database, shop)] == [scheduled.id]


async def test_windows_and_dry_runs_are_open_aside_so_many_and_no_more(database):
    shop = await connected(database)
    for number in range(OPEN_ASIDE):
        assert (await ask(database, shop, window_from=later(number)))[1] is None
    assert (await ask(database, shop))[1] is None

    with pytest.raises(Conflict) as refused:
        await ask(database, shop, dry_run=True)

    assert refused.value.code == "too_many_backfills"
    assert len(await runs_of(database, shop)) == OPEN_ASIDE + 1


async def again(database, run):
    async with database.begin() as work:
        await work_again(work, run, later(60))


async def test_the_work_of_an_ordinary_run_is_due_again(database):
    shop = await connected(database)
    run = queued_run(shop[0], a_request(), NOW)

    await again(database, run)

    assert await due_at(database, shop) == {RunKind.ORDERS: later(60)}
    assert await runs_of(database, shop) == []


async def test_a_run_aside_is_opened_anew_for_the_same_window_with_its_crashes(database):
    shop = await connected(database)
    request = a_request(trigger=Trigger.BACKFILL, window_from=NOW, window_to=later(9), dry_run=True)
    run = replace(queued_run(shop[0], request, NOW), crashes=2)

    for _ in range(2):
        await again(database, run)

    [anew] = await runs_of(database, shop)
    assert anew.id != run.id
    assert (anew.window_from, anew.window_to, anew.dry_run, anew.crashes) == (NOW, later(9), True, 2)
    assert (anew.trigger, anew.created_at) == (Trigger.BACKFILL, later(60))
    assert await due_at(database, shop) == {}


@pytest.mark.parametrize("members", [{"enabled": False}, {"removed_at": NOW}, {"id": "int_gone"}])
async def test_a_run_aside_of_an_integration_that_works_no_more_is_not_done_again(sqlite_database, members):
    shop = await connected(sqlite_database, **({} if "id" in members else members))
    run = replace(queued_run(shop[0], a_request(window_from=NOW), NOW))

    await again(sqlite_database, replace(run, integration_id=members.get("id", run.integration_id)))

    assert await runs_of(sqlite_database, shop) == []
