from datetime import datetime

from tests.factories import NOW, connected, later

from channel_sync.domain.integrations import Integration
from channel_sync.domain.runs import RunKind
from channel_sync.persistence.database import UnitOfWork
from channel_sync.persistence.schedules import Plan, Schedule

ORDERS = RunKind.ORDERS


async def start(work: UnitOfWork, shop: Integration, at: datetime, next_at: datetime | None) -> None:
    """The orders of a shop are due and a run of them starts, as by the clock."""
    await work.schedules.hurry(shop.id, ORDERS, at)
    await work.schedules.apply([Plan(shop.id, ORDERS, next_at, started_at=at)])


async def of(database, *integrations):
    async with database.read() as work:
        return await work.schedules.of([integration.id for integration in integrations])


async def test_due_are_those_whose_time_has_come_the_longest_waiting_first(database):
    moments = (later(0), later(-10), later(1), None)
    shops = [(await connected(database))[0] for _ in moments]
    async with database.begin() as work:
        for shop, at in zip(shops, moments, strict=True):
            await work.schedules.set_next(shop.id, ORDERS, at)

    async with database.read() as work:
        assert await work.schedules.due(ORDERS, NOW, 10) == [shops[1].id, shops[0].id]
        assert await work.schedules.due(ORDERS, NOW, 1) == [shops[1].id]
        assert await work.schedules.due(RunKind.STOCK, NOW, 10) == []


async def test_a_run_is_noted_from_its_start_to_its_end(database):
    shop, _ = await connected(database)
    async with database.begin() as work:
        await start(work, shop, NOW, later(60))
        await work.schedules.succeeded(Plan(shop.id, ORDERS, later(62)), later(2))

    assert await of(database, shop) == {shop.id: {ORDERS: Schedule(later(62), NOW, later(2), 0, None)}}


async def test_failures_are_counted_until_a_success(database):
    shop, _ = await connected(database)
    async with database.begin() as work:
        for second in (1, 2):
            await work.schedules.failed(shop.id, ORDERS, later(second), later(60), "timeout")
    assert (await of(database, shop))[shop.id][ORDERS] == Schedule(later(60), later(2), None, 2, "timeout")

    async with database.begin() as work:
        await work.schedules.succeeded(Plan(shop.id, ORDERS, later(63)), later(3))
    assert (await of(database, shop))[shop.id][ORDERS] == Schedule(later(63), later(2), later(3), 0, None)


async def test_hurrying_brings_forward_and_never_puts_off(database):
    shop, _ = await connected(database)
    nexts = []
    async with database.begin() as work:
        for at in (later(9), later(5), later(7)):
            await work.schedules.hurry(shop.id, ORDERS, at)
            nexts.append((await work.schedules.of([shop.id]))[shop.id][ORDERS].next_at)
        await work.schedules.set_next(shop.id, ORDERS, None)
        await work.schedules.hurry(shop.id, ORDERS, NOW)
        nexts.append((await work.schedules.of([shop.id]))[shop.id][ORDERS].next_at)

    assert nexts == [later(9), later(5), later(5), NOW]


async def test_what_was_attempted_in_the_future_is_due_now(database):
    ahead, just_now, stopped = [(await connected(database))[0] for _ in range(3)]
    async with database.begin() as work:
        await start(work, ahead, later(86_400), later(86_460))
        await start(work, just_now, later(30), later(90))
        await start(work, stopped, later(86_400), None)

        await work.schedules.hurry_misdated(NOW)

    found = await of(database, ahead, just_now, stopped)
    assert [found[shop.id][ORDERS].next_at for shop in (ahead, just_now, stopped)] == [NOW, later(90), None]


async def test_a_stopped_integration_has_nothing_due_and_keeps_its_history(database):
    shop, other = (await connected(database))[0], (await connected(database))[0]
    async with database.begin() as work:
        for kind in RunKind:
            await work.schedules.succeeded(Plan(shop.id, kind, later(60)), NOW)
        await work.schedules.set_next(other.id, ORDERS, NOW)
        await work.schedules.stop_all(shop.id)
        assert await work.schedules.due(ORDERS, later(99), 10) == [other.id]

    found = await of(database, shop, other)
    assert found[shop.id] == {kind: Schedule(None, None, NOW, 0, None) for kind in RunKind}


async def test_an_integration_without_schedules_has_none(database):
    assert await of(database) == {}
    shop, _ = await connected(database)
    assert await of(database, shop) == {shop.id: {}}


async def test_how_far_a_run_saw_stays_until_another_saw_further(database):
    shop, _ = await connected(database)
    seen = []
    async with database.begin() as work:
        for plan in (Plan(shop.id, ORDERS, later(60), seen_until=NOW), Plan(shop.id, ORDERS, later(60))):
            await work.schedules.succeeded(plan, later(1))
            seen.append((await work.schedules.of([shop.id]))[shop.id][ORDERS].seen_until)
        for plan in (Plan(shop.id, ORDERS, later(60)), Plan(shop.id, ORDERS, later(60), seen_until=later(9))):
            await work.schedules.succeeded_all([plan], later(1))
            seen.append((await work.schedules.of([shop.id]))[shop.id][ORDERS].seen_until)

    assert seen == [NOW, NOW, NOW, later(9)]
