from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel_sync.domain.stock import (
    MAX_UNITS,
    Arithmetic,
    StockLevel,
    StockResult,
    StockSettings,
    UnitRules,
    WarehouseLevel,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEVEL = StockLevel("MUG-1", 12, 4, 7, NOON)


def a_level(available: int, reserved: int = 0, **warehouses: int) -> StockLevel:
    named = tuple(WarehouseLevel(name, units) for name, units in warehouses.items()) or None
    return StockLevel("MUG-1", available, 1, None, NOON, named, reserved)


def test_another_quantity_is_the_next_version():
    level, result = LEVEL.change_to(3, None, NOON)
    assert (level.available, level.version, result) == (3, 5, StockResult.ACCEPTED)


def test_the_same_quantity_is_the_same_version():
    level, result = LEVEL.change_to(12, 8, NOON)
    assert (level.version, level.revision, result) == (4, 8, StockResult.UNCHANGED)


def test_an_older_revision_never_overwrites_a_newer_one():
    level, result = LEVEL.change_to(3, 6, NOON)
    assert (level, result) == (LEVEL, StockResult.STALE_REVISION)


def test_units_are_less_the_buffer_and_at_most_the_maximum():
    assert StockSettings(buffer=2, maximum=5).units(12) == 5


def test_a_share_is_rounded_down():
    assert StockSettings(percent=50).units(7) == 3


@pytest.mark.parametrize(("available", "units"), [(13, 5), (10, 4), (9, 0), (0, 0)])
def test_where_too_few_are_left_after_buffer_and_share_a_listing_shows_none(available: int, units: int):
    assert StockSettings(buffer=2, percent=50, end_when=4, maximum=5).units(available) == units


def test_the_maximum_ends_nothing():
    assert StockSettings(end_when=4, maximum=3).units(12) == 3


def test_narrower_rules_go_first_member_by_member():
    by = Arithmetic(StockSettings(buffer=2, maximum=5))
    assert by.units(12, UnitRules(buffer=9), None) == 3
    assert by.units(12, UnitRules(buffer=9), UnitRules(buffer=0)) == 5
    assert by.units(12, UnitRules(buffer=9), UnitRules(buffer=0, maximum=500_000)) == 12


def test_no_rule_asks_more_of_a_marketplace_than_it_takes():
    by = Arithmetic(StockSettings(maximum=5), most_units=9)
    assert by.units(12, UnitRules(maximum=500_000)) == 9
    assert by.reckoned(a_level(12), UnitRules(maximum=500_000)).words == "12 available, at most 9: 9"


def test_only_what_changes_units_or_their_place_is_sent_otherwise():
    settings = StockSettings(buffer=2)
    assert settings.sends_as(StockSettings(enabled=False, interval_s=9, buffer=2))
    assert not settings.sends_as(StockSettings(buffer=2, end_when=1))
    assert not settings.sends_as(StockSettings(buffer=2, warehouse_id="w"))


@given(
    available=st.integers(0, MAX_UNITS),
    buffer=st.integers(0, MAX_UNITS),
    maximum=st.none() | st.integers(0, MAX_UNITS),
    percent=st.integers(1, 100),
    end_when=st.integers(0, MAX_UNITS),
)
def test_a_listing_never_shows_more_than_there_is(
    available: int, buffer: int, maximum: int | None, percent: int, end_when: int
):
    units = StockSettings(buffer=buffer, maximum=maximum, percent=percent, end_when=end_when).units(available)
    assert 0 <= units <= max(0, available - buffer)
    assert maximum is None or units <= maximum


def test_the_way_from_a_level_to_units_names_only_the_steps_that_are_set():
    assert Arithmetic(StockSettings()).reckoned(a_level(3)).words == "3 available: 3"
    reckoned = Arithmetic(StockSettings(buffer=2)).reckoned(a_level(3))
    assert (reckoned.quantity, reckoned.words) == (1, "3 available, less a buffer of 2: 1")


def test_what_orders_take_goes_off_before_every_rule():
    reckoned = Arithmetic(StockSettings(buffer=2)).reckoned(a_level(9, reserved=3))
    assert (reckoned.available, reckoned.reserved, reckoned.quantity) == (9, 3, 4)
    assert reckoned.words == "9 available, less 3 in orders not counted yet, less a buffer of 2: 4"


@pytest.mark.parametrize(
    ("reserved", "left"), [(0, (5, 9, 1)), (3, (5, 6, 1)), (10, (4, 0, 1)), (15, (0, 0, 0)), (99, (0, 0, 0))]
)
def test_of_several_warehouses_the_fullest_gives_first(reserved: int, left: tuple[int, ...]):
    free, named = a_level(15, reserved, a=5, b=9, c=1).free
    assert named is not None
    assert tuple(one.available for one in named) == left
    assert free == sum(left)
