import asyncio

import pytest
from tests.factories import TENANT, an_event, later

from channel_sync.domain.errors import Invalid
from channel_sync.domain.events import Event


async def add(database, *events):
    async with database.begin() as work:
        await work.events.add(events)


async def after(database, event_id=None, types=(), limit=1000, tenant=TENANT):
    async with database.read() as work:
        return await work.events.after(tenant, event_id, types, limit)


async def test_events_come_back_in_the_order_they_were_added(database):
    events = [an_event(members={"number": number, "nothing": None}) for number in range(5)]
    await add(database, *events[:3])
    await add(database, *events[3:])

    assert await after(database) == events
    assert await after(database, limit=2) == events[:2]
    assert await after(database, events[1].id) == events[2:]
    assert await after(database, events[4].id) == []


async def test_more_events_than_a_statement_holds_keep_their_order(database):
    events = [an_event() for _ in range(777)]
    await add(database, *events)

    assert await after(database) == events


async def test_only_the_types_asked_for_come(database):
    events = [an_event(type=type_) for type_ in ("order.created", "run.finished", "order.updated")]
    await add(database, *events)

    assert await after(database, types=("order.created", "order.updated")) == [events[0], events[2]]


async def test_the_same_event_twice_is_one(database):
    first, second = an_event(), an_event()
    await add(database, first, first)
    await add(database, second, first)

    assert await after(database) == [first, second]


async def test_each_tenant_has_its_own_feed(database):
    mine, other = an_event(), an_event(tenant="other")
    await add(database, other, mine)

    assert await after(database) == [mine]
    assert await after(database, tenant="other") == [other]
    with pytest.raises(Invalid):
        await after(database, other.id)


async def test_an_unknown_event_is_refused(database):
    with pytest.raises(Invalid) as raised:
        await after(database, "evt_none")

    assert (raised.value.code, raised.value.parameter) == ("unknown_event", "after")


async def test_pruned_events_are_gone_and_positions_go_on(database):
    old, kept = an_event(created_at=later(-10)), an_event()
    await add(database, old, kept)

    async with database.begin() as work:
        assert await work.events.prune(later(-5), 10) == 1
    fresh = an_event()
    await add(database, fresh)

    assert await after(database) == [kept, fresh]
    with pytest.raises(Invalid):
        await after(database, old.id)


async def test_of_many_old_events_the_oldest_are_pruned_first(database):
    events = [an_event(created_at=later(seconds)) for seconds in (3, 1, 2)]
    await add(database, *events)

    async with database.begin() as work:
        assert await work.events.prune(later(9), 2) == 2

    assert await after(database) == events[:1]


async def test_a_reader_misses_no_event_of_many_writers(database):
    async def write(writer):
        for number in range(10):
            async with database.begin() as work:
                await work.events.add([an_event(members={"writer": writer, "number": number})])
                await asyncio.sleep(0.001)

    read: list[Event] = []
    writing = asyncio.gather(*(write(writer) for writer in range(8)))
    while not writing.done() or len(read) < 80:
        read += await after(database, read[-1].id if read else None)
        await asyncio.sleep(0)
        assert not writing.done() or writing.exception() is None

    assert len({event.id for event in read}) == 80
    for writer in range(8):
        numbers = [event.members["number"] for event in read if event.members["writer"] == writer]
        assert numbers == list(range(10))
