"""What was left out of an order is stored with it, and changes nothing for orders of which nothing was."""

import json
from decimal import Decimal

import pytest
from msgspec import structs
from sqlalchemy import text
from tests.factories import NOW, a_channel_order, an_order_line, connected, later, order_content
from tests.persistence.order_steps import feed, store

from channel_sync.domain.money import NO_CURRENCY, Money
from channel_sync.domain.orders import Flaw, Note, Refund
from channel_sync.domain.runs import Counts

NOTE = Note(Flaw.BAD_TIME, "/released_at")
# Of the order below, as it was stored before there were notes.
FORMER_DIGEST = "33e1ac91ac695a1a8fef2746423ea726e3f850d9c5820fa0"


@pytest.fixture
async def account(database):
    """The account of an active integration."""
    return (await connected(database))[1]


async def content_and_digest(database):
    async with database.session() as session:
        return await session.row(text("SELECT content, digest FROM orders"))


async def test_an_order_without_notes_is_stored_as_it_was_before_there_were_any(database, account):
    order = a_channel_order(channel_order_id="order-1", transaction_id="transaction-1")
    await store(database, account, order)

    content, digest = await content_and_digest(database)
    assert "notes" not in json.loads(content)
    assert bytes(digest).hex() == FORMER_DIGEST


async def test_notes_come_back_and_the_same_again_writes_nothing(database, account):
    order = a_channel_order(content=order_content(notes=(NOTE,)))
    assert (await store(database, account, order)).counts == Counts(created=1)
    assert (await store(database, account, order)).counts == Counts(unchanged=1)

    [found] = await feed(database)
    assert found.notes == found.content.notes == (NOTE,)


async def test_an_order_that_can_be_read_whole_again_is_an_update(database, account):
    order = a_channel_order(content=order_content(notes=(NOTE,)))
    await store(database, account, order)

    again = structs.replace(order, content=structs.replace(order.content, notes=()))
    assert (await store(database, account, again)).counts == Counts(updated=1)
    [found] = await feed(database)
    assert found.notes == ()


async def test_the_default_currency_stands_wherever_none_is_named_and_the_order_says_so(database, account):
    unnamed = Money(Decimal("3.50"), NO_CURRENCY)
    content = order_content(
        lines=(an_order_line(unit_price=unnamed),),
        customer_paid=unnamed,
        refunds=(Refund(NOW, None, None, unnamed),),
        notes=(Note(Flaw.CURRENCY_MISSING, "/order_payment"),),
    )
    order = a_channel_order(currency="USD", merchant_revenue=unnamed, content=content)
    await store(database, account, order)
    assert (await store(database, account, order)).counts == Counts(unchanged=1)

    [found] = await feed(database)
    [line] = found.content.lines
    named = Money(Decimal("3.50"), "EUR")
    assert (found.currency, found.currency_defaulted) == ("USD", True)
    assert [found.merchant_revenue, line.unit_price, found.content.customer_paid] == [named] * 3
    assert found.content.refunds[0].amount == named
    assert line.shipping_price == Money(Decimal("1.50"), "GBP")


@pytest.mark.parametrize("ahead_s", [30, 7200, 200_000_000_000])
async def test_an_order_dated_ahead_when_it_was_stored_says_so_from_then_on(database, account, ahead_s):
    await store(database, account, a_channel_order(updated_at=later(ahead_s)))

    [found] = await feed(database)
    dated_ahead = (Note(Flaw.UPDATED_IN_FUTURE, "/updated_at"),)
    assert found.notes == (dated_ahead if ahead_s > 60 else ())


@pytest.mark.parametrize("ahead_first", [True, False])
async def test_of_two_versions_in_a_page_the_believable_one_counts(database, account, ahead_first):
    real = a_channel_order(channel_order_id="order-1", state_raw="SHIPPED")
    both = [structs.replace(real, updated_at=later(7200), state_raw="APPROVED"), real]
    stored = await store(database, account, *(both if ahead_first else reversed(both)))

    assert stored.counts == Counts(created=1, ignored=1)
    [found] = await feed(database)
    assert (found.state_raw, found.channel_updated_at) == ("SHIPPED", NOW)
