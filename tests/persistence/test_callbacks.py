from dataclasses import replace

import pytest
from sqlalchemy import text
from tests.factories import NOW, TENANT, a_draft, a_grant, later
from tests.persistence.attempt_steps import an_attempt, consume, proceed, store

from channel_sync.domain.ids import new_id
from channel_sync.domain.secrets import Secret
from channel_sync.persistence.callbacks import KeptCallback


@pytest.fixture
async def attempt(database):
    """An attempt whose browser is at the marketplace."""
    draft = a_draft()
    async with database.begin() as work:
        await work.integrations.add(draft, Secret("a-secret-of-the-app"))
    attempt = await store(database, an_attempt(draft))
    await proceed(database, attempt)
    return attempt


def a_callback(attempt, **members):
    kept = KeptCallback(new_id("cbk", NOW), TENANT, attempt.id, "hash-of-a-code", NOW)
    return replace(kept, **members)


async def add(database, callback):
    async with database.begin() as work:
        return await work.callbacks.add(callback)


async def keep(database, callback, grant):
    answered = replace(callback, merchant_id=grant.merchant_id, shop_name="Lamps", warehouse_id="wh1")
    async with database.begin() as work:
        return await work.callbacks.keep(answered, grant)


async def take(database, callback, integration_id="int_1"):
    async with database.begin() as work:
        return await work.callbacks.take(callback.id, integration_id)


async def get(database, callback):
    async with database.read() as work:
        return await work.callbacks.get(callback.id)


async def sealed(database):
    async with database.session() as session:
        return await session.value(text("SELECT kept_grant FROM callbacks"))


async def test_each_code_is_there_once(database, attempt):
    first = a_callback(attempt)

    assert await add(database, first)
    assert not await add(database, a_callback(attempt))

    async with database.read() as work:
        assert await work.callbacks.by_code("hash-of-a-code") == first
        assert await work.callbacks.by_code("hash-of-another") is None
    assert not first.is_settled


async def test_a_grant_waits_sealed_and_is_taken_once(database, attempt):
    callback, grant = a_callback(attempt), a_grant(ends_at=later(86_400))
    await add(database, callback)

    assert await keep(database, callback, grant)
    waiting, hidden = await get(database, callback), await sealed(database)
    assert [await take(database, callback) for _ in range(2)] == [grant, None]

    assert waiting.is_settled
    assert (waiting.merchant_id, waiting.shop_name, waiting.warehouse_id) == ("merchant-1", "Lamps", "wh1")
    assert grant.refresh_token.value.encode() not in hidden
    assert (await get(database, callback)).integration_id == "int_1"
    assert await sealed(database) is None


async def test_what_failed_says_why(database, attempt):
    callback = a_callback(attempt)
    await add(database, callback)

    async with database.begin() as work:
        await work.callbacks.fail(callback.id, "account_mismatch", "m2", "Other lamps")

    failed = await get(database, callback)
    assert (failed.is_settled, failed.error, failed.shop_name) == (True, "account_mismatch", "Other lamps")
    assert await take(database, callback) is None


async def test_a_grant_is_not_kept_for_an_attempt_that_is_over(database, attempt):
    callback = a_callback(attempt)
    await add(database, callback)
    await consume(database, attempt)

    assert not await keep(database, callback, a_grant())
    assert await sealed(database) is None


@pytest.mark.parametrize("ending", ["finish", "close_all", "destroy"])
async def test_a_grant_is_wiped_when_its_attempt_ends(database, attempt, ending):
    callback = a_callback(attempt)
    await add(database, callback)
    await keep(database, callback, a_grant())

    async with database.begin() as work:
        match ending:
            case "finish":
                await work.attempts.finish(attempt.id, "access_denied")
            case "close_all":
                await work.attempts.close_all(attempt.integration_id)
            case _:
                await work.attempts.destroy(attempt.integration_id)

    assert await sealed(database) is None


async def test_a_grant_that_nobody_asked_for_in_time_is_wiped(database, attempt):
    callback = a_callback(attempt)
    await add(database, callback)
    await keep(database, callback, a_grant())

    async with database.begin() as work:
        assert await work.callbacks.forget_grants(later(899)) == 0
        assert await work.callbacks.forget_grants(later(900)) == 1

    assert await sealed(database) is None


async def test_so_many_codes_are_tried_for_an_attempt(database, attempt):
    async with database.begin() as work:
        tried = [await work.attempts.try_code(attempt.id, NOW, later(1200)) for _ in range(12)]

    assert tried == [True] * 10 + [False] * 2


async def test_a_code_gives_the_person_time_until_it_is_too_late(database, attempt):
    async with database.begin() as work:
        assert await work.attempts.try_code(attempt.id, NOW, later(1200))
        assert not await work.attempts.try_code(attempt.id, later(1200), later(1800))
        assert (await work.attempts.get(attempt.id)).expires_at == later(1200)
