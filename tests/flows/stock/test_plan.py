from dataclasses import replace

import pytest
from tests.flows.goods import START

from channel_sync.channels.wish.rules import RULES
from channel_sync.domain.listings import Listing, ListingStock, Mapping, Omitted, ProductStock, Waiting
from channel_sync.domain.stock import Arithmetic, StockLevel, StockSettings, UnitRules
from channel_sync.flows.stock.plan import first_batch, halves, plan, turns, with_care


def stale(number, available, product=None, quantities=(("wh1", 10),)):
    """Listing `lst-<number>` of a product, and its level of version 3."""
    listing = Listing(
        id=f"lst-{number}",
        integration_id="int_1",
        product_id=f"pro-{product or number}",
        variation_id=f"var-{number}",
        sku=f"sku-{number}",
        mapped_sku=None,
        title=None,
        image_url=None,
        writable=True,
        mapping=Mapping.MAPPED,
        quantities=quantities,
        wanted_version=3,
        sent_version=0,
        sent_quantity=None,
        sent_at=None,
        settled_version=0,
        push_state=None,
        push_code=None,
        push_reason=None,
        settled_at=None,
    )
    return listing, StockLevel(f"sku-{number}", available, 3, None, START)


def a_product(number, listings=1, others=()):
    stocks = (ListingStock(f"lst-{number}-{n}", f"var-{n}", 1, 5, (("wh1", 5),), others) for n in range(listings))
    return ProductStock(f"pro-{number}", tuple(stocks))


def by(**settings):
    return Arithmetic(StockSettings(**settings))


def ids(products):
    return [product.product_id for product in products]


def test_a_listing_is_told_its_units_by_the_settings_and_keeps_what_lies_elsewhere():
    waiting = stale(1, 9, quantities=(("wh1", 10), ("wh2", 7), ("wh3", 0)))

    planned = plan([waiting], by(buffer=2), "wh1")

    told = ListingStock("lst-1", "var-1", 3, 7, (("wh1", 7),), (("wh2", 7), ("wh3", 0)))
    assert planned == [ProductStock("pro-1", (told,))]


def test_rules_of_its_sku_and_of_its_own_count_in_its_plan_and_its_turn():
    listing, level = stale(1, 9)
    ruled = replace(listing, sku_rules=UnitRules(buffer=4), rules=UnitRules(maximum=3))
    waits = Waiting("lst-1", "pro-1", listing.quantities, 9, START, UnitRules(buffer=4), UnitRules(maximum=3))

    (product,) = plan([(ruled, level), stale(2, 5)], by(), "wh1")[:1]

    assert (product.product_id, product.listings[0].quantity) == ("pro-1", 3)
    assert turns([Waiting("lst-2", "pro-2", listing.quantities, 5, START), waits], by(), "wh1") == [
        ["lst-1"],
        ["lst-2"],
    ]


def test_the_steepest_decrease_goes_first_and_listings_of_a_product_go_together():
    waiting = [stale(1, 11), stale(2, 5), stale(3, 40, product=9), stale(4, 0, product=9), stale(5, 8)]

    assert ids(plan(waiting, by(), "wh1")) == ["pro-9", "pro-2", "pro-5", "pro-1"]
    assert [stock.listing_id for stock in plan(waiting, by(), "wh1")[0].listings] == ["lst-3", "lst-4"]


def test_what_does_not_lie_in_our_warehouse_counts_as_nothing_there():
    first, second = stale(1, 1, quantities=(("wh2", 100),)), stale(2, 10)
    waiting = [
        Waiting(listing.id, listing.product_id, listing.quantities, level.available, START)
        for listing, level in (first, second)
    ]

    assert ids(plan([first, second], by(), "wh1")) == ["pro-2", "pro-1"]
    assert turns(waiting, by(), "wh1") == [["lst-2"], ["lst-1"]]


def test_turns_are_in_the_order_of_the_plan():
    waiting = [
        Waiting("lst-1", "pro-1", (("wh1", 10),), 11, START),
        Waiting("lst-2", "pro-2", (("wh1", 10),), 5, START),
        Waiting("lst-3", "pro-3", (("wh2", 10),), 2, START),
        Waiting("lst-4", "pro-1", (("wh1", 10),), 2, START),
    ]

    assert turns(waiting, by(), "wh1") == [["lst-1", "lst-4"], ["lst-2"], ["lst-3"]]
    assert turns(waiting, by(percent=50), "wh1")[0] == ["lst-1", "lst-4"]
    assert turns(waiting[:3], by(maximum=3), "wh1") == [["lst-1"], ["lst-2"], ["lst-3"]]


@pytest.mark.parametrize(
    ("listings", "others", "most_bytes", "taken"),
    [
        (1, (), 280, 2),
        (1, (), 279, 1),
        (2, (), 560, 2),
        (2, (), 559, 1),
        (1, (), 1, 1),
        (1, (), 10_000, 3),
    ],
)
def test_a_batch_has_as_many_of_the_first_products_as_a_job_takes_but_one(listings, others, most_bytes, taken):
    rules = replace(RULES.stock, bulk_products=3, bulk_bytes=most_bytes, bytes_a_listing=80, bytes_a_warehouse=60)
    products = [a_product(number, listings, others) for number in range(5)]

    assert first_batch(products, rules) == products[:taken]


def test_nothing_makes_no_batch():
    assert first_batch([], RULES.stock) == []


def test_until_it_is_known_what_becomes_of_other_warehouses_the_product_that_shows_it_best_goes_alone():
    alone, few, many = a_product(1), a_product(2, others=(("wh2", 3),)), a_product(3, 2, others=(("wh2", 2),))

    assert with_care([alone, few, many], None) == ([many], [])


def test_products_that_can_show_nothing_go_with_care_beside_the_others():
    alone, empty = a_product(1), a_product(2, others=(("wh2", 0),))

    assert with_care([alone, empty], None) == ([empty], [alone])
    assert with_care([alone], None) == ([], [alone])


def test_where_others_are_reset_thirty_go_with_care_at_a_time():
    shared = [a_product(number, others=(("wh2", 3),)) for number in range(31)]

    careful, others = with_care([*shared, a_product(99)], Omitted.RESET)

    assert (careful, ids(others)) == (shared[:30], ["pro-99"])


def test_where_others_are_kept_nothing_needs_care():
    shared = a_product(1, others=(("wh2", 3),))

    assert with_care([shared], Omitted.KEPT) == ([], [shared])


def test_the_first_half_is_the_smaller_one():
    products = [a_product(number) for number in range(5)]

    assert halves(products) == (products[:2], products[2:])
