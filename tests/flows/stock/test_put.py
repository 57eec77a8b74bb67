import pytest
from tests.flows.goods import a_listing
from tests.flows.stock_steps import a_shop
from tests.flows.workshop import TENANT, Workshop
from tests.stored import fed_by

from channel_sync.domain.clock import utcnow
from channel_sync.domain.runs import RunKind
from channel_sync.domain.stock import StockItem, StockResult


@pytest.fixture
def workshop(database) -> Workshop:
    return Workshop(database)


async def test_answers_come_in_order_and_an_invalid_item_stops_no_other(workshop: Workshop):
    answers = await workshop.put(("a", 1), (" ", 1), ("b", -1), ("c", 500_001), ("a", 2), ("d", 500_000))

    assert [(answer.sku, answer.result, answer.code) for answer in answers] == [
        ("a", StockResult.ACCEPTED, None),
        (" ", StockResult.INVALID, "sku_blank"),
        ("b", StockResult.INVALID, "available_out_of_range"),
        ("c", StockResult.INVALID, "available_out_of_range"),
        ("a", StockResult.INVALID, "sku_repeated"),
        ("d", StockResult.ACCEPTED, None),
    ]


async def test_a_sku_comes_once_as_a_whole_or_once_for_each_warehouse(workshop: Workshop):
    items = [
        StockItem("a", 1, None, "london"),
        StockItem("a", 2, None, "leeds"),
        StockItem("a", 3, None, "london"),
        StockItem("a", 4),
        StockItem("b", 1),
        StockItem("b", 1, None, "london"),
    ]

    answers = await workshop.put_stock.put(TENANT, items)

    repeated = [answer.code for answer in answers]
    assert repeated == [None, None, "sku_repeated", "sku_repeated", None, "sku_repeated"]


async def test_the_same_value_again_keeps_its_version(workshop: Workshop):
    await workshop.put(("a", 1))
    [again] = await workshop.put(("a", 1))
    [other] = await workshop.put(("a", 2))

    assert (again.result, again.version) == (StockResult.UNCHANGED, 1)
    assert (other.result, other.version) == (StockResult.ACCEPTED, 2)


async def test_an_older_revision_changes_nothing(workshop: Workshop):
    await workshop.put_stock.put(TENANT, [StockItem("a", 5, revision=7)])
    [late] = await workshop.put_stock.put(TENANT, [StockItem("a", 9, revision=6)])

    assert late.result is StockResult.STALE_REVISION
    async with workshop.database.read() as work:
        assert (await work.stock.get(TENANT, "a")).available == 5


async def test_a_change_of_a_listed_sku_makes_its_shop_due_at_once(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1))
    await workshop.run(seller, RunKind.LISTINGS)
    nudges = workshop.nudges

    await workshop.put(("sku-1", 3))

    async with workshop.database.read() as work:
        assert await work.schedules.due(RunKind.STOCK, utcnow(), 10) == [seller.id]
    assert workshop.nudges == nudges + 1


async def test_nothing_valid_is_nothing_stored(workshop: Workshop):
    await workshop.put(("", 1), ("a", -1))

    assert (await workshop.rows("stock_levels"))["stock_levels"] == []
    assert workshop.nudges == 0


async def test_many_items_are_stored_in_pieces_and_answered_in_order(workshop: Workshop):
    items = [(f"s-{number}", number) for number in range(1200)]

    answers = await workshop.put(*items)

    assert [answer.sku for answer in answers] == [sku for sku, _ in items]
    assert {answer.result for answer in answers} == {StockResult.ACCEPTED}


async def test_levels_of_skus_that_many_listings_have_are_stored_and_sent_again_in_more_pieces(workshop: Workshop):
    skus = [f"shared-{number}" for number in range(6)]
    await a_shop(workshop, *(a_listing(number, sku=skus[number % 6]) for number in range(540)))
    async with workshop.database.begin() as work:
        for sku in skus:
            [first, *_] = await fed_by(work, sku)
            await work.listings.set_mapped_skus(TENANT, {first.id: sku}, utcnow())
    nudges = workshop.nudges

    await workshop.put(*((sku, 3) for sku in skus))
    assert workshop.nudges == nudges + 1
    answers = await workshop.put_stock.push_again(TENANT, skus)

    assert [(answer.sku, answer.listings) for answer in answers] == [(sku, 1) for sku in skus]
    assert workshop.nudges == nudges + 3


async def test_what_is_given_together_is_due_once_all_of_it_is_stored(workshop: Workshop):
    seller = await workshop.connect()
    workshop.shop().put_up(a_listing(1))
    await workshop.run(seller, RunKind.LISTINGS)
    nudges = workshop.nudges

    # Of three pieces only the first one has anything to send.
    await workshop.put(*((f"sku-{number}", 3) for number in range(1, 1_201)))

    async with workshop.database.read() as work:
        assert await work.schedules.due(RunKind.STOCK, utcnow(), 10) == [seller.id]
    assert workshop.nudges == nudges + 1
