"""What is said of an order, from what is known of it."""

from dataclasses import replace

import pytest
from tests.factories import NOW, later

from channel_sync.domain.explanations import (
    ChannelFacts,
    Explanation,
    Finding,
    OrderTrace,
    OurFacts,
    Remedy,
    Verdict,
    explanation,
)
from channel_sync.domain.held_orders import HeldOrder
from channel_sync.domain.orders import OrderState

NOTHING = OurFacts(
    orders_from=NOW,
    looks_from=later(600),
    looked_up_to=later(1200),
    next_look=later(1260),
    no_look=None,
    order=None,
    held=None,
)
ORDER = OrderTrace("ord_1", 2, OrderState.APPROVED, later(30), later(60), erased=False, erased_at=None)
HELD = HeldOrder("hld_1", "int_1", "o1", "wrong_type", "/state", "request-1", NOW)
THERE, GONE, SILENT = ChannelFacts(True, later(30)), ChannelFacts(False), ChannelFacts(None, reason="timeout")
NEVER = replace(NOTHING, next_look=None, no_look="the integration is disabled")


def told(ours: OurFacts, theirs: ChannelFacts) -> Explanation:
    return explanation("Wish", ours, theirs)


def findings(found: Explanation) -> list[Finding]:
    return [one.finding for one in found.evidence]


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict", "remedy", "sentence"),
    [
        (NOTHING, GONE, Verdict.NOT_AT_CHANNEL, Remedy.CHECK_ID, "Wish has no such order in this shop"),
        (NOTHING, SILENT, Verdict.UNKNOWN, Remedy.ASK_AGAIN, "Wish could not be asked: timeout"),
        (
            NOTHING,
            ChannelFacts(True, later(-1)),
            Verdict.BEFORE_ORDERS_FROM,
            Remedy.BACKFILL,
            "11:59:59.000Z; that",
        ),
        (NOTHING, ChannelFacts(True, later(599)), Verdict.MISSED, Remedy.BACKFILL, "no look has brought it"),
        (
            NOTHING,
            ChannelFacts(True, later(600)),
            Verdict.NOT_FETCHED,
            Remedy.WAIT,
            "next look at 2026-11-23T12:21",
        ),
        (NOTHING, ChannelFacts(True, None, "bad_id"), Verdict.NOT_FETCHED, Remedy.WAIT, "it is not fetched yet"),
        (NEVER, ChannelFacts(True, later(700)), Verdict.NOT_FETCHED, Remedy.MEND_INTEGRATION, "is disabled"),
        (replace(NOTHING, held=HELD), THERE, Verdict.HELD, Remedy.REPLAY, "hld_1 since 2026-11-23T12:00:00.000Z"),
        (replace(NOTHING, order=ORDER, held=HELD), THERE, Verdict.HELD, Remedy.REPLAY, "wrong_type at /state"),
        (replace(NOTHING, order=ORDER), THERE, Verdict.STORED, None, "ord_1 at 2026-11-23T12:01:00.000Z, and not"),
        (replace(NOTHING, order=ORDER), GONE, Verdict.STORED, None, "not acknowledged yet"),
        (
            replace(NOTHING, order=ORDER),
            ChannelFacts(True, later(900)),
            Verdict.STORED,
            Remedy.WAIT,
            "newer version",
        ),
        (
            replace(NEVER, order=ORDER),
            ChannelFacts(True, later(31)),
            Verdict.STORED,
            Remedy.MEND_INTEGRATION,
            "no next",
        ),
    ],
)
def test_an_order_is_explained_in_one_sentence_with_what_to_do(ours, theirs, verdict, remedy, sentence):
    found = told(ours, theirs)

    assert (found.verdict, found.remedy) == (verdict, remedy)
    assert sentence in found.sentence
    assert found.sentence.endswith(".")
    assert (found.advice is None) == (remedy is None)


def test_a_backfill_begins_with_the_change_that_is_missing():
    assert told(NOTHING, THERE).backfill_from == later(30)
    assert told(NOTHING, ChannelFacts(True, later(700))).backfill_from is None


def test_a_receipt_names_who_took_the_order_over_and_in_which_version():
    former = replace(ORDER, acknowledged_at=later(90), acknowledged_by="key_1", acknowledged_version=1)
    this = replace(former, acknowledged_version=2, acknowledged_name="ERP")

    sentences = [told(replace(NOTHING, order=order), THERE).sentence for order in (this, former)]

    assert sentences[0].endswith(", delivered to ERP at 2026-11-23T12:01:30.000Z.")
    assert sentences[1].endswith(", delivered to key_1 at 2026-11-23T12:01:30.000Z as version 1.")
    assert Finding.ACKNOWLEDGED in findings(told(replace(NOTHING, order=this), THERE))


@pytest.mark.parametrize(("at", "ending"), [(later(99), "erased at 2026-11-23T12:01:39.000Z."), (None, "erased.")])
def test_an_erased_order_says_so_and_when(at, ending):
    found = told(replace(NOTHING, order=replace(ORDER, erased=True, erased_at=at)), THERE)

    assert found.verdict is Verdict.ERASED
    assert found.sentence.endswith(ending)
    assert Finding.ERASED in findings(found)


def test_the_evidence_names_where_is_looked_and_what_the_marketplace_says():
    assert findings(told(NOTHING, THERE)) == [
        Finding.NOT_STORED,
        Finding.ORDERS_FROM,
        Finding.LOOKED_UP_TO,
        Finding.NEXT_LOOK,
        Finding.AT_CHANNEL,
    ]
    never = replace(NEVER, looked_up_to=None)
    assert findings(told(never, SILENT))[1:] == [
        Finding.ORDERS_FROM,
        Finding.NO_LOOK,
        Finding.CHANNEL_NOT_ASKED,
    ]
    assert findings(told(NOTHING, ChannelFacts(True, None, "bad_id")))[-1] is Finding.UNREADABLE_AT_CHANNEL
    assert findings(told(replace(NOTHING, order=ORDER), GONE))[-1] is Finding.NOT_AT_CHANNEL
