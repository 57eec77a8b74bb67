from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.factories import an_integration

from channel_sync.domain.codes import STOCK_CODES
from channel_sync.domain.incidents import IncidentKind
from channel_sync.domain.listings import Listing, Mapping, PushState
from channel_sync.domain.push_states import hindrance, push_state, reason, why

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MISSING = IncidentKind.WAREHOUSE_MISSING
LISTING = Listing(
    id="lst_1",
    integration_id="int_1",
    product_id="p",
    variation_id="v",
    sku="MUG-1",
    mapped_sku=None,
    title=None,
    image_url=None,
    writable=True,
    mapping=Mapping.MAPPED,
    quantities=(("w", 1),),
    wanted_version=2,
    sent_version=0,
    sent_quantity=None,
    sent_at=None,
    settled_version=0,
    push_state=None,
    push_code=None,
    push_reason=None,
    settled_at=None,
)


def test_a_value_not_sent_yet_is_pending():
    assert push_state(LISTING, 2) is PushState.PENDING


def test_a_value_on_its_way_is_sent():
    assert push_state(replace(LISTING, sent_version=2), 2) is PushState.SENT


def test_a_value_overtaken_on_its_way_is_superseded():
    assert push_state(replace(LISTING, sent_version=2), 3) is PushState.SUPERSEDED


def test_a_confirmed_value_is_confirmed_until_it_changes():
    settled = replace(LISTING, sent_version=2, settled_version=2, push_state=PushState.CONFIRMED)
    assert push_state(settled, 2) is PushState.CONFIRMED
    assert push_state(settled, 3) is PushState.PENDING


def test_a_refused_value_stays_rejected_until_it_changes():
    settled = replace(LISTING, sent_version=2, settled_version=2, push_state=PushState.REJECTED)
    assert push_state(settled, 2) is PushState.REJECTED
    assert push_state(settled, 3) is PushState.PENDING


def test_a_listing_that_cannot_be_written_is_skipped():
    assert push_state(replace(LISTING, writable=False), 2) is PushState.SKIPPED
    assert push_state(replace(LISTING, mapping=Mapping.AMBIGUOUS), 2) is PushState.SKIPPED


@pytest.mark.parametrize(
    ("listing", "code"),
    [
        (replace(LISTING, mapping=Mapping.GONE), "listing_gone"),
        (replace(LISTING, mapping=Mapping.AMBIGUOUS), "sku_ambiguous"),
        (replace(LISTING, writable=False), "listing_closed"),
    ],
)
def test_what_is_skipped_has_a_reason(listing, code):
    assert why(listing, push_state(listing, 2))[0] == code


def test_an_old_refusal_explains_no_newer_value():
    refused = replace(
        LISTING, settled_version=2, push_state=PushState.REJECTED, push_code="1010", push_reason="Too many."
    )
    assert why(refused, push_state(refused, 2)) == ("1010", "Too many.")
    assert why(refused, push_state(refused, 3)).code == "queued"


def test_what_is_confirmed_is_in_doubt_while_a_lost_call_may_land():
    settled = replace(LISTING, sent_version=2, settled_version=2, push_state=PushState.CONFIRMED, doubted_at=NOON)
    assert push_state(settled, 2) is PushState.SENT
    assert push_state(replace(settled, seen_at=NOON + timedelta(seconds=59)), 2) is PushState.SENT
    assert push_state(replace(settled, seen_at=NOON + timedelta(seconds=60)), 2) is PushState.CONFIRMED
    assert why(settled, PushState.SENT).code == "outcome_unknown"


def test_a_drift_is_over_with_a_new_level():
    drifted = replace(LISTING, sent_version=2, settled_version=2, push_state=PushState.DRIFTED)
    assert (push_state(drifted, 2), push_state(drifted, 3)) == (PushState.DRIFTED, PushState.PENDING)


def test_every_state_but_a_plain_confirmation_has_a_code_and_words():
    for state in PushState:
        told = why(replace(LISTING, push_code="1010", push_reason="Too many."), state)
        assert told.code
        assert told.words
    assert why(LISTING, PushState.CONFIRMED) == (None, None)


def test_every_code_has_its_words():
    assert all(reason(code).words for code in STOCK_CODES)


def test_what_keeps_stock_from_being_sent_is_named_by_what_comes_first():
    active = an_integration()
    assert hindrance(None, []) == "integration_removed"
    assert hindrance(replace(active, enabled=False), [MISSING]) == "integration_disabled"
    assert hindrance(replace(active, rejected_reason="refresh_token_rejected"), []) == "integration_needs_reauth"
    assert hindrance(replace(active, paused_reason="account_disabled_at_wish"), []) == "integration_paused"
    assert hindrance(active, [MISSING]) == "warehouse_missing"
    assert hindrance(active, [MISSING, IncidentKind.STOCK_BRAKED]) == "stock_braked"
    assert hindrance(active, []) is None
