"""What lies in the files of the store, and what becomes of it when keys change or rows are tampered with."""

import os
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from tests.factories import (
    NOW,
    TENANT,
    a_channel_order,
    a_grant,
    an_address,
    an_unreadable_order,
    connected,
    later,
)
from tests.persistence.former_seals import former_seal
from tests.stored import held_grant, order_rows

from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import AttemptKind
from channel_sync.domain.secrets import Secret
from channel_sync.persistence.attempts import Attempt
from channel_sync.persistence.database import Database
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.resealing import reseal
from channel_sync.persistence.rows.encryption import Cipher, WrongKey
from channel_sync.persistence.rows.sealed_columns import ORDER, SEALED
from channel_sync.persistence.sql.paging import PageRequest
from channel_sync.persistence.sql.tables import metadata
from channel_sync.persistence.sql.trade_tables import orders

CANARY = "CNRY-8f3a"


def secret(name):
    return Secret(f"{CANARY}-{name}-0123456789")


async def fill(database):
    """A value in every sealed column; each has the canary in it."""
    integration, account = await connected(database)
    address = an_address(name=f"{CANARY}-name", street_1=f"{CANARY}-street")
    tax, raw = f"{CANARY}-tax".encode(), f'{{"id":"{CANARY}-raw"}}'.encode()
    attempt = Attempt(
        id=new_id("att", NOW),
        tenant=TENANT,
        integration_id=integration.id,
        kind=AttemptKind.REAUTHORISE,
        ticket_hash="ticket",
        state_hash=None,
        cookie_hash=None,
        code_verifier=secret("verifier"),
        client_id="client-2",
        client_secret=secret("new-app"),
        return_url=None,
        created_at=NOW,
        expires_at=later(600),
        continued_at=None,
        consumed_at=None,
        result=None,
    )
    async with database.begin() as work:
        await work.credentials.set_app(integration.id, "client-1", secret("app"), NOW)
        for generation in (0, 1):
            grant = a_grant(access_token=secret("access"), refresh_token=secret("refresh"))
            await work.credentials.store_grant(integration.id, grant, generation)
        await work.attempts.add(attempt)
        orders = [a_channel_order(address=address, tax=tax, raw=raw) for _ in range(7)]
        await work.orders.store_rows(account, order_rows(database, account, orders, NOW))
        await work.held_orders.hold(account, [an_unreadable_order(raw=raw)], NOW)
        await work.idempotency.begin(TENANT, "key-1", "f1", NOW)
        await work.idempotency.complete(TENANT, "key-1", 201, {}, f"{CANARY}-body".encode())
    await database.initialise_key()
    return integration, attempt


async def read_all(database, integration, attempt):
    """Everything that was filled in, opened."""
    async with database.read() as work:
        held = (await work.held_orders.list(TENANT, None, PageRequest(1))).items[0]
        return [
            (await work.credentials.app(integration.id)).client_secret,
            await held_grant(work, integration.id),
            await work.attempts.get(attempt.id),
            (await work.orders.feed(TENANT, OrderFeedQuery(), PageRequest(99), personal=True)).items,
            await work.held_orders.raw(held.id),
        ]


def test_every_sealed_column_is_known_to_the_rotation():
    sealed = {f"{one.table}.{column}" for one in SEALED for column in one.columns}
    binary = {
        f"{column.table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.type.python_type is bytes and not column.name.endswith(("digest", "hash"))
    }

    assert sealed == binary


async def test_nothing_secret_or_personal_lies_readable_in_the_files(sqlite_database, sqlite_file):
    await fill(sqlite_database)

    files = [file.read_bytes() for file in Path(sqlite_file).parent.glob(f"{sqlite_file.name}*")]
    assert len(files) >= 2
    assert any(b"order-" in file for file in files)
    assert not any(CANARY.encode() in file for file in files)


async def test_what_was_filled_in_has_the_canary(sqlite_database):
    opened = await read_all(sqlite_database, *await fill(sqlite_database))

    assert opened[0].value.startswith(CANARY)
    assert opened[3][0].address.name.startswith(CANARY)
    assert CANARY.encode() in opened[4]


async def test_what_is_personal_does_not_open_when_moved_to_another_order(sqlite_database):
    await fill(sqlite_database)
    async with sqlite_database.session() as session:
        [first, second] = await session.rows(orders.select().limit(2))
        moved = {"personal": first.personal}
        await session.execute(update(orders).where(orders.c.id == second.id).values(moved))

    async with sqlite_database.read() as work:
        assert await work.orders.get(TENANT, first.id, personal=True)
        assert await work.orders.get(TENANT, second.id, personal=False)
        moved = await work.orders.get(TENANT, second.id, personal=True)
    assert (moved.address, moved.tax) == (None, None)


async def test_rows_whose_personal_parts_lie_apart_are_still_read(sqlite_database):
    await fill(sqlite_database)
    cipher = sqlite_database.cipher
    async with sqlite_database.session() as session:
        old = (await session.rows(orders.select().limit(1)))[0]
        parts = sqlite_database.personal.opened(old.personal, ORDER.place("personal", old._mapping))._asdict()
        apart = {name: cipher.seal(part, ORDER.place(name, old._mapping)) for name, part in parts.items()}
        await session.execute(update(orders).where(orders.c.id == old.id).values(personal=None, **apart))

    async with sqlite_database.read() as work:
        found = await work.orders.get(TENANT, old.id, personal=True)

    assert found.address.name.startswith(CANARY)
    assert found.tax == parts["tax"]


def with_ring(database_url, *names):
    return Database(database_url, Cipher({name: KEYS[name] for name in names}))


KEYS = {name: os.urandom(32) for name in ("k1", "k2")}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request):
    """The address of an empty database, on each kind."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{request.getfixturevalue('sqlite_file')}"


@pytest.mark.parametrize("limit", [1, 3, 500])
async def test_after_resealing_the_old_key_is_not_needed_any_more(url, limit):
    old = with_ring(url, "k1")
    filled = await fill(old)
    before = await read_all(old, *filled)
    await old.close()

    both = with_ring(url, "k2", "k1")
    assert await reseal(both, limit) == 13
    assert await reseal(both, limit) == 0
    await both.close()

    new = with_ring(url, "k2")
    await new.check_key()
    assert await read_all(new, *filled) == before
    await new.close()


async def into_the_former_format(database, key_id):
    """Seal everything as it was when it was bound to nothing but its row."""
    async with database.session() as session:
        for sealed in SEALED:
            table = metadata.tables[sealed.table]
            for row in await session.rows(select(table)):
                mine = [table.c[name] == row._mapping[name] for name in sealed.row]
                places = {name: sealed.place(name, row._mapping) for name in sealed.columns if row._mapping[name]}
                former = {
                    name: former_seal(
                        key_id,
                        KEYS[key_id],
                        database.cipher.open(row._mapping[name], place),
                        f"{sealed.table}:{name}:" + "\x1f".join(place.row),
                    )
                    for name, place in places.items()
                }
                await session.execute(update(table).where(*mine).values(former))


async def test_what_the_former_format_sealed_is_read_and_sealed_anew_under_the_same_key(url):
    database = with_ring(url, "k1")
    filled = await fill(database)
    before = await read_all(database, *filled)
    await into_the_former_format(database, "k1")

    await database.check_key()
    assert await read_all(database, *filled) == before
    assert await reseal(database) == 13
    assert await reseal(database) == 0
    assert await read_all(database, *filled) == before
    await database.close()


async def test_an_interrupted_resealing_is_readable_and_goes_on(url):
    old = with_ring(url, "k1")
    filled = await fill(old)
    before = await read_all(old, *filled)
    await old.close()
    both = with_ring(url, "k2", "k1")
    await reseal(both)
    async with both.session() as session:
        await session.execute(text("DELETE FROM idempotency"))
    await both.close()

    back = with_ring(url, "k1", "k2")
    assert await read_all(back, *filled) == before
    assert await reseal(back) == 12
    await back.close()
    first_only = with_ring(url, "k1")
    assert await read_all(first_only, *filled) == before
    await first_only.close()


async def test_a_value_that_no_key_opens_does_not_hold_up_the_others(sqlite_file, caplog):
    url = f"sqlite:///{sqlite_file}"
    old = with_ring(url, "k1")
    await fill(old)
    async with old.session() as session:
        broken = await session.value(orders.select().with_only_columns(orders.c.id).limit(1))
        damage = {"address": b"damaged-address-bytes"}
        await session.execute(update(orders).where(orders.c.id == broken).values(damage))
    await old.close()

    both = with_ring(url, "k2", "k1")
    assert await reseal(both) == 13
    await both.close()

    assert [record for record in caplog.records if broken in record.getMessage()]
    new = with_ring(url, "k2")
    async with new.read() as work:
        others = (await work.orders.feed(TENANT, OrderFeedQuery(), PageRequest(99), personal=False)).items
        for order in others:
            if order.id != broken:
                assert (await work.orders.get(TENANT, order.id, personal=True)).address
    await new.close()


async def test_the_check_value_under_a_retired_key_is_a_wrong_key(url):
    old = with_ring(url, "k1")
    await old.initialise_key()
    await old.close()

    new = with_ring(url, "k2")
    with pytest.raises(WrongKey):
        await new.check_key()
    await new.close()
