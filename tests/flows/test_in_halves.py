"""A value that the database does not take costs no other order and no other listing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs
from tests.flows.goods import START, a_listing, an_order
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.held_orders import HeldOrder
from channel_sync.domain.orders import ChannelOrder, UnreadableOrder
from channel_sync.domain.runs import Outcome, RunKind
from channel_sync.persistence.sql.paging import PageRequest

# PostgreSQL's index rows end at 2704 bytes, packed; that much Chinese does not pack.
LONG = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(3000))


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


def odd(**changes) -> ChannelOrder:
    return an_order(7, **changes)


def odd_line(**changes) -> ChannelOrder:
    order = odd()
    [line] = order.content.lines
    return structs.replace(
        order, content=structs.replace(order.content, lines=(structs.replace(line, **changes),))
    )


async def held(workshop: Workshop) -> list[HeldOrder]:
    async with workshop.database.read() as work:
        return (await work.held_orders.list(TENANT, None, PageRequest(50, None))).items


@pytest.mark.parametrize(
    "bad",
    [
        odd(state_raw="a\0b"),
        odd(state_raw="a\ud800b"),
        odd(transaction_id=LONG),
        odd(channel_order_id="o\0"),
        odd(channel_order_id="o\ud800"),
        odd(channel_order_id=LONG),
        odd_line(title="a\0b"),
        odd_line(title="a\ud800b"),
        odd_line(quantity=2**70),
    ],
    ids=["nul", "half", "long", "id-nul", "id-half", "id-long", "title-nul", "title-half", "quantity"],
)
async def test_the_other_orders_of_a_page_are_stored_and_the_cursor_moves_on(
    workshop: Workshop, bad: ChannelOrder
):
    seller = await workshop.connect()
    workshop.shop().place(*(an_order(number) for number in range(1, 7)), bad, an_order(8), an_order(9))

    run = await workshop.run(seller)

    stored = await workshop.orders()
    assert {order.channel_order_id for order in stored} >= {f"o-{number}" for number in (*range(1, 7), 8, 9)}
    assert await workshop.cursor(seller) == START + timedelta(minutes=9)
    assert len(stored) + len(await held(workshop)) == 9
    assert run.counts.created + run.counts.held == 9
    assert len(await workshop.events("order.created")) == len(stored)


async def test_an_order_that_cannot_be_stored_is_held_with_its_reply_and_told_once(workshop: Workshop):
    seller = await workshop.connect()
    bad = odd(state_raw="a\ud800b")
    workshop.shop().place(an_order(1), bad)

    outcomes = [(await workshop.run(seller)).outcome for _ in range(2)]

    assert outcomes == [Outcome.PARTIAL, Outcome.NO_CHANGES]
    [order] = await held(workshop)
    assert (order.channel_order_id, order.reason) == ("o-7", "not_storable")
    async with workshop.database.read() as work:
        assert await work.held_orders.raw(order.id) == bad.raw


async def test_a_held_order_whose_own_words_cannot_be_stored_is_held_all_the_same(workshop: Workshop):
    seller = await workshop.connect()
    for number, id in enumerate(("o\0", "o\ud800", LONG)):
        workshop.shop().orders[str(number)] = UnreadableOrder(
            id, "wrong_type", "/a\0\ud800" + LONG, START, "r\0" + LONG, b"raw %d" % number
        )

    await workshop.run(seller)

    found = await held(workshop)
    assert [order.channel_order_id for order in found] == [None] * 3
    assert all(len(order.pointer) <= 500 for order in found)


@pytest.mark.parametrize(
    "changes",
    [
        {"sku": "a\ud800b"},
        {"title": "a\0b"},
        {"variation_id": "a\0b"},
        {"sku": LONG},
        {"variation_id": LONG},
        {"quantities": (("w\ud800", 1),)},
    ],
    ids=lambda changes: "-".join(changes),
)
async def test_the_other_listings_of_a_catalogue_are_stored_and_none_is_gone(workshop: Workshop, changes):
    seller = await workshop.connect()
    workshop.shop().put_up(*(a_listing(number) for number in range(1, 10)))
    await workshop.run(seller, RunKind.LISTINGS)
    del workshop.shop().listings["var-1"]
    workshop.shop().put_up(replace(a_listing(5), **changes), a_listing(10))

    run = await workshop.run(seller, RunKind.LISTINGS)

    async with workshop.database.read() as work:
        listings = (await work.listings.list(TENANT, seller.id, PageRequest(50, None))).items
    assert {listing.variation_id for listing in listings} >= {f"var-{number}" for number in range(1, 11)}
    if run.outcome is Outcome.PARTIAL:
        assert run.error is not None
        assert run.error.code == "catalogue_partly_unreadable"
        assert "gone" not in {listing.mapping for listing in listings}
    else:
        # SQLite takes it.
        assert workshop.database.single_process
