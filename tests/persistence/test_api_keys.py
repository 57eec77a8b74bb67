import pytest
from tests.factories import NOW, TENANT, later

from channel_sync.domain.errors import NotFound
from channel_sync.domain.ids import new_id
from channel_sync.domain.keys import ApiKey
from channel_sync.persistence.sql.paging import PageRequest


def a_key(number=0, tenant=TENANT):
    return ApiKey(new_id("key", later(number)), tenant, f"key {number}", ("admin",), "abcd", NOW, None)


async def store(database, key, hashed=b"hash"):
    async with database.begin() as work:
        await work.api_keys.add(key, hashed)
    return key


async def test_a_key_is_found_by_its_hash_alone(database):
    key = await store(database, a_key())

    async with database.read() as work:
        assert await work.api_keys.find(b"hash") == key
        assert await work.api_keys.find(b"hasi") is None


async def test_keys_are_listed_per_tenant_oldest_first(database):
    keys = [await store(database, a_key(number), b"%d" % number) for number in range(3)]
    await store(database, a_key(tenant="other"), b"other")

    async with database.read() as work:
        first = await work.api_keys.list(TENANT, PageRequest(2))
        rest = await work.api_keys.list(TENANT, PageRequest(2, first.next))

    assert (first.items, rest.items, rest.next) == (keys[:2], keys[2:], None)


async def test_a_revoked_key_stays_revoked_since_the_first_time(database):
    key = await store(database, a_key())
    async with database.begin() as work:
        await work.api_keys.revoke(TENANT, key.id, later(1))
        await work.api_keys.revoke(TENANT, key.id, later(2))

    async with database.read() as work:
        assert (await work.api_keys.find(b"hash")).revoked_at == later(1)


async def test_a_foreign_key_is_not_there_to_be_revoked(database):
    key = await store(database, a_key(tenant="other"))

    async with database.begin() as work:
        for key_id in (key.id, "key_none"):
            with pytest.raises(NotFound):
                await work.api_keys.revoke(TENANT, key_id, NOW)
        assert (await work.api_keys.find(b"hash")).revoked_at is None
