from dataclasses import replace
from datetime import timedelta

import pytest
from tests.flows.goods import an_order, an_unreadable_order
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.errors import ChannelUnavailable, Conflict, NotFound
from channel_sync.domain.held_orders import HeldOrder
from channel_sync.domain.integrations import Integration
from channel_sync.domain.orders import Order
from channel_sync.flows.orders.held import Held
from channel_sync.persistence.sql.paging import PageRequest


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def hold(workshop: Workshop, **changes) -> tuple[Integration, str]:
    """A shop with one held order, and the id of that."""
    seller = await workshop.connect()
    workshop.shop().place(an_unreadable_order(1, **changes))
    await workshop.run(seller)
    async with workshop.database.read() as work:
        [held] = (await work.held_orders.list(TENANT, seller.id, PageRequest(10, None))).items
    return seller, held.id


async def replay(workshop: Workshop, held_id: str) -> Order | HeldOrder:
    return await Held(workshop.database, workshop.shops).replay(TENANT, held_id)


async def still_held(workshop: Workshop) -> int:
    return len((await workshop.rows("held_orders"))["held_orders"])


async def test_a_held_order_that_is_readable_now_becomes_an_order_once(workshop: Workshop):
    _, held_id = await hold(workshop)
    workshop.shop().place(an_order(1))

    order = await replay(workshop, held_id)

    assert isinstance(order, Order)
    assert order.channel_order_id == "o-1"
    assert await still_held(workshop) == 0
    assert len(await workshop.events("order.created")) == 1
    with pytest.raises(NotFound):
        await replay(workshop, held_id)


async def test_an_order_that_still_cannot_be_read_stays_held(workshop: Workshop):
    _, held_id = await hold(workshop)

    answer = await replay(workshop, held_id)

    assert isinstance(answer, HeldOrder)
    assert answer.id == held_id
    assert await workshop.orders() == []


async def test_the_kept_reply_is_used_where_the_marketplace_has_none(workshop: Workshop):
    _, held_id = await hold(workshop)
    kept = workshop.shop().orders.pop("o-1")
    workshop.shop().readable = {kept.raw: an_order(1)}

    order = await replay(workshop, held_id)

    assert isinstance(order, Order)
    assert await still_held(workshop) == 0


async def test_a_kept_reply_is_read_while_no_grant_is_to_be_had(workshop: Workshop):
    workshop.channel.lifetime = timedelta(0)
    _, held_id = await hold(workshop, channel_order_id=None)
    [kept] = workshop.shop().orders.values()
    workshop.shop().readable = {kept.raw: an_order(1)}
    workshop.channel.break_down("renew", ChannelUnavailable("outage", "Away."))

    assert isinstance(await replay(workshop, held_id), Order)


async def test_a_held_reply_without_an_id_is_released_too(workshop: Workshop):
    _, held_id = await hold(workshop, channel_order_id=None)
    [kept] = workshop.shop().orders.values()
    workshop.shop().readable = {kept.raw: an_order(1)}

    order = await replay(workshop, held_id)

    assert isinstance(order, Order)
    assert await still_held(workshop) == 0


async def test_a_held_order_of_a_disabled_integration_is_not_replayed(workshop: Workshop):
    seller, held_id = await hold(workshop)
    async with workshop.database.begin() as work:
        fresh = await work.integrations.get(TENANT, seller.id)
        await work.integrations.save(replace(fresh, enabled=False))

    with pytest.raises(Conflict) as refused:
        await replay(workshop, held_id)

    assert refused.value.code == "integration_disabled"
