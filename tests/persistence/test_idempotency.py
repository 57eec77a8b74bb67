import asyncio

import pytest
from tests.factories import NOW, TENANT, later

from channel_sync.domain.errors import Conflict, Invalid
from channel_sync.persistence.idempotency import Replay


async def begin(database, key="key-1", fingerprint="f1", now=NOW, tenant=TENANT):
    async with database.begin() as work:
        return await work.idempotency.begin(tenant, key, fingerprint, now)


async def complete(database, key="key-1", tenant=TENANT):
    async with database.begin() as work:
        await work.idempotency.complete(tenant, key, 201, {"ETag": '"1"'}, b'{"id":"int_1"}')


async def test_the_first_request_is_answered_and_the_second_gets_its_answer(database):
    assert await begin(database) is None
    await complete(database)

    assert await begin(database) == Replay(201, {"ETag": '"1"'}, b'{"id":"int_1"}')


async def test_a_request_in_progress_is_a_conflict(database):
    await begin(database)

    with pytest.raises(Conflict) as raised:
        await begin(database, now=later(30))
    assert raised.value.code == "idempotency_in_progress"


async def test_of_many_at_once_one_is_answered(database):
    results = await asyncio.gather(*(begin(database) for _ in range(8)), return_exceptions=True)

    assert results.count(None) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 7


async def test_another_request_with_the_same_key_is_refused(database):
    await begin(database)

    with pytest.raises(Invalid) as raised:
        await begin(database, fingerprint="f2")
    assert raised.value.code == "idempotency_key_reused"
    await complete(database)
    with pytest.raises(Invalid):
        await begin(database, fingerprint="f2")


async def test_a_request_whose_process_died_is_taken_over_once(database):
    await begin(database)

    assert await begin(database, now=later(61)) is None
    with pytest.raises(Conflict):
        await begin(database, now=later(62))


async def test_an_abandoned_request_may_be_made_again(database):
    await begin(database)
    async with database.begin() as work:
        await work.idempotency.abandon(TENANT, "key-1")

    assert await begin(database, fingerprint="f2") is None


async def test_an_answer_is_never_abandoned(database):
    await begin(database)
    await complete(database)
    async with database.begin() as work:
        await work.idempotency.abandon(TENANT, "key-1")

    assert await begin(database) is not None


async def test_keys_of_tenants_are_their_own(database):
    await begin(database)
    await complete(database)

    assert await begin(database, tenant="other") is None


async def test_old_keys_are_pruned(database):
    await begin(database)
    await begin(database, key="key-2", now=later(10))
    async with database.begin() as work:
        assert await work.idempotency.prune(later(5), 10) == 1

    assert await begin(database) is None


async def test_of_many_old_keys_the_oldest_are_pruned_first(database):
    for seconds in (3, 1, 2):
        await begin(database, key=f"key-{seconds}", now=later(seconds))

    async with database.begin() as work:
        assert await work.idempotency.prune(later(9), 2) == 2
        assert await work.idempotency.prune(later(3), 2) == 0
        assert await work.idempotency.prune(later(9), 2) == 1
