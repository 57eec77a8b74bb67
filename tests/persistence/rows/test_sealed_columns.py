"""What somebody who writes to the database cannot do: make one row's credentials and addresses another's."""

from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import Row, select, update
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
from tests.persistence.order_steps import store

from channel_sync.domain.orders import UNREADABLE
from channel_sync.domain.secrets import Secret
from channel_sync.persistence.database import Database
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.rows.encryption import Unreadable
from channel_sync.persistence.rows.sealed_columns import APP_SECRET, GRANT
from channel_sync.persistence.sql.paging import PageRequest
from channel_sync.persistence.sql.tables import integrations, metadata

ANOTHER: dict[str, Any] = {"environment": "sandbox", "client_secret_updated_at": later(1), "generation": 99}


async def integration_row(database: Database) -> Row[*tuple[Any, ...]]:
    async with database.session() as session:
        row = await session.row(select(integrations))
    assert row is not None
    return row


async def change(database: Database, **values: Any) -> None:
    """What a writer to the database does to the only integration there is."""
    async with database.session() as session:
        await session.execute(update(integrations).values(values))


async def grant_twice(database: Database, integration_id: str) -> None:
    async with database.begin() as work:
        for generation in (0, 1):
            assert await work.credentials.store_grant(integration_id, a_grant(), generation)


async def test_an_older_pair_of_tokens_does_not_open_in_a_newer_row(database):
    integration, _ = await connected(database)
    await grant_twice(database, integration.id)
    older = await integration_row(database)
    async with database.begin() as work:
        assert await work.credentials.store_grant(integration.id, a_grant(), 2)

    await change(database, access_token=older.access_token, refresh_token=older.refresh_token)

    async with database.read() as work:
        assert await work.credentials.held_by([integration.id]) == {integration.id: None}


async def test_an_older_secret_of_the_application_does_not_open_in_a_newer_row(database):
    integration, _ = await connected(database)
    older = await integration_row(database)
    async with database.begin() as work:
        await work.credentials.set_app(integration.id, integration.client_id, Secret("the-newer-secret"), later(5))

    await change(database, client_secret=older.client_secret)

    async with database.read() as work:
        with pytest.raises(Unreadable):
            await work.credentials.app(integration.id)


@pytest.mark.parametrize("column", APP_SECRET.bound)
async def test_the_secret_of_an_application_does_not_open_as_anothers(database, column):
    integration, _ = await connected(database)

    await change(database, **{column: ANOTHER.get(column, "another")})

    async with database.read() as work:
        with pytest.raises(Unreadable):
            await work.credentials.app(integration.id)


@pytest.mark.parametrize("column", GRANT.bound)
async def test_tokens_do_not_open_as_anothers(database, column):
    integration, _ = await connected(database)
    await grant_twice(database, integration.id)

    await change(database, **{column: ANOTHER.get(column, "another")})

    row = await integration_row(database)
    for token in ("access_token", "refresh_token"):
        with pytest.raises(Unreadable):
            database.cipher.open(row._mapping[token], GRANT.place(token, row._mapping))
    async with database.read() as work:
        assert await work.credentials.held_by([integration.id]) == {integration.id: None}


async def test_orders_and_held_replies_do_not_open_as_those_of_another_tenant_or_shop(database):
    _, account = await connected(database)
    _, sibling = await connected(database)
    _, other = await connected(database, tenant="bolt")
    await store(database, account, a_channel_order())
    async with database.begin() as work:
        [held] = await work.held_orders.hold(account, [an_unreadable_order()], NOW)

    for taken in ({"account_id": sibling.id}, {"tenant": "bolt", "account_id": other.id}):
        async with database.session() as session:
            for name in ("orders", "held_orders"):
                await session.execute(update(metadata.tables[name]).values(taken))
        async with database.read() as work:
            found = await work.orders.feed(
                taken.get("tenant", TENANT), OrderFeedQuery(), PageRequest(9), personal=False
            )
            assert hides_its_buyer(
                await work.orders.get(taken.get("tenant", TENANT), found.items[0].id, personal=True)
            )
            with pytest.raises(Unreadable):
                await work.held_orders.raw(held.id)


async def test_an_older_address_does_not_open_in_a_newer_version_of_the_order(database):
    _, account = await connected(database)
    order = a_channel_order()
    await store(database, account, order)
    table = metadata.tables["orders"]
    async with database.session() as session:
        [older] = await session.rows(select(table))
    await store(database, account, structs.replace(order, address=an_address(name="Moved"), updated_at=later(9)))

    async with database.session() as session:
        await session.execute(update(table).values(personal=older.personal))

    async with database.read() as work:
        assert hides_its_buyer(await work.orders.get(TENANT, older.id, personal=True))


async def test_an_order_that_does_not_open_says_so_and_takes_no_list_along(database):
    _, account = await connected(database)
    await store(database, account, *(a_channel_order(channel_order_id=f"o{number}") for number in range(3)))
    table = metadata.tables["orders"]
    async with database.session() as session:
        spoilt = update(table).where(table.c.channel_order_id == "o1").values(personal=b"spoilt")
        await session.execute(spoilt)

    async with database.read() as work:
        found = await work.orders.feed(TENANT, OrderFeedQuery(), PageRequest(9), personal=True)

    assert [hides_its_buyer(order) for order in found.items] == [False, True, False]
    assert {order.address is None for order in found.items if order.channel_order_id != "o1"} == {False}


def hides_its_buyer(order):
    """Whether the order has nothing personal and says that it could not be decrypted."""
    return (order.address, order.tax) == (None, None) and UNREADABLE in order.content.notes
