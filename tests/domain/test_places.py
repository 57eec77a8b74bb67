"""Which warehouses of the marketplace a level goes to, and how many units to each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel_sync.domain.stock import MAX_UNITS, Arithmetic, StockSettings, UnitRules, WarehouseLevel

NAMED = (WarehouseLevel("leeds", 7), WarehouseLevel("london", 5))


def told(named=NAMED, available=12, rules=None, **settings):
    return Arithmetic(StockSettings(**settings)).quantities(available, named, "first", rules)


def test_a_level_as_a_whole_goes_to_the_chosen_warehouse():
    assert told(None, 9, buffer=2) == (("first", 7),)


def test_without_a_map_what_lies_in_several_goes_to_the_chosen_one():
    assert told() == (("first", 12),)


def test_each_mapped_warehouse_is_told_its_units_and_the_rest_goes_to_the_chosen_one():
    assert told(warehouses={"london": "w1"}) == (("first", 7), ("w1", 5))
    assert told(warehouses={"london": "w1", "leeds": "w2"}) == (("w1", 5), ("w2", 7))


def test_two_of_the_callers_may_be_one_at_the_marketplace_also_the_chosen_one():
    assert told(warehouses={"london": "first", "leeds": "first"}) == (("first", 12),)


def test_what_lies_where_nothing_is_offered_is_left_out():
    assert told(warehouses={"london": "w1", "leeds": None}) == (("w1", 5),)
    assert Arithmetic(StockSettings(warehouses={"leeds": None})).offered(12, NAMED) == 5


def test_where_nothing_at_all_is_offered_there_is_none():
    assert told(warehouses={"london": None, "leeds": None}) == (("first", 0),)


def test_a_mapped_warehouse_without_a_level_has_none():
    mapped = {"london": "w1", "york": "w3"}
    assert told((WarehouseLevel("london", 5),), warehouses=mapped) == (("w1", 5), ("w3", 0))
    assert told(None, 9, warehouses=mapped) == (("first", 9), ("w1", 0), ("w3", 0))


def test_rules_are_about_all_of_it_and_the_first_warehouses_get_what_is_left():
    mapped = {"london": "w1", "leeds": "w2"}
    assert told(warehouses=mapped, buffer=2) == (("w1", 5), ("w2", 5))
    assert told(warehouses=mapped, rules=UnitRules(maximum=4)) == (("w1", 4), ("w2", 0))


@given(
    levels=st.dictionaries(st.sampled_from("abcd"), st.integers(0, 1_000), min_size=1),
    mapped=st.dictionaries(st.sampled_from("abcd"), st.none() | st.sampled_from(["first", "w1", "w2"])),
    buffer=st.integers(0, 500),
    percent=st.integers(1, 100),
)
def test_together_they_are_never_told_more_than_the_rules_allow(levels, mapped, buffer, percent):
    by = Arithmetic(StockSettings(buffer=buffer, percent=percent, warehouses=mapped))
    named = tuple(WarehouseLevel(name, units) for name, units in levels.items())

    quantities = by.quantities(sum(levels.values()), named, "first")

    units = by.units(by.offered(sum(levels.values()), named))
    assert sum(number for _, number in quantities) == units <= MAX_UNITS
    assert len(dict(quantities)) == len(quantities) > 0


@pytest.mark.parametrize("named", [None, NAMED])
def test_the_most_that_a_marketplace_takes_is_kept(named):
    by = Arithmetic(StockSettings(warehouses={"london": "w1"}), most_units=3)
    assert sum(units for _, units in by.quantities(12, named, "first")) == 3
