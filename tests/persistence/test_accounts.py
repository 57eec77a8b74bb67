from dataclasses import replace

import pytest
from tests.factories import NOW, TENANT, an_account, later

from channel_sync.domain.channel import Environment
from channel_sync.domain.errors import Conflict, NotFound

PLACE = ("wish", Environment.PRODUCTION)


async def store(database, account):
    async with database.begin() as work:
        await work.accounts.add(account)
    return account


async def get(database, account):
    async with database.read() as work:
        return await work.accounts.get(account.id)


async def test_an_account_comes_back_as_it_was_stored(database):
    account = await store(database, an_account(order_cursor=NOW, listings_at=later(1)))

    assert await get(database, account) == account
    async with database.read() as work:
        assert await work.accounts.find(TENANT, *PLACE, account.merchant_id) == account


@pytest.mark.parametrize(
    "place",
    [
        ("other", *PLACE, "m1"),
        (TENANT, "other", Environment.PRODUCTION, "m1"),
        (TENANT, "wish", Environment.SANDBOX, "m1"),
        (TENANT, *PLACE, "m2"),
    ],
)
async def test_an_account_is_found_only_in_its_place(database, place):
    await store(database, an_account(merchant_id="m1"))

    async with database.read() as work:
        assert await work.accounts.find(*place) is None


async def test_a_tenant_has_one_account_of_a_merchant(database):
    await store(database, an_account(merchant_id="m1"))

    with pytest.raises(Conflict):
        await store(database, an_account(merchant_id="m1"))
    await store(database, an_account(merchant_id="m1", tenant="other"))


async def test_a_missing_account_is_not_found(database):
    async with database.read() as work:
        with pytest.raises(NotFound):
            await work.accounts.get("acc_none")


async def test_attaching_and_detaching(database):
    account = await store(database, an_account())

    async with database.begin() as work:
        await work.accounts.attach(account.id, "int_1", "client-9", "New name")
    attached = await get(database, account)
    async with database.begin() as work:
        await work.accounts.detach("int_2")
        await work.accounts.detach("int_1")

    assert attached == replace(account, integration_id="int_1", client_id="client-9", shop_name="New name")
    assert await get(database, account) == replace(attached, integration_id=None)


async def test_only_another_tenants_attached_account_counts_as_used_elsewhere(database):
    async def used_by(tenant, client_id="c1", merchant_id="m1"):
        async with database.read() as work:
            return await work.accounts.used_elsewhere(tenant, *PLACE, client_id, merchant_id)

    await store(database, an_account(tenant="one", merchant_id="m1", client_id="c1", integration_id="int_1"))

    assert await used_by("two")
    assert not await used_by("one")
    assert not await used_by("two", client_id="c2")
    assert not await used_by("two", merchant_id="m2")
    async with database.begin() as work:
        await work.accounts.detach("int_1")
    assert not await used_by("two")


async def test_the_cursor_only_moves_forward(database):
    account = await store(database, an_account())
    cursors = []
    for at in (later(5), later(3), later(9)):
        async with database.begin() as work:
            await work.accounts.move_cursor(account.id, at)
        cursors.append((await get(database, account)).order_cursor)

    assert cursors == [later(5), later(5), later(9)]


async def test_the_moment_of_the_listings_is_remembered(database):
    account = await store(database, an_account())

    async with database.begin() as work:
        await work.accounts.set_listings_at(account.id, NOW, is_whole=True)

    assert (await get(database, account)).listings_at == NOW
