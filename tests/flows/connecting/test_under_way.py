from dataclasses import replace

import pytest
from tests.connecting import TENANT, Desk
from tests.factories import NOW, a_draft, later
from tests.persistence.attempt_steps import an_attempt

from channel_sync.flows.connecting.under_way import UnderWay, chosen, reread, under_way


@pytest.mark.parametrize(
    ("members", "waits"),
    [
        ({}, True),
        ({"continued_at": None}, False),
        ({"consumed_at": NOW}, False),
        ({"result": "connected"}, False),
        ({"expires_at": later(5)}, False),
        ({"expires_at": later(6)}, True),
    ],
)
def test_an_answer_is_waited_for_from_the_departure_to_the_first_answer_or_the_end_of_its_time(members, waits):
    draft = a_draft()
    attempt = an_attempt(draft, **({"continued_at": NOW} | members))

    assert UnderWay(attempt, draft).is_open(later(5)) is waits


async def test_a_browser_has_under_way_what_its_cookies_open_the_newest_first(database):
    desk = Desk(database)
    (first, one), (second, other), (_, foreign) = [await desk.left(name=f"Shop {n}") for n in range(3)]

    mine = await under_way(database, [one.cookie, other.cookie, "made-up"])

    assert [under.integration.id for under in mine] == [second.id, first.id]
    assert [under.attempt.ref for under in mine] == [other.ref, one.ref]
    assert await under_way(database, []) == []
    assert chosen(mine, one.ref) == mine[1]
    assert chosen(mine, foreign.ref) is None


async def test_what_was_cancelled_or_removed_meanwhile_is_nobodys(sqlite_database):
    desk = Desk(sqlite_database)
    (stays, one), (removed, other), (gone, third) = [await desk.left() for _ in range(3)]
    cookies = [one.cookie, other.cookie, third.cookie]
    before = await under_way(sqlite_database, cookies)
    async with sqlite_database.begin() as work:
        await work.integrations.save(replace(await work.integrations.get(TENANT, removed.id), removed_at=NOW))
        await work.integrations.delete(gone.id)

    for mine in (await under_way(sqlite_database, cookies), await reread(sqlite_database, before)):
        assert [under.integration.id for under in mine] == [stays.id]


async def test_what_is_read_again_is_as_it_is_now(sqlite_database):
    desk = Desk(sqlite_database)
    draft, departure = await desk.left()
    before = await under_way(sqlite_database, [departure.cookie])
    await desk.come_back(desk.answer(departure), departure)

    [now] = await reread(sqlite_database, before)

    assert (now.attempt.id, now.attempt.result) == (before[0].attempt.id, "connected")
    assert now.integration == await desk.read(draft.id)
