import os
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.factories import NOW, TENANT, a_grant, later

from channel_sync.domain.channel import Environment, Grant
from channel_sync.domain.ids import new_id
from channel_sync.persistence.claims import Claim
from channel_sync.persistence.database import Database
from channel_sync.persistence.engine.tenancy import for_every_tenant, for_tenant
from channel_sync.persistence.resealing import reseal
from channel_sync.persistence.rows.encryption import Cipher, Unreadable

HASH = "hash-of-a-claim"


def a_claim(**members: Any) -> Claim:
    """A shop whose code is about to be redeemed."""
    id = new_id("clm", NOW)
    claim = Claim(id, "wish", Environment.PRODUCTION, "platform-1", f"code-{id}", NOW, later(3600))
    return replace(claim, **members)


async def waiting(database: Database, grant: Grant | None = None, **members: Any) -> Claim:
    """A shop that waits to be claimed."""
    claim = a_claim()
    shop = {"claim_hash": HASH, "merchant_id": "m1", "shop_name": "Mugs", "warehouse_id": "wh1"}
    answered = replace(claim, **(shop | members))
    async with database.begin() as work:
        assert await work.claims.add(claim)
        await work.claims.keep(answered, grant or a_grant())
    return answered


async def take(database: Database, tenant: str = TENANT, claim_hash: str = HASH) -> Grant | None:
    """The grant for a tenant that shows its claim."""
    with for_tenant(tenant):
        async with database.begin() as work:
            found = await work.claims.find(claim_hash, tenant, NOW)
            return None if found is None else await work.claims.take(found, tenant, "int_1")


async def test_each_code_is_there_once(database):
    claim = a_claim()

    async with database.begin() as work:
        assert await work.claims.add(claim)
        assert not await work.claims.add(a_claim(code_hash=claim.code_hash))


async def test_a_claim_finds_its_shop_until_it_expires(database):
    claim = await waiting(database)

    async with database.read() as work:
        assert await work.claims.find(HASH, TENANT, NOW) == claim
        assert await work.claims.find("another", TENANT, NOW) is None
        assert await work.claims.find(HASH, TENANT, later(3600)) is None


async def test_the_grant_is_taken_once_and_then_it_is_the_tenants(database):
    grant = a_grant()
    claim = await waiting(database, grant)

    assert await take(database) == grant
    assert await take(database) is None
    with for_tenant(TENANT):
        async with database.read() as work:
            found = await work.claims.find(HASH, TENANT, NOW)
    assert found == replace(claim, tenant=TENANT, integration_id="int_1")
    async with database.session() as session:
        assert await session.column(text("SELECT kept_grant FROM claims")) == [None]


async def test_what_a_tenant_claimed_no_other_finds(database):
    await waiting(database)
    await take(database)

    with for_tenant("bolt"):
        async with database.read() as work:
            assert await work.claims.find(HASH, "bolt", NOW) is None
    assert await take(database, "bolt") is None


async def test_a_later_consent_wipes_the_grant_that_waits_for_the_same_shop(database):
    await waiting(database)
    other = await waiting(database, claim_hash="another-shop", merchant_id="m2")

    await waiting(database, claim_hash="newest")

    assert await take(database) is None
    assert await take(database, claim_hash="newest") is not None
    assert (await take(database, claim_hash="another-shop") is not None, other.merchant_id) == (True, "m2")


async def test_those_that_wait_are_counted_and_the_others_are_not(database):
    async with database.begin() as work:
        await work.claims.add(failed := a_claim())
        await work.claims.fail(failed.id, "exchange_failed")
    await waiting(database)
    await waiting(database, claim_hash="another-shop", merchant_id="m2")
    await take(database)

    async with database.read() as work:
        assert await work.claims.waiting() == 1


async def test_what_has_expired_is_forgotten_whoever_claimed_it(database):
    await waiting(database)
    await take(database)
    await waiting(database, claim_hash="another-shop", merchant_id="m2")

    async with database.begin() as work:
        assert await work.claims.forget(later(3599)) == 0
        assert await work.claims.forget(later(3600)) == 2


@pytest.mark.parametrize("column", ["channel", "client_id", "merchant_id"])
async def test_a_grant_does_not_open_as_that_of_another_shop(database, column):
    await waiting(database)
    async with database.session() as session:
        await session.execute(text(f"UPDATE claims SET {column} = 'another'"))

    with pytest.raises(Unreadable):
        await take(database)


async def test_a_grant_that_waits_is_sealed_anew_with_the_others(sqlite_file):
    older, newer = os.urandom(32), os.urandom(32)
    grant = a_grant()
    before, between, after = (
        Database(f"sqlite:///{sqlite_file}", Cipher(ring))
        for ring in ({"k1": older}, {"k2": newer, "k1": older}, {"k2": newer})
    )
    await waiting(before, grant)

    await reseal(between)

    assert await take(after) == grant
    for database in (before, between, after):
        await database.close()


async def test_a_tenant_meets_what_is_nobodys_by_its_claim_alone(postgres_database):
    """Row-level security, below the repositories."""
    await waiting(postgres_database)
    show = text("SELECT set_config('channel_sync.claim', :claim, true)")

    for shown, seen in (("", 0), ("another", 0), (HASH, 1)):
        with for_tenant(TENANT):
            async with postgres_database.begin() as work:
                session = work.events._session
                await session.value(show.params(claim=shown))
                assert await session.value(text("SELECT count(*) FROM claims")) == seen
    with for_tenant(TENANT):
        async with postgres_database.begin() as work:
            # What one transaction showed the next one has not.
            assert await work.events._session.value(text("SELECT count(*) FROM claims")) == 0


@pytest.mark.parametrize(
    "write",
    [
        "UPDATE claims SET tenant = 'bolt'",
        "UPDATE claims SET shop_name = 'another'",
        "INSERT INTO claims (id, channel, environment, client_id, code_hash, created_at, expires_at)"
        " VALUES ('clm_x', 'wish', 'production', 'app', 'c', 0, 0)",
    ],
)
async def test_a_tenant_may_do_nothing_with_it_but_make_it_its_own(postgres_database, write):
    await waiting(postgres_database)

    async def wilful() -> None:
        async with postgres_database.begin() as work:
            await work.claims.find(HASH, TENANT, NOW)
            await work.events._session.execute(text(write))

    with for_tenant(TENANT), pytest.raises(DBAPIError, match="row-level security"):
        await wilful()

    with for_every_tenant():
        async with postgres_database.session() as session:
            assert await session.rows(text("SELECT tenant, shop_name FROM claims")) == [(None, "Mugs")]
