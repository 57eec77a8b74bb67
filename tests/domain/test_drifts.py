from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channel_sync.domain.drifts import BOUGHT_BEFORE, Sales, Suspect, Verdict, verdict
from channel_sync.domain.ids import new_id

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SUSPECT = Suspect(
    told=(("w1", 5), ("w2", 2)),
    listing_id="lst_1",
    product_id="p",
    variation_id="v",
    version=3,
    sent_at=NOON,
    seen=(("w1", 3), ("w2", 2), ("elsewhere", 9)),
    seen_at=NOON + 5 * MINUTE,
    differs_since=NOON + 5 * MINUTE,
    left=None,
    left_at=None,
)
NOTHING_SOLD = Sales({}, NOON - timedelta(days=3), NOON + 5 * MINUTE)


def sold(units: int, at: datetime) -> dict[str, list[tuple[str, int]]]:
    return {"v": [(new_id("ord", at), units)]}


def test_fewer_units_without_an_order_were_taken_by_somebody_else():
    assert verdict(SUSPECT, NOTHING_SOLD) is Verdict.CHANGED


@pytest.mark.parametrize(
    "change",
    [
        {"known_until": None},
        {"known_until": NOON + 4 * MINUTE},
        {"whole_from": NOON + MINUTE},
        {"unread_at": NOON + MINUTE},
    ],
)
def test_while_an_order_may_be_missing_nobody_knows(change):
    assert verdict(SUSPECT, replace(NOTHING_SOLD, **change)) is Verdict.OPEN


def test_an_order_that_was_held_before_explains_nothing():
    assert verdict(SUSPECT, replace(NOTHING_SOLD, unread_at=NOON - MINUTE)) is Verdict.CHANGED


@pytest.mark.parametrize(
    ("units", "at", "expected"),
    [
        (2, NOON, Verdict.SOLD),
        (1, NOON, Verdict.CHANGED),
        (2, NOON - MINUTE, Verdict.CHANGED),
    ],
)
def test_orders_that_were_stored_since_the_call_explain_their_units(units, at, expected):
    assert verdict(SUSPECT, replace(NOTHING_SOLD, sold=sold(units, at))) is expected


def test_what_was_explained_before_is_not_missing_again():
    left = replace(SUSPECT, left=(("w1", 4), ("w2", 2)), left_at=NOON + 2 * MINUTE)

    assert (SUSPECT.missing, left.missing) == (2, 1)
    assert verdict(left, replace(NOTHING_SOLD, sold=sold(2, NOON + MINUTE))) is Verdict.CHANGED
    assert verdict(left, replace(NOTHING_SOLD, sold=sold(1, NOON + 3 * MINUTE))) is Verdict.SOLD


def test_more_in_any_warehouse_is_nobodys_purchase():
    moved = replace(SUSPECT, seen=(("w1", 1), ("w2", 4)))

    assert verdict(moved, replace(NOTHING_SOLD, known_until=None)) is Verdict.CHANGED


def test_what_was_bought_days_before_the_difference_showed_is_none_of_it():
    late = replace(SUSPECT, seen_at=NOON + timedelta(days=9), differs_since=NOON + timedelta(days=9))

    assert late.sold_from == late.differs_since - BOUGHT_BEFORE
