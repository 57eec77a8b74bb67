from dataclasses import replace

import pytest
from tests.factories import NOW, TENANT, a_run, connected, later
from tests.persistence.run_steps import COUNTS, a_call, claim, finish, get, listed, opened, queued

from channel_sync.domain.errors import AlreadyRunning, NotFound, RunLost
from channel_sync.domain.ids import new_id
from channel_sync.domain.runs import Counts, Lane, Outcome, RunError, RunKind, RunStatus, Trigger
from channel_sync.persistence.runs import RunQuery
from channel_sync.persistence.sql.paging import PageRequest


@pytest.fixture
async def shop(database):
    """An active integration with its account."""
    return await connected(database)


async def test_a_run_comes_back_as_it_was_opened(database, shop):
    run = await opened(database, shop, window_from=NOW, window_to=later(9), dry_run=True, trigger=Trigger.BACKFILL)

    assert await get(database, run) == run


async def test_a_second_run_of_the_kind_is_told_of_the_first_and_the_transaction_goes_on(database, shop):
    first, other_kind = await opened(database, shop), a_run(*shop, kind=RunKind.STOCK)

    async with database.begin() as work:
        with pytest.raises(AlreadyRunning) as raised:
            await work.runs.open(a_run(*shop))
        await work.runs.open(other_kind)

    assert raised.value.related_id == first.id
    assert await get(database, other_kind) == other_kind


async def test_a_closed_run_makes_room_for_the_next(database, shop):
    await finish(database, await opened(database, shop))

    assert await get(database, await opened(database, shop))


async def test_a_queued_run_is_claimed_once(database, shop):
    run = await queued(database, shop)

    async with database.begin() as work:
        assert await work.runs.queued(Lane.ORDERS, 10) == [run.id]
        claimed = await claim(work, run, "process-2", later(1))
        assert await claim(work, run, "process-3", later(2)) is None
        assert await work.runs.queued(Lane.ORDERS, 10) == []

    assert claimed == replace(
        run, status=RunStatus.RUNNING, owner="process-2", started_at=later(1), heartbeat_at=later(1)
    )


async def test_a_run_cancelled_in_the_queue_is_claimed_with_that_mark(database, shop):
    run = await queued(database, shop)

    async with database.begin() as work:
        await work.runs.request_cancel(TENANT, run.id)
        claimed = await claim(work, run, "process-2", NOW)

    assert claimed.cancel_requested


@pytest.mark.parametrize("window_from", [None, NOW])
@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("kind", RunKind)
async def test_a_run_waits_in_its_lane_and_in_no_other(database, kind, trigger, window_from):
    shop = await connected(database)
    run = await queued(database, shop, kind=kind, trigger=trigger, window_from=window_from)

    async with database.read() as work:
        waiting = {lane: await work.runs.queued(lane, 10) for lane in Lane}
    assert waiting == {lane: [run.id] if lane is run.lane else [] for lane in Lane}


async def test_the_oldest_stands_first_in_its_lane(database):
    shops = [await connected(database) for _ in range(3)]
    ids = [new_id("run", later(second)) for second in (2, 0, 1)]
    for shop, run_id in zip(shops, ids, strict=True):
        await queued(database, shop, id=run_id, trigger=Trigger.MANUAL)

    async with database.read() as work:
        assert await work.runs.queued(Lane.URGENT, 2) == [ids[1], ids[2]]


async def test_a_beat_stores_counts_and_time(database, shop):
    run = await opened(database, shop)

    async with database.begin() as work:
        await work.runs.beat(run.id, COUNTS, later(5))
        await work.runs.set_status(run.id, RunStatus.WAITING_RATE_LIMIT)

    expected = replace(run, counts=COUNTS, heartbeat_at=later(5), status=RunStatus.WAITING_RATE_LIMIT)
    assert await get(database, run) == expected


async def test_finishing_stores_how_it_ended(database, shop):
    run = await opened(database, shop)
    error = RunError("timeout", "channel_outage", "wish", True, "Wish did not answer.")

    await finish(database, run, Outcome.FAILED, later(7), error=error)

    ended = await get(database, run)
    assert (ended.status, ended.outcome, ended.error) == (RunStatus.FINISHED, Outcome.FAILED, error)
    assert (ended.counts, ended.finished_at) == (COUNTS, later(7))


async def test_a_closed_run_is_lost_to_whoever_still_works_for_it(database, shop):
    run = await opened(database, shop)
    await finish(database, run)

    async with database.begin() as work:
        with pytest.raises(RunLost):
            await work.runs.beat(run.id, Counts(), later(1))
        with pytest.raises(RunLost):
            await work.runs.finish(run.id, RunStatus.FINISHED, None, Counts(), None, later(1))
        await work.runs.set_status(run.id, RunStatus.RUNNING)

    assert (await get(database, run)).finished_at == NOW
    assert (await get(database, run)).status is RunStatus.FINISHED


async def test_a_lost_run_takes_its_page_along(database, shop):
    run = await opened(database, shop)
    await finish(database, run)

    async def store_page():
        async with database.begin() as work:
            await work.accounts.move_cursor(shop[1].id, later(9))
            await work.runs.beat(run.id, COUNTS, later(9))

    with pytest.raises(RunLost):
        await store_page()
    async with database.read() as work:
        assert (await work.accounts.get(shop[1].id)).order_cursor is None


async def test_runs_are_listed_newest_first_and_by_what_is_asked(database, shop):
    other = await connected(database, tenant="other")
    runs = []
    for second, kind in enumerate([RunKind.ORDERS, RunKind.STOCK, RunKind.ORDERS, RunKind.LISTINGS]):
        runs.append(await opened(database, shop, id=new_id("run", later(second)), kind=kind))
        await finish(database, runs[-1])
    foreign = await opened(database, other, tenant="other")

    def ids(found):
        return [run.id for run in found]

    assert ids(await listed(database)) == ids(runs)[::-1]
    assert ids(await listed(database, RunQuery(kind=RunKind.ORDERS))) == [runs[2].id, runs[0].id]
    assert await listed(database, RunQuery(status=RunStatus.RUNNING)) == []
    assert len(await listed(database, RunQuery(integration_id=shop[0].id))) == 4
    assert await listed(database, RunQuery(integration_id=foreign.integration_id)) == []
    assert ids(await listed(database, tenant="other")) == [foreign.id]
    async with database.read() as work:
        with pytest.raises(NotFound):
            await work.runs.get(TENANT, foreign.id)


async def test_calls_are_kept_in_their_order_and_paged(database, shop):
    run = await opened(database, shop)
    async with database.begin() as work:
        await work.run_batches.add_calls({run.id: [a_call("/1"), a_call("/2")]})
        await work.run_batches.add_calls({run.id: []})
        await work.run_batches.add_calls({run.id: [a_call("/3")]})

    async with database.read() as work:
        first = await work.runs.calls(TENANT, run.id, PageRequest(2))
        rest = await work.runs.calls(TENANT, run.id, PageRequest(2, first.next))
        with pytest.raises(NotFound):
            await work.runs.calls("other", run.id, PageRequest(2))
        assert (await work.runs.calls(TENANT, run.id, PageRequest(2, (2**70,)))).items == []

    assert (first.items, rest.items, rest.next) == ([a_call("/1"), a_call("/2")], [a_call("/3")], None)


@pytest.mark.parametrize("path", ["/a\0b", "/\ud800", "/" + "x" * 100_000])
async def test_a_call_to_any_path_is_kept(database, shop, path):
    run = await opened(database, shop)
    async with database.begin() as work:
        await work.run_batches.add_calls({run.id: [replace(a_call(path), channel_request_id=path)]})

    async with database.read() as work:
        [kept] = (await work.runs.calls(TENANT, run.id, PageRequest(2))).items
    assert kept.path == kept.channel_request_id
    assert len(kept.path) <= 500


async def test_old_closed_runs_are_pruned_with_their_calls(database, shop):
    old, still_open = await opened(database, shop), await opened(database, shop, kind=RunKind.STOCK)
    async with database.begin() as work:
        await work.run_batches.add_calls({old.id: [a_call("/1")]})
    await finish(database, old)

    async with database.begin() as work:
        assert await work.runs.prune(NOW, 10) == 0
        assert await work.runs.prune(later(1), 10) == 1

    assert await listed(database) == [still_open]


async def test_of_many_old_runs_the_oldest_are_pruned_first(database, shop):
    runs = [await opened(database, shop, heartbeat_at=later(number), finished_at=NOW) for number in (3, 1, 2)]

    async with database.begin() as work:
        assert await work.runs.prune(later(9), 2) == 2

    assert await listed(database) == [runs[0]]


async def test_only_an_open_run_is_given_to_whoever_asks_for_one(database, shop):
    run = await opened(database, shop, trigger=Trigger.RECONCILE, kind=RunKind.RECONCILE)
    async with database.begin() as work:
        theirs = await work.runs.adopt(run.tenant, run.id)
        assert await work.runs.adopt("other", run.id) is None
    await finish(database, run)

    async with database.begin() as work:
        assert await work.runs.adopt(run.tenant, run.id) is None
    assert theirs is not None
    assert (theirs.id, theirs.trigger) == (run.id, Trigger.MANUAL)
