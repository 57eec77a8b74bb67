from datetime import timedelta

import pytest
from tests.factories import NOW, TENANT, later
from tests.flows.runs.steps import a_call, at_work, journal
from tests.flows.scheduling.steps import doubt_stock, schedules_of, wait_for_stock
from tests.flows.workshop import Workshop

from channel_sync.domain.errors import NoAnswer, RateLimited, RunLost
from channel_sync.domain.ids import new_id
from channel_sync.domain.runs import Counts, Outcome, RunKind, RunStatus, Trigger
from channel_sync.flows.runs.closing import close_run, close_runs_without_changes, is_without_changes
from channel_sync.flows.scheduling.intervals import RunPace
from channel_sync.flows.scheduling.result import CANCELLED, INTERRUPTED, RunResult, failed
from channel_sync.persistence.doubts import FIRST_LOOK

PACE = RunPace(orders_s=100, stock_s=10, listings_s=1000, reconcile_s=10_000)
SUCCESS, NO_CHANGES = (
    RunResult(RunStatus.FINISHED, Outcome.SUCCESS),
    RunResult(RunStatus.FINISHED, Outcome.NO_CHANGES),
)
FAILED = failed(NoAnswer("timeout", "No answer."), NOW)


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def close(session, result=SUCCESS):
    async with session.database.begin() as work:
        await close_run(work, session, result, PACE, NOW)


async def close_quiet(*sessions):
    async with sessions[0].database.begin() as work:
        return await close_runs_without_changes(work, sessions, PACE, NOW)


async def schedule_of(workshop, session):
    shop = (session.integration, session.account)
    return (await schedules_of(workshop.database, shop)).get(session.run.kind)


async def seconds_to_next(workshop, session):
    schedule = await schedule_of(workshop, session)
    assert schedule is not None
    assert schedule.next_at is not None
    return (schedule.next_at - NOW).total_seconds()


async def test_a_closed_run_is_as_it_ended_with_its_calls_and_is_told(workshop):
    seller = await workshop.connect()
    session = await at_work(workshop, seller, trigger=Trigger.MANUAL)
    session.counts = Counts(created=2, unchanged=1)
    session.context.calls.append(a_call("/orders"))

    await close(session)

    run = await workshop.look(session.run)
    assert (run.status, run.outcome, run.finished_at) == (RunStatus.FINISHED, Outcome.SUCCESS, NOW)
    assert (run.counts, run.error) == (session.counts, None)
    assert await journal(workshop, run) == ["/orders"]
    [event] = await workshop.events()
    assert (event.type, event.tenant, event.integration_id) == ("run.finished", TENANT, seller.id)
    assert event.members == {
        "run_id": run.id,
        "kind": "orders",
        "trigger": "manual",
        "status": "finished",
        "outcome": "success",
        "code": None,
        "seen": 3,
    }


async def test_a_run_that_was_closed_elsewhere_changes_nothing(workshop):
    session = await at_work(workshop, await workshop.connect())
    await close(session, INTERRUPTED)

    with pytest.raises(RunLost):
        await close(session)

    assert (await workshop.look(session.run)).status is RunStatus.INTERRUPTED
    assert await workshop.events() == []


@pytest.mark.parametrize(
    ("trigger", "result", "is_told"),
    [
        (Trigger.SCHEDULE, NO_CHANGES, False),
        (Trigger.SCHEDULE, FAILED, True),
        (Trigger.MANUAL, NO_CHANGES, True),
        (Trigger.MANUAL, CANCELLED, True),
        (Trigger.MANUAL, INTERRUPTED, False),
    ],
)
async def test_what_is_news_or_a_persons_is_told_unless_it_is_done_again(
    sqlite_database, trigger, result, is_told
):
    workshop = Workshop(sqlite_database)
    session = await at_work(workshop, await workshop.connect(), trigger=trigger)

    await close(session, result)

    events = await workshop.events("run.finished")
    assert len(events) == is_told
    assert [event.members["code"] for event in events] == [result.error.code if result.error else None] * is_told


async def test_a_run_that_a_person_asked_for_meanwhile_is_theirs(workshop):
    session = await at_work(workshop, await workshop.connect())
    async with workshop.database.begin() as work:
        await work.runs.adopt(TENANT, session.run.id)

    await close(session, NO_CHANGES)

    assert session.run.trigger is Trigger.MANUAL
    assert [event.members["trigger"] for event in await workshop.events()] == ["manual"]


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [(RunKind.ORDERS, 100), (RunKind.LISTINGS, 1000), (RunKind.RECONCILE, 10_000), (RunKind.STOCK, 60)],
)
async def test_after_a_success_the_next_run_is_due_at_the_usual_pace(workshop, kind, seconds):
    session = await at_work(workshop, await workshop.connect(), kind=kind)
    session.seen_until = later(-5)

    await close(session)

    assert await seconds_to_next(workshop, session) == pytest.approx(seconds, rel=0.05)
    schedule = await schedule_of(workshop, session)
    assert (schedule.last_success_at, schedule.failures, schedule.seen_until) == (NOW, 0, later(-5))


@pytest.mark.parametrize(
    ("members", "result"),
    [
        ({"trigger": Trigger.BACKFILL, "window_from": NOW}, SUCCESS),
        ({"trigger": Trigger.BACKFILL, "window_from": NOW}, FAILED),
        ({"dry_run": True}, SUCCESS),
        ({}, CANCELLED),
    ],
)
async def test_what_was_no_ordinary_run_to_its_end_moves_no_schedule(sqlite_database, members, result):
    workshop = Workshop(sqlite_database)
    session = await at_work(workshop, await workshop.connect(), **members)

    await close(session, result)

    assert await schedule_of(workshop, session) is None


async def test_what_was_interrupted_is_due_at_once(workshop):
    session = await at_work(workshop, await workshop.connect())

    await close(session, INTERRUPTED)

    assert await seconds_to_next(workshop, session) == 0


async def test_each_failure_in_a_row_is_counted_and_the_next_try_comes_later(workshop):
    seller = await workshop.connect()
    for failures, longest_s in ((1, 15), (2, 30), (3, 60)):
        session = await at_work(workshop, seller)
        await close(session, FAILED)

        schedule = await schedule_of(workshop, session)
        assert (schedule.failures, schedule.last_error_code, schedule.last_attempt_at) == (
            failures,
            "timeout",
            NOW,
        )
        assert 0.75 * longest_s <= await seconds_to_next(workshop, session) <= 1.05 * longest_s
    assert (await workshop.look(session.run)).error == FAILED.error


@pytest.mark.parametrize(
    ("look_in_s", "least_s", "most_s"),
    [(20, 20, 20), (5, 15, 15), (-600, 15, 15), (-601, 36, 53), (3600, 36, 53)],
)
async def test_a_shop_in_doubt_that_fails_to_answer_is_asked_again_soon_for_ten_minutes(
    sqlite_database, look_in_s, least_s, most_s
):
    workshop = Workshop(sqlite_database)
    seller = await workshop.connect()
    session = await at_work(workshop, seller, kind=RunKind.STOCK)
    async with sqlite_database.begin() as work:
        for _ in range(3):
            await work.schedules.failed(seller.id, RunKind.STOCK, NOW, NOW, "timeout")
    await doubt_stock(sqlite_database, (seller, session.account), later(look_in_s) - FIRST_LOOK)

    await close(session, FAILED)

    assert least_s <= await seconds_to_next(workshop, session) <= 2 * most_s


async def test_a_marketplace_that_asks_us_to_wait_is_not_looked_at_before(sqlite_database):
    workshop = Workshop(sqlite_database)
    session = await at_work(workshop, await workshop.connect(), kind=RunKind.STOCK)
    await doubt_stock(sqlite_database, (session.integration, session.account), NOW - FIRST_LOOK)

    await close(session, failed(RateLimited("Slower.", retry_after_s=90), NOW))

    assert await seconds_to_next(workshop, session) >= 90


async def test_a_level_that_came_after_the_last_look_is_due_at_once(workshop):
    session = await at_work(workshop, await workshop.connect(), kind=RunKind.STOCK)
    await wait_for_stock(workshop.database, (session.integration, session.account))

    await close(session)

    assert await seconds_to_next(workshop, session) == 0


@pytest.mark.parametrize(
    ("trigger", "result", "is_quiet"),
    [
        (Trigger.SCHEDULE, NO_CHANGES, True),
        (Trigger.SCHEDULE, SUCCESS, False),
        (Trigger.RECONCILE, NO_CHANGES, False),
        (Trigger.MANUAL, NO_CHANGES, False),
    ],
)
async def test_only_the_clocks_runs_without_news_are_quiet(sqlite_database, trigger, result, is_quiet):
    workshop = Workshop(sqlite_database)
    session = await at_work(workshop, await workshop.connect(), trigger=trigger)

    assert is_without_changes(session, result) is is_quiet


async def test_quiet_runs_are_closed_together_each_at_its_pace(workshop):
    kinds = [(RunKind.ORDERS, 100), (RunKind.LISTINGS, 1000), (RunKind.STOCK, 60)]
    sessions = [
        await at_work(workshop, await workshop.connect(f"m{number}"), kind=kind)
        for number, (kind, _) in enumerate(kinds)
    ]
    async with workshop.database.begin() as work:
        for session in sessions:
            await work.schedules.hurry(session.integration.id, session.run.kind, NOW)
    sessions[0].context.calls.append(a_call("/orders"))

    assert await close_quiet(*sessions) == {session.run.id for session in sessions}

    for session, (_, seconds) in zip(sessions, kinds, strict=True):
        run = await workshop.look(session.run)
        assert (run.status, run.outcome, run.finished_at) == (RunStatus.FINISHED, Outcome.NO_CHANGES, NOW)
        assert await seconds_to_next(workshop, session) == pytest.approx(seconds, rel=0.05)
    assert await journal(workshop, sessions[0].run) == ["/orders"]
    assert await workshop.events() == []


async def test_a_quiet_stock_run_sees_what_has_come_meanwhile(workshop):
    session = await at_work(workshop, await workshop.connect(), kind=RunKind.STOCK)
    async with workshop.database.begin() as work:
        await work.schedules.hurry(session.integration.id, RunKind.STOCK, NOW)
    await wait_for_stock(workshop.database, (session.integration, session.account))

    await close_quiet(session)

    assert await seconds_to_next(workshop, session) == 0


async def test_a_quiet_run_is_counted_in_the_one_before_it(workshop):
    seller = await workshop.connect()
    earlier = await at_work(workshop, seller, id=new_id("run", NOW - timedelta(minutes=1)))
    await close_quiet(earlier)
    session = await at_work(workshop, seller)
    session.context.calls.append(a_call("/orders"))

    assert await close_quiet(session) == {session.run.id}

    run = await workshop.look(earlier.run)
    assert (run.repeats, await journal(workshop, run)) == (1, [])


async def test_what_was_closed_elsewhere_or_is_a_persons_by_now_is_left_alone(workshop):
    ours, closed, adopted = [await at_work(workshop, await workshop.connect(f"m{number}")) for number in range(3)]
    await close(closed, CANCELLED)
    async with workshop.database.begin() as work:
        await work.runs.adopt(TENANT, adopted.run.id)

    assert await close_quiet(ours, closed, adopted) == {ours.run.id}

    assert (await workshop.look(closed.run)).status is RunStatus.CANCELLED
    assert (await workshop.look(adopted.run)).status is RunStatus.RUNNING
    assert await schedule_of(workshop, adopted) is None
