from dataclasses import replace

import pytest
from sqlalchemy import text
from tests.factories import NOW, a_draft, later
from tests.persistence.attempt_steps import an_attempt, consume, get, proceed, store

from channel_sync.domain.secrets import Secret


@pytest.fixture
async def draft(database):
    """A stored draft."""
    draft = a_draft()
    async with database.begin() as work:
        await work.integrations.add(draft, Secret("a-secret-of-the-app"))
    return draft


async def test_an_attempt_comes_back_as_it_was_stored(database, draft):
    attempt = await store(database, an_attempt(draft, client_id="c2", client_secret=Secret("another-secret")))

    assert await get(database, attempt) == attempt
    async with database.read() as work:
        assert await work.attempts.by_ticket(attempt.ticket_hash) == attempt
        assert await work.attempts.by_ticket("ticket-none") is None


async def test_going_on_binds_one_browser_which_may_go_on_again(database, draft):
    attempt = await store(database, an_attempt(draft))

    assert await proceed(database, attempt)
    assert not await proceed(database, attempt, cookie="cookie-of-another")
    assert await proceed(database, attempt, now=later(60))

    async with database.read() as work:
        bound = await work.attempts.by_cookies(["cookie-1", "cookie-2"])
        assert await work.attempts.by_cookies(["cookie-of-another"]) == []
    expected = {"state_hash": "state-1", "cookie_hash": "cookie-1", "continued_at": NOW, "expires_at": later(900)}
    assert bound == [replace(attempt, **expected)]


async def test_a_browser_has_as_many_attempts_as_cookies_the_newest_first(database, draft):
    stored = [await store(database, an_attempt(draft)) for _ in range(3)]
    for number, attempt in enumerate(stored):
        await proceed(database, attempt, cookie=f"cookie-{number}")

    async with database.read() as work:
        mine = await work.attempts.by_cookies([f"cookie-{number}" for number in range(3)])

    assert [attempt.id for attempt in mine] == sorted((attempt.id for attempt in stored), reverse=True)
    assert len({attempt.ref for attempt in mine}) == 3


async def test_an_attempt_is_recognised_by_ticket_and_cookie_until_it_expires(database, draft):
    attempt = await store(database, an_attempt(draft))
    await proceed(database, attempt)

    async with database.read() as work:
        found = [
            await work.attempts.live(attempt.ticket_hash, [], NOW),
            await work.attempts.live("", ["another", "cookie-1"], NOW),
            await work.attempts.live("ticket-none", ["another"], NOW),
            await work.attempts.live(attempt.ticket_hash, ["cookie-1"], later(900)),
        ]

    assert found == [attempt.id, attempt.id, None, None]


async def test_an_attempt_that_expired_neither_goes_on_nor_comes_back(database, draft):
    late, expired = await store(database, an_attempt(draft)), await store(database, an_attempt(draft))
    assert not await proceed(database, late, now=later(600))
    await proceed(database, expired)

    assert not await consume(database, expired, now=later(900))


async def test_an_attempt_comes_back_exactly_once_and_not_before_it_went(database, draft):
    attempt = await store(database, an_attempt(draft))

    assert not await consume(database, attempt)
    await proceed(database, attempt)
    assert [await consume(database, attempt) for _ in range(3)] == [True, False, False]


async def test_an_ended_attempt_keeps_its_result_and_none_of_its_secrets(database, draft):
    attempt = await store(database, an_attempt(draft, client_secret=Secret("another-secret")))
    await proceed(database, attempt)
    await consume(database, attempt)

    async with database.begin() as work:
        await work.attempts.finish(attempt.id, "connected")

    ended = await get(database, attempt)
    assert (ended.result, ended.client_secret, ended.code_verifier) == ("connected", None, Secret(""))
    async with database.session() as session:
        left = await session.row(text("SELECT code_verifier, client_secret FROM attempts"))
    assert tuple(left) == (None, None)


async def test_closing_ends_what_has_not_come_back_yet(database, draft):
    waiting, back = await store(database, an_attempt(draft)), await store(database, an_attempt(draft))
    await proceed(database, back)
    await consume(database, back)

    async with database.begin() as work:
        await work.attempts.close_all(draft.id)
        await work.attempts.finish(back.id, "connected")

    assert not await proceed(database, waiting, cookie="cookie-2")
    assert (await get(database, back)).result == "connected"


async def test_old_attempts_are_pruned(database, draft):
    old, new = (
        await store(database, an_attempt(draft)),
        await store(database, an_attempt(draft, expires_at=later(9e3))),
    )

    async with database.begin() as work:
        assert await work.attempts.prune(later(601), 10) == 1

    assert await get(database, old) is None
    assert await get(database, new) == new


async def test_of_many_old_attempts_the_oldest_are_pruned_first(database, draft):
    youngest, *older = [
        await store(database, an_attempt(draft, expires_at=later(seconds))) for seconds in (3, 1, 2)
    ]

    async with database.begin() as work:
        assert await work.attempts.prune(later(9), 2) == 2

    assert await get(database, youngest) == youngest
    assert [await get(database, attempt) for attempt in older] == [None, None]
