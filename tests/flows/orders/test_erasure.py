from datetime import timedelta

import pytest
from msgspec import structs
from sqlalchemy import text
from tests.factories import NOW, TENANT, a_channel_order, an_address, an_unreadable_order, connected, later
from tests.stored import order_rows

from channel_sync.domain.erasure import Buyer
from channel_sync.domain.orders import OrderState
from channel_sync.flows.orders.erasure import Erasure, Retentions
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.sql.paging import PageRequest

ADA = an_address(name="Ada Example", phone="1")
BOB = an_address(name="Bob Example", phone="2")
OF_ADA = b'{"name":"Ada Example"}'


async def store(database, account, *orders, at=NOW):
    async with database.begin() as work:
        return (await work.orders.store_rows(account, order_rows(database, account, orders, at))).counts


async def hold(database, account, *orders, at=NOW):
    async with database.begin() as work:
        return await work.held_orders.hold(account, orders, at)


async def people(database, tenant=TENANT):
    """The names that orders still have, in the order they were stored, and what replies still say."""
    async with database.read() as work:
        found = await work.orders.feed(tenant, OrderFeedQuery(), PageRequest(1000), personal=True)
        held = (await work.held_orders.list(tenant, None, PageRequest(1000))).items
        replies = sorted([await work.held_orders.raw(one.id) for one in held])
    return [one.address and one.address.name for one in found.items], replies


async def ids_of(database):
    async with database.read() as work:
        return [one.id for one in (await work.orders.feed(TENANT, OrderFeedQuery(), PageRequest(99), False)).items]


async def test_orders_and_held_ones_are_erased_by_our_ids_and_by_the_marketplaces_in_every_shop(database):
    shops = [(await connected(database))[1] for _ in range(2)]
    for account in shops:
        await store(database, account, a_channel_order(channel_order_id="o-1", address=ADA), a_channel_order())
    [first] = await hold(database, shops[0], an_unreadable_order(channel_order_id="o-2", raw=OF_ADA))
    await hold(database, shops[1], an_unreadable_order(channel_order_id="o-3", raw=OF_ADA))
    erasure = Erasure(database)

    by_marketplace = await erasure.of(TENANT, (), ["o-1", "o-3", "o-none"])
    by_ours = await erasure.of(TENANT, [(await ids_of(database))[1], first.id, "ord_none", "hld_none"], ())

    assert (by_marketplace.orders, by_marketplace.held_orders) == (2, 1)
    assert (by_ours.orders, by_ours.held_orders) == (1, 1)
    assert await people(database) == ([None, None, None, "Ada Example"], [b"", b""])


async def test_a_buyers_orders_and_replies_are_found_among_all(database):
    _, account = await connected(database)
    _, foreign = await connected(database, tenant="bolt")
    for shop in (account, foreign):
        orders = [a_channel_order(address=one) for one in (ADA, BOB, structs.replace(ADA, phone="9"), None)]
        await store(database, shop, *orders)
        await hold(database, shop, an_unreadable_order(raw=OF_ADA), an_unreadable_order(raw=b'"Bob Example"'))

    erased = await Erasure(database).of_buyer(TENANT, Buyer(name="ADA example"), 0)

    assert (erased.orders, erased.held_orders, erased.next) == (2, 1, None)
    assert await people(database) == ([None, "Bob Example", None, None], [b"", b'"Bob Example"'])
    assert len([name for name in (await people(database, "bolt"))[0] if name]) == 3


async def test_everybody_of_a_tenant_is_erased_and_nobody_elses(database):
    _, account = await connected(database)
    _, foreign = await connected(database, tenant="bolt")
    for shop in (account, foreign):
        await store(database, shop, *(a_channel_order(address=ADA) for _ in range(450)))
        await hold(database, shop, *(an_unreadable_order(raw=OF_ADA) for _ in range(130)))

    erased = await Erasure(database).of_tenant(TENANT, 0)

    assert (erased.orders, erased.held_orders, erased.next) == (450, 130, None)
    assert [set(kept) for kept in await people(database)] == [{None}, {b""}]
    assert [set(kept) for kept in await people(database, "bolt")] == [{"Ada Example"}, {OF_ADA}]
    assert (await Erasure(database).of_tenant(TENANT, 0)).orders == 0


async def test_what_was_erased_does_not_come_back_with_the_next_download(database):
    _, account = await connected(database)
    order = an_unreadable_order(channel_order_id="o-1", raw=OF_ADA)
    [held] = await hold(database, account, order)
    await Erasure(database).of(TENANT, [held.id], ())

    await hold(database, account, order, at=later(5))
    assert await people(database) == ([], [b""])
    await hold(database, account, structs.replace(order, raw=OF_ADA + b" "), at=later(9))
    assert await people(database) == ([], [b""])
    await store(database, account, a_channel_order(channel_order_id="o-1", address=ADA))
    async with database.read() as work:
        [found] = (await work.orders.feed(TENANT, OrderFeedQuery(), PageRequest(9), personal=True)).items
    assert (found.erased, found.address, found.tax) == (True, None, None)


async def retention(database, tenant=TENANT):
    async with database.read() as work:
        return await work.retentions.of(tenant)


async def test_buyers_are_forgotten_in_time_but_not_those_of_open_orders(database):
    _, account = await connected(database)
    states = [
        OrderState.SHIPPED,
        OrderState.APPROVED,
        OrderState.REFUNDED,
        OrderState.DECLINED,
        OrderState.UNKNOWN,
    ]
    old = [a_channel_order(address=ADA, state=state) for state in states]
    await store(database, account, *old)
    await hold(database, account, an_unreadable_order(raw=OF_ADA))
    await store(database, account, a_channel_order(address=BOB, state=OrderState.SHIPPED), at=later(86_400))
    keeper = Retentions(database, 30)

    await keeper.run(NOW + timedelta(days=30, seconds=-1))
    assert (await people(database))[0].count("Ada Example") == 5
    await keeper.run(NOW + timedelta(days=30, seconds=1))
    assert await people(database) == ([None, "Ada Example", None, None, "Ada Example", "Bob Example"], [b""])
    come_to = await retention(database)
    assert (come_to.orders_erased, come_to.held_orders_erased) == (3, 1)
    assert come_to.erased_until == later(1)

    shipped = structs.replace(old[1], state=OrderState.SHIPPED, state_raw="SHIPPED", updated_at=later(5))
    await store(database, account, shipped, at=NOW + timedelta(days=40))
    await keeper.run(NOW + timedelta(days=71))
    assert (await people(database))[0] == [None, None, None, "Ada Example", None, None]


async def test_a_tenants_own_time_counts_instead_of_the_settings(database):
    for tenant in ("acme", "bolt", "none"):
        _, account = await connected(database, tenant=tenant)
        await store(database, account, a_channel_order(address=ADA, state=OrderState.SHIPPED))
    async with database.begin() as work:
        await work.retentions.set_days("acme", 90)
        await work.retentions.set_days("bolt", 5)

    await Retentions(database, None).run(NOW + timedelta(days=31))
    assert [(await people(database, tenant))[0] for tenant in ("acme", "bolt", "none")] == [
        *(["Ada Example"], [None], ["Ada Example"])
    ]
    await Retentions(database, 30).run(NOW + timedelta(days=31))
    assert [(await people(database, tenant))[0] for tenant in ("acme", "none")] == [["Ada Example"], [None]]


@pytest.mark.parametrize("number", [200, 450])
async def test_a_backlog_is_forgotten_in_pieces_until_none_is_left(database, number):
    _, account = await connected(database)
    shipped = [a_channel_order(address=ADA, state=OrderState.SHIPPED) for _ in range(number)]
    await store(database, account, *shipped)
    await hold(database, account, *(an_unreadable_order(raw=OF_ADA) for _ in range(number)))

    await Retentions(database, 1).run(NOW + timedelta(days=2))

    assert [set(kept) for kept in await people(database)] == [{None}, {b""}]
    assert (await retention(database)).orders_erased == number
    async with database.session() as session:
        assert await session.value(text("SELECT count(*) FROM retentions")) == 1
