from datetime import UTC, datetime, timedelta

from msgspec import structs

from channel_sync.domain.orders import Change, OrderState, StoredVersion, change_of, update_event_types

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STORED = StoredVersion("ord_1", 3, OrderState.APPROVED, NOON, b"content", NOON)


def test_a_newer_order_is_an_update():
    assert change_of(STORED, NOON + timedelta(milliseconds=1), b"content") is Change.UPDATED


def test_an_older_order_is_ignored_whatever_it_says():
    assert change_of(STORED, NOON - timedelta(milliseconds=1), b"other") is Change.IGNORED


def test_the_same_order_again_is_unchanged():
    assert change_of(STORED, NOON, b"content") is Change.UNCHANGED


def test_other_content_at_the_same_instant_is_an_update():
    assert change_of(STORED, NOON, b"other") is Change.UPDATED


def test_whatever_comes_after_an_order_dated_ahead_is_newer():
    ahead = structs.replace(STORED, updated_at=NOON + timedelta(hours=2))
    assert change_of(ahead, NOON + timedelta(minutes=5), b"other") is Change.UPDATED
    assert change_of(ahead, ahead.updated_at, b"content") is Change.UNCHANGED


def test_an_order_released_again_after_shipping_says_so():
    types = update_event_types(OrderState.SHIPPED, OrderState.APPROVED)
    assert types == ("order.updated", "order.released")


def test_a_refund_is_told_once():
    first = update_event_types(OrderState.APPROVED, OrderState.REFUNDED)
    again = update_event_types(OrderState.REFUNDED, OrderState.REFUNDED)
    assert first == ("order.updated", "order.refunded")
    assert again == ("order.updated",)


def test_an_update_that_turns_nothing_is_one_event():
    assert update_event_types(OrderState.APPROVED, OrderState.SHIPPED) == ("order.updated",)
