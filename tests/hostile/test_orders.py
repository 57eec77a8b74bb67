"""Whatever one order is: the others are stored, it is stored or held, and both can be read again."""

import json
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest
from tests.flows.workshop import TENANT
from tests.hostile import replies
from tests.hostile.mutations import GROUPS, mutant, paths
from tests.hostile.stage import FIRST, HostileOrders, a_service, second
from tests.hostile.watch import watched

from channel_sync.api.order_schemas import held_order_view, order_views
from channel_sync.domain.runs import Outcome
from channel_sync.persistence.orders import OrderFeedQuery
from channel_sync.persistence.sql.paging import PageRequest

TRADE = ("orders", "held_orders", "events", "accounts", "incidents")


MEMBERS = len(paths(replies.order()))


def healthy(number: int) -> tuple[str, bytes]:
    return second(number), json.dumps(replies.order(number, second(number))).encode()


def spoilt(number: int, kind: str, member: int) -> tuple[str, bytes]:
    """That member of an order of its own gone wrong in this way."""
    full = replies.order(number, second(number))
    return second(number), mutant(full, kind, paths(full)[member])


async def shown(database) -> tuple[list[str], list[str | None]]:
    """Ids of the stored and of the held orders, each of them shown as the API does."""
    async with database.read() as work:
        stored = await work.orders.feed(TENANT, OrderFeedQuery(), PageRequest(5000, None), personal=True)
        views = await order_views(work, TENANT, stored.items, personal=True)
        held = await work.held_orders.list(TENANT, None, PageRequest(5000, None))
    for view in (*views, *map(held_order_view, held.items)):
        assert len(msgspec.json.encode(view)) < 200_000
    return [order.channel_order_id for order in stored.items], [order.channel_order_id for order in held.items]


@pytest.mark.parametrize("kinds", GROUPS, ids="-".join)
async def test_one_member_gone_wrong_costs_no_other_order(database, kinds: Sequence[str]):
    places = [(kind, member) for member in range(MEMBERS) for kind in kinds]
    sound, strange = range(0, 2 * len(places), 2), range(1, 2 * len(places), 2)
    wish = HostileOrders(
        orders=[
            *map(healthy, [*sound, 5000]),
            *(spoilt(number, *place) for number, place in zip(strange, places, strict=True)),
        ]
    )
    async with a_service(database, wish) as service:
        seller = await service.connect(orders_from=FIRST)
        async with watched():
            runs = [await service.run(seller) for _ in range(2)]
        rows = await service.rows(*TRADE)
        again = await service.due(seller)

        stored, held = await shown(database)
        wanted = {replies.order(number)["id"] for number in (*sound, 5000)}
        assert wanted <= set(stored)
        assert len(stored) + len(held) == len(wish.orders)
        cursor = await service.cursor(seller)

    assert all(run.outcome in (Outcome.SUCCESS, Outcome.PARTIAL, Outcome.NO_CHANGES) for run in runs)
    assert again is not None
    assert (again.outcome, again.counts.news) == (Outcome.NO_CHANGES, 0)
    assert await service.rows(*TRADE) == rows
    assert cursor == FIRST + timedelta(seconds=5000)
