"""The way of a level to a listing, as a person reads it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from channel_sync.domain.listings import Listing, Mapping, PushState
from channel_sync.domain.push_states import Reason, reason
from channel_sync.domain.stock import Arithmetic, StockLevel, StockSettings
from channel_sync.domain.stock_sentences import Journey, Shown, sentence

SENT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LISTING = Listing(
    id="lst_1",
    integration_id="int_1",
    product_id="p1",
    variation_id="v1",
    sku="MUG",
    mapped_sku=None,
    title=None,
    image_url=None,
    writable=True,
    mapping=Mapping.MAPPED,
    quantities=(("w", 5),),
    wanted_version=2,
    sent_version=2,
    sent_quantity=5,
    sent_at=SENT,
    settled_version=2,
    push_state=PushState.CONFIRMED,
    push_code=None,
    push_reason=None,
    settled_at=SENT + timedelta(seconds=3),
)
STEPS = Arithmetic(StockSettings(buffer=2, maximum=5)).reckoned(StockLevel("s", 12, 1, None, SENT))
CONFIRMED = Journey(
    STEPS, LISTING, PushState.CONFIRMED, Reason(None, None), Shown(5, SENT + timedelta(minutes=1), True), "Wish"
)


def test_what_is_confirmed_is_told_from_the_level_to_the_shop():
    assert sentence(CONFIRMED) == (
        "available 12 \N{MINUS SIGN} buffer 2 → maximum 5 → sent 5 at 2026-11-23T12:00:00Z, "
        "confirmed 3.0 s later, at Wish now 5, seen at 2026-11-23T12:01:00Z"
    )


def test_every_step_that_is_set_is_named():
    steps = Arithmetic(StockSettings(percent=50, end_when=3)).reckoned(StockLevel("s", 5, 1, None, SENT))
    told = sentence(replace(CONFIRMED, steps=steps, shown=None))
    assert told.startswith("available 5 → 50 % → none below 3 → sent 5 at")


def test_what_orders_take_is_named_first():
    steps = Arithmetic(StockSettings(buffer=2)).reckoned(StockLevel("s", 12, 1, None, SENT, reserved=1))
    told = sentence(replace(CONFIRMED, steps=steps, shown=None))
    assert told.startswith("available 12 \N{MINUS SIGN} reserved 1 \N{MINUS SIGN} buffer 2 → sent 5 at")


def test_a_listing_that_sold_was_not_told():
    listing = replace(LISTING, push_code="sold_here", sent_quantity=4, settled_at=SENT + timedelta(minutes=2))
    steps = Arithmetic(StockSettings()).reckoned(StockLevel("s", 5, 1, None, SENT, reserved=1))
    told = sentence(replace(CONFIRMED, steps=steps, listing=listing, reason=reason("sold_here"), shown=None))
    assert told == (
        "available 5 \N{MINUS SIGN} reserved 1 → 4 since 2026-11-23T12:02:00Z "
        "(The marketplace took the units off itself when it sold them here)"
    )


def test_what_waits_says_what_for_and_what_was_sent_before():
    waiting = replace(CONFIRMED, state=PushState.PENDING, reason=reason("stock_disabled"), shown=None)
    assert sentence(waiting) == (
        "available 12 \N{MINUS SIGN} buffer 2 → maximum 5 → 5 to be sent: Sending stock is switched off in the "
        "integration's settings, last sent 5 at 2026-11-23T12:00:00Z"
    )


def test_a_refusal_is_told_in_the_marketplaces_words():
    rejected = replace(CONFIRMED, state=PushState.REJECTED, reason=Reason("90001", "Too many."), shown=None)
    assert sentence(rejected).endswith("sent 5 at 2026-11-23T12:00:00Z, rejected 3.0 s later (Too many)")


def test_what_is_passed_over_says_why_and_what_was_last_seen():
    excluded = replace(LISTING, excluded=True)
    skipped = Journey(None, excluded, PushState.SKIPPED, reason("listing_excluded"), Shown(4, SENT), "Wish")
    assert sentence(skipped) == (
        "nothing is sent: The listing is excluded; nothing is sent to it, at Wish 4, seen at 2026-11-23T12:00:00Z"
    )
