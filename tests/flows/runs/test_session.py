from functools import partial

import pytest
from tests.factories import NOW, an_event
from tests.flows.runs.steps import a_call, at_work, journal
from tests.flows.workshop import Workshop

from channel_sync.domain.errors import Conflict, RunLost, RunStopped, StorageUnavailable
from channel_sync.domain.runs import Counts, RunStatus

ONE, TWO = Counts(created=1), Counts(updated=2)


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def close(workshop, session):
    """What another process does that takes the run for dead."""
    async with workshop.database.begin() as work:
        await work.runs.finish(session.run.id, RunStatus.INTERRUPTED, None, Counts(), None, NOW)


async def note(event, work, counts=ONE):
    await work.events.add([event])
    return counts


async def in_transaction(session, fails=False):
    async with session.transaction() as page:
        page.counts = await note(an_event(tenant="acme"), page.work)
        if fails:
            raise Conflict("conflict", "No.")


async def kept(session):
    await session.keep(partial(note, an_event(tenant="acme")))


def calls_of(session):
    return [call.path for call in session.context.calls]


async def test_a_call_goes_to_the_shop_until_the_run_is_to_stop(workshop):
    session = await at_work(workshop, await workshop.connect())
    assert await session.call(lambda shop: shop.name()) == "Shop"
    assert session.rules is workshop.channel.rules

    session.context.cancel()
    with pytest.raises(RunStopped):
        await session.call(lambda shop: pytest.fail("It was called."))


async def test_a_transaction_keeps_counts_and_calls_and_is_a_sign_of_life(workshop):
    session = await at_work(workshop, await workshop.connect())
    for counts, path in ((ONE, "/one"), (TWO, "/two")):
        async with session.transaction() as page:
            session.context.calls.append(a_call(path))
            page.counts = counts

    assert (session.counts, calls_of(session)) == (ONE + TWO, [])
    run = await workshop.look(session.run)
    assert run.counts == ONE + TWO
    assert run.heartbeat_at > NOW
    assert await journal(workshop, run) == ["/one", "/two"]


async def test_a_transaction_that_fails_keeps_nothing_but_its_calls_for_the_next_one(workshop):
    session = await at_work(workshop, await workshop.connect())
    session.context.calls.append(a_call("/one"))
    with pytest.raises(Conflict):
        await in_transaction(session, fails=True)

    assert (session.counts, calls_of(session), await workshop.events()) == (Counts(), ["/one"], [])
    assert (await workshop.look(session.run)).counts == Counts()


@pytest.mark.parametrize("write", [in_transaction, kept])
async def test_a_run_that_was_closed_elsewhere_writes_nothing_any_more(workshop, write):
    session = await at_work(workshop, await workshop.connect())
    await close(workshop, session)
    session.context.calls.append(a_call("/one"))

    with pytest.raises(RunLost):
        await write(session)

    assert (session.counts, calls_of(session), await workshop.events()) == (Counts(), ["/one"], [])


async def test_what_is_kept_is_stored_with_its_counts_and_the_calls_before_it(workshop):
    session = await at_work(workshop, await workshop.connect())
    for counts, path in ((ONE, "/one"), (TWO, "/two")):
        session.context.calls.append(a_call(path))
        assert await session.keep(partial(note, an_event(tenant="acme"), counts=counts)) == counts

    run = await workshop.look(session.run)
    assert session.counts == run.counts == ONE + TWO
    assert run.heartbeat_at > NOW
    assert (await journal(workshop, run), calls_of(session)) == (["/one", "/two"], [])
    assert len(await workshop.events()) == 2


async def test_calls_made_while_a_page_is_not_stored_come_after_its_own(workshop):
    session = await at_work(workshop, await workshop.connect())
    session.context.calls.append(a_call("/one"))

    async def refuse(_work):
        session.context.calls.append(a_call("/two"))
        raise Conflict("conflict", "No.")

    with pytest.raises(Conflict):
        await session.keep(refuse)

    assert (calls_of(session), session.counts) == (["/one", "/two"], Counts())


async def test_a_store_that_is_away_for_a_moment_is_waited_for(sqlite_database):
    workshop = Workshop(sqlite_database)
    session = await at_work(workshop, await workshop.connect())
    away = [StorageUnavailable()]

    async def store(work):
        if away:
            raise away.pop()
        return await note(an_event(tenant="acme"), work)

    assert await session.keep(store) == ONE
    assert len(await workshop.events()) == 1
