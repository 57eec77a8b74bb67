from datetime import timedelta
from decimal import Decimal

import pytest
from tests.flows.goods import START, an_order, an_unreadable_order
from tests.flows.workshop import TENANT, Workshop

from channel_sync.domain.money import Money
from channel_sync.domain.orders import OrderState
from channel_sync.domain.runs import Counts, Outcome

TRADE = ("orders", "held_orders", "listings", "events", "accounts")


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_orders_of_several_pages_all_arrive_with_their_events(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().page_size = 3
    workshop.shop().place(*(an_order(number) for number in range(1, 11)))

    run = await workshop.run(seller)

    assert [order.channel_order_id for order in await workshop.orders()] == [f"o-{n}" for n in range(1, 11)]
    assert run.outcome is Outcome.SUCCESS
    assert run.counts.created == 10
    assert len(await workshop.events("order.created")) == 10
    assert await workshop.cursor(seller) == START + timedelta(minutes=10)


async def test_a_second_pass_over_an_unchanged_shop_writes_nothing(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(*(an_order(number) for number in range(1, 8)), an_unreadable_order(9))
    await workshop.run(seller)
    before = await workshop.rows(*TRADE)

    run = await workshop.due(seller)

    assert await workshop.rows(*TRADE) == before
    assert run is not None
    assert run.outcome is Outcome.NO_CHANGES


async def test_a_poll_without_news_is_one_request(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), an_order(2))
    await workshop.run(seller)
    asked = workshop.channel.calls["orders"]

    await workshop.run(seller)

    assert workshop.channel.calls["orders"] == asked + 1


async def test_counts_add_up_to_what_was_seen(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), an_order(2), an_order(3))
    await workshop.run(seller)
    workshop.shop().place(an_order(2, minute=4, state=OrderState.SHIPPED), an_order(5), an_unreadable_order(6))

    run = await workshop.run(seller)

    assert (run.counts.created, run.counts.updated, run.counts.held) == (1, 1, 1)
    assert run.outcome is Outcome.PARTIAL


async def test_orders_in_the_overlap_are_read_again_and_not_doubled(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(*(an_order(number) for number in range(1, 6)))
    await workshop.run(seller)
    workshop.shop().place(an_order(99, minute=2.5))

    run = await workshop.run(seller)

    assert run.counts == Counts(created=1, unchanged=run.counts.unchanged)
    assert len(await workshop.orders()) == 6


async def test_a_thousand_orders_of_one_instant_are_all_stored(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(*(an_order(number, minute=5) for number in range(1, 1001)), an_order(1001, minute=6))

    run = await workshop.run(seller)

    assert run.counts.created == 1001
    assert len(await workshop.orders()) == 1001
    assert workshop.channel.calls["orders"] <= 30


async def test_the_newest_version_wins_and_an_older_one_never_returns(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1, minute=5, state=OrderState.SHIPPED, state_raw="SHIPPED"))
    await workshop.run(seller)
    workshop.shop().listed["o-1"] = an_order(1, minute=3)

    run = await workshop.run(seller)

    [order] = await workshop.orders()
    assert order.state is OrderState.SHIPPED
    assert run.counts == Counts(unchanged=1)


async def test_each_version_of_an_order_is_one_event(workshop: Workshop):
    seller = await workshop.connect()
    for minute, state in enumerate((OrderState.IN_REVIEW, OrderState.APPROVED, OrderState.REFUNDED)):
        workshop.shop().place(an_order(1, minute=minute, state=state, state_raw=state.upper()))
        await workshop.run(seller)

    told = [event.type for event in await workshop.events() if event.type.startswith("order.")]
    assert told == ["order.created", "order.updated", "order.released", "order.updated", "order.refunded"]


async def test_an_unknown_state_is_kept_in_the_marketplaces_words(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1, state=OrderState.UNKNOWN, state_raw="TELEPORTED"))

    await workshop.run(seller)

    [order] = await workshop.orders()
    assert (order.state, order.state_raw) == (OrderState.UNKNOWN, "TELEPORTED")


async def test_the_orders_own_currency_is_kept_and_a_missing_one_is_said_so(workshop: Workshop):
    seller = await workshop.connect(default_currency="GBP")
    paid_in_dollars = Money(Decimal("1.10"), "USD")
    workshop.shop().place(
        an_order(1, currency="USD", merchant_revenue=paid_in_dollars),
        an_order(2, currency=None, merchant_revenue=None),
    )

    await workshop.run(seller)

    dollars, nothing = await workshop.orders()
    assert (dollars.currency, dollars.currency_defaulted, dollars.merchant_revenue) == (
        "USD",
        False,
        paid_in_dollars,
    )
    assert (nothing.currency, nothing.currency_defaulted) == ("GBP", True)


@pytest.mark.parametrize("place", [1, 3, 5])
async def test_a_poison_order_is_held_once_and_stops_no_other(workshop: Workshop, place: int):
    seller = await workshop.connect()
    workshop.shop().place(
        *(an_unreadable_order(n) if n == place else an_order(n) for n in range(1, 6)),
    )

    runs = [await workshop.run(seller), await workshop.run(seller)]

    assert [run.counts.held for run in runs] == [1, 0]
    assert len(await workshop.orders()) == 4
    assert len(await workshop.events("order.held")) == 1


async def test_a_poison_order_alone_does_not_slow_the_shop_down(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_unreadable_order(1))
    await workshop.run(seller)
    workshop.shop().place(an_order(2))

    run = await workshop.run(seller)

    assert run.counts.created == 1
    async with workshop.database.read() as work:
        assert (await work.integrations.get(TENANT, seller.id)).degraded_reason is None


async def test_a_page_that_cannot_be_read_at_all_degrades_the_integration_until_one_can(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(*(an_unreadable_order(number) for number in range(1, 6)))
    reasons = []
    for order in (None, an_order(7, minute=20)):
        workshop.shop().place(*([order] if order else []))
        await workshop.run(seller)
        async with workshop.database.read() as work:
            reasons.append((await work.integrations.get(TENANT, seller.id)).degraded_reason)

    assert reasons == ["contract", None]


async def test_a_held_order_that_can_be_read_again_is_released(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_unreadable_order(1))
    await workshop.run(seller)
    workshop.shop().place(an_order(1))

    await workshop.run(seller)

    assert len(await workshop.orders()) == 1
    assert (await workshop.rows("held_orders"))["held_orders"] == []


async def test_a_backfill_stores_its_window_and_leaves_the_cursor(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(30))
    await workshop.run(seller)
    cursor = await workshop.cursor(seller)
    workshop.shop().place(an_order(1), an_order(2), an_order(40))

    run = await workshop.run(seller, window_from=START, window_to=START + timedelta(minutes=10))

    assert run.counts.created == 2
    assert await workshop.cursor(seller) == cursor


async def test_a_dry_run_counts_and_stores_nothing(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().place(an_order(1), an_order(2), an_unreadable_order(3))
    before = await workshop.rows(*TRADE[:3], "accounts")

    run = await workshop.run(seller, dry_run=True)

    assert run.counts == Counts(created=2, held=1)
    assert await workshop.rows(*TRADE[:3], "accounts") == before
