"""The SKUs that people had mapped an order's listings to when it came in."""

import asyncio

import pytest
from msgspec import structs
from tests.factories import (
    NOW,
    TENANT,
    a_channel_listing,
    a_channel_order,
    an_order_line,
    connected,
    later,
    order_content,
)
from tests.persistence.order_steps import feed, store
from tests.persistence.plans import plans_of, postgres_plans_of

from channel_sync.domain.orders import OrderState
from channel_sync.domain.runs import Counts
from channel_sync.flows.stock.mapping import MapListings
from channel_sync.persistence.mapped_skus import as_mapped
from channel_sync.persistence.rows.prepared_orders import OrderRowEncoder

BY_HAND = a_channel_listing(sku="THEIRS")
BY_SKU = a_channel_listing(sku="OURS")


@pytest.fixture
async def account(database):
    """The account of an active integration."""
    return (await connected(database))[1]


async def offer(database, account, *listings):
    async with database.begin() as work:
        await work.listings.replace(account.id, listings, NOW)


async def map_to(database, account, sku):
    async with database.read() as work:
        there = {place: id for id, place in await work.listings.there(account, "", 9)}
    await MapListings(database, lambda: None).map(TENANT, {there[BY_HAND.variation_id]: sku})


def sale_of(*listings, **members):
    lines = [an_order_line(sku=one.sku, channel_listing_id=one.variation_id) for one in listings]
    return a_channel_order(content=order_content(lines=tuple(lines)), **members)


async def skus_of(database):
    return [order.mapped_skus for order in await feed(database)]


async def test_an_order_keeps_the_sku_that_its_listing_was_mapped_to(database, account):
    await offer(database, account, BY_HAND, BY_SKU)
    await map_to(database, account, "OURS")

    await store(
        database, account, sale_of(BY_HAND, BY_SKU), sale_of(BY_SKU), sale_of(), sale_of(a_channel_listing())
    )

    assert await skus_of(database) == [{BY_HAND.variation_id: "OURS"}, {}, {}, {}]


async def test_neither_a_later_version_nor_a_later_mapping_changes_what_an_order_was_mapped_to(database, account):
    await offer(database, account, BY_HAND)
    early, late = sale_of(BY_HAND, state=OrderState.SHIPPED), sale_of(BY_HAND)
    await store(database, account, early)
    await map_to(database, account, "OURS")
    await store(database, account, late)
    await map_to(database, account, "OTHER")

    changed = [structs.replace(one, updated_at=later(5), state_raw="CHANGED") for one in (early, late)]
    await store(database, account, *changed, now=later(6))

    assert {order.channel_order_id: (order.version, order.mapped_skus) for order in await feed(database)} == {
        early.channel_order_id: (2, {}),
        late.channel_order_id: (2, {BY_HAND.variation_id: "OURS"}),
    }


@pytest.mark.parametrize("state", OrderState)
async def test_mapping_a_listing_fills_in_its_open_orders_and_no_others(database, account, state):
    await offer(database, account, BY_HAND, BY_SKU)
    order = sale_of(BY_HAND, BY_SKU, state=state)
    await store(database, account, order, sale_of(BY_SKU, state=state))

    await map_to(database, account, "OURS")
    await map_to(database, account, "OTHER")
    await map_to(database, account, None)

    is_open = state in (OrderState.IN_REVIEW, OrderState.APPROVED)
    assert await skus_of(database) == [{BY_HAND.variation_id: "OURS"} if is_open else {}, {}]
    assert [found.version for found in await feed(database)] == [1, 1]
    assert (await store(database, account, order)).counts == Counts(unchanged=1)


async def test_what_an_order_has_noted_of_another_listing_stays(database, account):
    await offer(database, account, BY_HAND, BY_SKU)
    async with database.read() as work:
        by_sku = {place: id for id, place in await work.listings.there(account, "", 9)}[BY_SKU.variation_id]
    await map_to(database, account, "OURS")
    await store(database, account, sale_of(BY_HAND, BY_SKU))

    await MapListings(database, lambda: None).map(TENANT, {by_sku: "SECOND"})

    assert await skus_of(database) == [{BY_HAND.variation_id: "OURS", BY_SKU.variation_id: "SECOND"}]


async def test_an_order_that_is_stored_while_its_listing_is_mapped_has_the_sku_either_way(database, account):
    await offer(database, account, BY_HAND)
    orders = [sale_of(BY_HAND) for _ in range(20)]

    await asyncio.gather(map_to(database, account, "OURS"), *(store(database, account, order) for order in orders))

    assert await skus_of(database) == [{BY_HAND.variation_id: "OURS"}] * 20


async def test_open_orders_are_found_by_their_own_index(sqlite_database):
    _, account = await connected(sqlite_database)

    plans = await plans_of(sqlite_database, lambda work: work.mapped_skus.fill_open_orders(TENANT, account.id, {}))

    assert "SEARCH orders USING INDEX ix_orders_open (tenant=? AND state=?)" in plans


@pytest.mark.unused_store
async def test_open_orders_are_found_by_an_index_on_postgresql(postgres_database):
    _, account = await connected(postgres_database)

    plan = await postgres_plans_of(
        postgres_database, lambda work: work.mapped_skus.fill_open_orders(TENANT, account.id, {})
    )

    assert not [step for step in plan if "Seq Scan" in step], plan


async def test_an_order_that_comes_again_is_no_news_once_its_listing_is_mapped(database, account):
    await offer(database, account, BY_HAND)
    order = sale_of(BY_HAND)
    await store(database, account, order)
    await map_to(database, account, "OURS")

    assert (await store(database, account, order)).counts == Counts(unchanged=1)


def noted(account, parts):
    rows = OrderRowEncoder("wish", TENANT, account.id, "EUR", NOW, parts).rows([sale_of(BY_HAND)])
    return lambda work: as_mapped(work.orders._session, account.id, rows)


async def test_an_account_without_such_listings_costs_one_look_into_an_index(sqlite_database):
    _, account = await connected(sqlite_database)

    plans = await plans_of(sqlite_database, noted(account, sqlite_database.personal))

    assert plans == ["SEARCH listings USING INDEX ix_listings_by_hand (account_id=?)"]


async def test_what_was_sold_is_looked_up_among_its_listings(sqlite_database):
    _, account = await connected(sqlite_database)
    await offer(sqlite_database, account, BY_HAND)
    await map_to(sqlite_database, account, "OURS")

    plans = await plans_of(sqlite_database, noted(account, sqlite_database.personal))

    assert "SEARCH listings USING INDEX uq_listings_variation (account_id=? AND variation_id=?)" in plans


@pytest.mark.unused_store
async def test_what_was_sold_is_looked_up_in_an_index_on_postgresql(postgres_database):
    _, account = await connected(postgres_database)
    await offer(postgres_database, account, BY_HAND)
    await map_to(postgres_database, account, "OURS")

    plan = await postgres_plans_of(postgres_database, noted(account, postgres_database.personal))

    assert not [step for step in plan if "Seq Scan" in step], plan
