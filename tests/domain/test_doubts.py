from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channel_sync.domain.doubts import LONGEST_DOUBT, Doubt, next_look

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(("passed", "at"), [(0, 5), (5, 15), (14, 15), (29, 30), (30, 60), (61, 90), (599, 600)])
def test_a_shop_is_looked_at_soon_and_then_every_half_minute(passed: float, at: float):
    assert next_look(NOON, after(passed)) == after(at)


def test_after_ten_minutes_nothing_is_in_doubt_any_more():
    assert timedelta(minutes=10) == LONGEST_DOUBT
    assert next_look(NOON, after(600)) is None


def a_doubt(**members) -> Doubt:
    values: dict[str, Any] = {
        "listing_id": "lst",
        "product_id": "p",
        "variation_id": "v",
        "version": 2,
        "quantity": 5,
        "warehouse_id": "w1",
        "is_newest": True,
        "doubted_at": NOON,
        "seen": (("w1", 5), ("w2", 8)),
        "seen_at": after(3),
        "settled_at": after(2),
    }
    return Doubt(**(values | members))


def test_the_newest_value_is_wrong_where_the_shop_shows_another_one():
    assert a_doubt().is_wrong((("w1", 4),))
    assert a_doubt().is_wrong((("w2", 5),))
    assert not a_doubt().is_wrong((("w1", 5), ("w2", 0)))
    assert not a_doubt().is_wrong(None)
    assert not a_doubt(is_newest=False).is_wrong((("w1", 4),))


def test_only_what_was_seen_after_all_that_was_done_counts_as_seen():
    assert a_doubt().was_seen_since
    assert not a_doubt(seen_at=None).was_seen_since
    assert not a_doubt(seen_at=after(-1)).was_seen_since
    assert not a_doubt(settled_at=after(4)).was_seen_since


def test_what_was_told_comes_with_what_lay_elsewhere():
    told = a_doubt().told
    assert (told.quantities, told.others) == ((("w1", 5),), (("w2", 8),))
