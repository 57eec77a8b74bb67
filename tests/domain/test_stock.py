from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from channel_sync.domain.stock import MAX_UNITS, StockLevel, StockResult, StockSettings

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEVEL = StockLevel("MUG-1", 12, 4, 7, NOON)


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


@given(
    available=st.integers(0, MAX_UNITS),
    buffer=st.integers(0, MAX_UNITS),
    maximum=st.none() | st.integers(0, MAX_UNITS),
    percent=st.integers(1, 100),
)
def test_a_listing_never_shows_more_than_there_is(available: int, buffer: int, maximum: int | None, percent: int):
    units = StockSettings(buffer=buffer, maximum=maximum, percent=percent).units(available)
    assert 0 <= units <= max(0, available - buffer)
    assert maximum is None or units <= maximum


def test_the_way_from_a_level_to_units_names_only_the_steps_that_are_set():
    assert StockSettings().reckoned(3).words == "3 available: 3"
    reckoned = StockSettings(buffer=2).reckoned(3)
    assert (reckoned.quantity, reckoned.words) == (1, "3 available, less a buffer of 2: 1")
